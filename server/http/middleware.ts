/** What every request passes: an id, a log line, headers for browsers of other origins, and one place for errors. */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import type { Logger } from 'pino';
import { CestaError, errorBody, toCestaError } from '../../shared/protocol/errors.ts';
import type { Clock } from '../clock.ts';
import { publicMessage } from '../disclosure.ts';
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

/** Everything served is public, and what is posted is no business of browsers: any storefront may fetch it, nothing may be framed, sniffed or run. */
export const publicHeaders: RequestHandler = (request, response, next) => {
  response.set({
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Expose-Headers': 'ETag, Cesta-Version, Cesta-Request',
    'Cross-Origin-Resource-Policy': 'cross-origin',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  });
  if (request.method !== 'OPTIONS') return next();
  response.set({ 'Access-Control-Allow-Methods': 'GET, HEAD', 'Access-Control-Allow-Headers': 'If-None-Match', 'Access-Control-Max-Age': '86400' });
  response.status(204).end();
};

export const notFound: RequestHandler = (request) => {
  throw new CestaError('http.not-found', `${request.method} ${request.path}: nothing is served here`);
};

export function answerErrors(logger: Logger, meter: Meter): ErrorRequestHandler {
  // Express knows an error handler by its four parameters.
  return (thrown: unknown, request, response, _next) => {
    const error = isBadUrl(thrown) ? new CestaError('http.not-found', 'url: expected valid percent encoding', { cause: thrown }) : toCestaError(thrown);
    const requestId: unknown = response.locals['requestId'];
    meter.refused('http', error.code);
    if (error.status >= 500) logger.error({ err: thrown, requestId, method: request.method, path: request.path }, 'request failed');
    if (response.headersSent) return void response.destroy();
    // Whoever sends a body that nothing reads is cut off after the answer.
    if (request.method !== 'GET' && request.method !== 'HEAD') response.set('Connection', 'close');
    response.set('Cache-Control', 'no-store').status(error.status).json({ error: { ...errorBody(error), message: publicMessage(error) } });
  };
}

function isBadUrl(thrown: unknown): boolean {
  return thrown instanceof URIError;
}
