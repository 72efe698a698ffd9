/** What every request to a shop node passes: an id, a log line without whose it is, headers, and one place for errors. */
import { randomUUID, timingSafeEqual } from 'node:crypto';
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { z } from 'zod';
import { parseBoundedJson } from '../../../shared/protocol/bounded-json.ts';
import { errorAnswer } from '../../../shared/protocol/error-answer.ts';
import { CestaError, toCestaError } from '../../../shared/protocol/errors.ts';
import { inertHeaders, readBoundedText } from '../../../shared/protocol/http-policy.ts';
import { describeIssues } from '../../../shared/protocol/issues.ts';
import { isLoopbackHost } from '../../../shared/protocol/transport.ts';

/**
 * One line a request: what was asked of which route, and how it ended. No address, no body, no query, and the route by its
 * pattern, since ids of items and of consents are in paths.
 */
export function logRequests(logger: Logger, now: () => number): RequestHandler {
  return (request, response, next) => {
    const id = randomUUID();
    const startedAt = now();
    response.locals['requestId'] = id;
    response.set('Cesta-Request', id);
    response.on('finish', () => {
      logger.debug({ requestId: id, method: request.method, route: routeOf(request), status: response.statusCode, ms: Math.round(now() - startedAt) }, 'request');
    });
    next();
  };
}

function routeOf(request: Request): string | null {
  const route = request.route as { readonly path?: unknown } | undefined;
  return typeof route?.path === 'string' ? route.path : null;
}

/** Nothing may be framed, sniffed, run or kept, unless a route says otherwise. */
export function setHeaders(isTls: boolean): RequestHandler {
  return (request, response, next) => {
    response.set({ ...inertHeaders, 'Cache-Control': 'no-store', 'Cross-Origin-Resource-Policy': 'same-origin' });
    // Beside other servers on this machine, which may have no TLS, the name is not ours alone.
    if (isTls && !isLoopbackHost(request.hostname)) response.set('Strict-Transport-Security', 'max-age=31536000');
    next();
  };
}

const preflightHeaders = { 'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT, DELETE', 'Access-Control-Allow-Headers': 'Authorization, Content-Type', 'Access-Control-Max-Age': '86400' };

/** For the routes that pages call: from the shop's own origins, when the shop node is not behind the shop's own server. */
export function allowOrigins(origins: readonly string[]): RequestHandler {
  return (request, response, next) => {
    const origin = request.get('Origin');
    const allowed = origins.includes('*') ? '*' : origins.find((known) => known === origin);
    // Caches must not hand the answer to one origin to another.
    if (!origins.includes('*')) response.vary('Origin');
    const isPreflight = request.method === 'OPTIONS';
    if (allowed !== undefined) {
      response.set({ 'Access-Control-Allow-Origin': allowed, 'Access-Control-Expose-Headers': 'Cesta-Request', 'Cross-Origin-Resource-Policy': 'cross-origin', ...(isPreflight ? preflightHeaders : {}) });
    }
    if (isPreflight) response.status(204).end();
    else next();
  };
}

/** The secret after `Bearer `; null without one. */
function bearerOf(request: Request): string | null {
  return /^Bearer ([\x21-\x7e]{1,200})$/.exec(request.get('Authorization') ?? '')?.[1] ?? null;
}

/** @throws CestaError `consent.unknown` */
export function secretOf(request: Request): string {
  const secret = bearerOf(request);
  if (secret === null) throw new CestaError('consent.unknown', 'Authorization: expected Bearer and the secret of a consent, got none');
  return secret;
}

/** Lets the shop's own backend through. */
export function requireBackend(token: string): RequestHandler {
  return (request, _response, next) => {
    if (!isBackend(request, token)) throw new CestaError('shop.unauthorised', 'Authorization: expected the token of the backend of this shop, got another or none');
    next();
  };
}

export function isBackend(request: Request, token: string): boolean {
  const given = Buffer.from(bearerOf(request) ?? '');
  const expected = Buffer.from(token);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

const maxDepth = 8;

/** @throws CestaError `http.media-type`, `protocol.too-large`, `protocol.malformed`, or `usage.invalid` for what the schema does not take */
export async function readBody<Schema extends z.core.$ZodType>(request: Request, schema: Schema, maxBytes: number): Promise<z.output<Schema>> {
  const type = request.get('Content-Type');
  if (type?.split(';', 1)[0].trim().toLowerCase() !== 'application/json') {
    throw new CestaError('http.media-type', `Content-Type: expected application/json, got ${type === undefined ? 'none' : JSON.stringify(type.slice(0, 80))}`);
  }
  // Destroyed, the request would take the connection along, and the answer with it.
  const pieces = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  const text = await readBoundedText(pieces, { announced: request.get('Content-Length'), maxBytes });
  return parseAsked(schema, parseBoundedJson('body', text, { maxLength: maxBytes, maxDepth }));
}

/** @throws CestaError `usage.invalid` */
export function parseAsked<Schema extends z.core.$ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = z.safeParse(schema, value);
  if (!parsed.success) throw new CestaError('usage.invalid', describeIssues(parsed.error));
  return parsed.data;
}

export const notFound: RequestHandler = () => {
  throw new CestaError('http.not-found', 'url: nothing is served here');
};

export function answerErrors(logger: Logger): ErrorRequestHandler {
  // Express knows an error handler by its four parameters.
  return (thrown: unknown, request, response: Response, _next) => {
    const error = thrown instanceof URIError ? new CestaError('http.not-found', 'url: expected valid percent encoding', { cause: thrown }) : toCestaError(thrown);
    const { status, body } = errorAnswer(error, 'shop node');
    if (status >= 500) logger.error({ err: thrown, requestId: response.locals['requestId'] as unknown, method: request.method, route: routeOf(request) }, 'request failed');
    if (response.headersSent) return void response.destroy();
    // Whoever sends a body that nothing reads is cut off after the answer.
    if (request.method !== 'GET' && request.method !== 'HEAD') response.set('Connection', 'close');
    response.set('Cache-Control', 'no-store').status(status).json(body);
  };
}
