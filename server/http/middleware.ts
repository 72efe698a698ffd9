/** What every request passes: an id, a log line, headers for browsers of other origins, and one place for errors. */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { errorAnswer } from '../../shared/protocol/error-answer.ts';
import { CestaError, toCestaError } from '../../shared/protocol/errors.ts';
import { inertHeaders } from '../../shared/protocol/http-policy.ts';
import { isLoopbackHost } from '../../shared/protocol/transport.ts';
import type { Clock } from '../clock.ts';
import type { Meter } from '../meter.ts';

/** Gives the request an id, tells it to the caller, and logs the answer under it. */
export function logRequests(logger: Logger, clock: Clock): RequestHandler {
  return (request, response, next) => {
    const id = randomUUID();
    const startedAt = clock.now();
    response.locals['requestId'] = id;
    response.set('Cesta-Request', id);
    response.on('finish', () => {
      logger.debug({ requestId: id, method: request.method, path: request.path, status: response.statusCode, ms: Math.round(clock.now() - startedAt) }, 'request');
    });
    next();
  };
}

/** Counts all bytes of the connection, which may carry several requests one after the other. */
export function countBytes(meter: Meter): RequestHandler {
  const counted = new WeakMap<Socket, { readonly read: number; readonly written: number }>();
  return ({ socket }, response, next) => {
    response.on('close', () => {
      const before = counted.get(socket) ?? { read: 0, written: 0 };
      const now = { read: socket.bytesRead, written: socket.bytesWritten };
      counted.set(socket, now);
      meter.bytes('http', 'up', now.read - before.read);
      meter.bytes('http', 'down', now.written - before.written);
    });
    next();
  };
}

/** Who may read from a page of another origin, and whether the connection is encrypted by this server. */
export interface HeaderPolicy {
  /** `*`, or origins such as `https://shop.example`. */
  readonly corsOrigins: readonly string[];
  readonly isTls: boolean;
}

export const anyOrigin: HeaderPolicy = { corsOrigins: ['*'], isTls: false };

const corsHeaders = { 'Access-Control-Expose-Headers': 'ETag, Cesta-Version, Cesta-Request', 'Cross-Origin-Resource-Policy': 'cross-origin' };
const preflightHeaders = { 'Access-Control-Allow-Methods': 'GET, HEAD', 'Access-Control-Allow-Headers': 'If-None-Match', 'Access-Control-Max-Age': '86400' };

/** Beside other servers on this machine, which may have no TLS, the name is not ours alone. */
function setTransportSecurity(request: Request, response: Response): void {
  if (!isLoopbackHost(request.hostname)) response.set('Strict-Transport-Security', 'max-age=31536000');
}

/** For operators: no other origin, no cache. */
export function privateHeaders({ isTls }: Pick<HeaderPolicy, 'isTls'>): RequestHandler {
  return (request, response, next) => {
    response.set({ ...inertHeaders, 'Cross-Origin-Resource-Policy': 'same-origin', 'Cache-Control': 'no-store' });
    if (isTls) setTransportSecurity(request, response);
    next();
  };
}

/** What is read is public: storefronts may fetch it. What is posted is no business of browsers. Nothing may be framed, sniffed or run. */
export function publicHeaders({ corsOrigins, isTls }: HeaderPolicy): RequestHandler {
  const isAny = corsOrigins.includes('*');
  return (request, response, next) => {
    response.set(inertHeaders);
    if (isTls) setTransportSecurity(request, response);
    // Caches must not hand the answer to one origin to another.
    if (!isAny) response.vary('Origin');
    const isPreflight = request.method === 'OPTIONS';
    const method = isPreflight ? (request.get('Access-Control-Request-Method') ?? 'GET') : request.method;
    const origin = request.get('Origin');
    const allowed = isAny ? '*' : corsOrigins.find((known) => known === origin);
    if (allowed !== undefined && (method === 'GET' || method === 'HEAD')) {
      response.set({ 'Access-Control-Allow-Origin': allowed, ...corsHeaders, ...(isPreflight ? preflightHeaders : {}) });
    }
    if (isPreflight) response.status(204).end();
    else next();
  };
}

/** Refuses a body that says it is of another kind, or of none, before it is read. */
export function requireType(mediaType: string): RequestHandler {
  return (request, _response, next) => {
    requireMediaType(request, mediaType);
    next();
  };
}

/** @throws CestaError `http.media-type` */
export function requireMediaType(request: Request, mediaType: string): void {
  const given = request.get('Content-Type');
  if (given?.split(';', 1)[0].trim().toLowerCase() === mediaType) return;
  throw new CestaError('http.media-type', `Content-Type: expected ${mediaType}, got ${given === undefined ? 'none' : JSON.stringify(given.slice(0, 80))}`);
}

export const notFound: RequestHandler = (request) => {
  throw new CestaError('http.not-found', `${request.method} ${request.path}: nothing is served here`);
};

export function answerErrors(logger: Logger, meter: Meter): ErrorRequestHandler {
  // Express knows an error handler by its four parameters.
  return (thrown: unknown, request, response, _next) => {
    const error = isBadUrl(thrown) ? new CestaError('http.not-found', 'url: expected valid percent encoding', { cause: thrown }) : toCestaError(thrown);
    const requestId: unknown = response.locals['requestId'];
    const { status, body } = errorAnswer(error, 'coordinator');
    meter.refused('http', error.code);
    if (status >= 500) logger.error({ err: thrown, requestId, method: request.method, path: request.path }, 'request failed');
    if (response.headersSent) return void response.destroy();
    // Whoever sends a body that nothing reads is cut off after the answer.
    if (request.method !== 'GET' && request.method !== 'HEAD') response.set('Connection', 'close');
    response.set('Cache-Control', 'no-store').status(status).json(body);
  };
}

function isBadUrl(thrown: unknown): boolean {
  return thrown instanceof URIError;
}
