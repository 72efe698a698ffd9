/**
 * The operator's side of the HTTP API: a session for every request, bodies that are bounded and strict, an entry in the
 * audit trail for every change. No header lets another origin in, so a page in the operator's browser can neither send
 * such a request nor read an answer; a session is presented as a header and never as a cookie.
 */
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Express, Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { z } from 'zod';
import { parseBoundedJson } from '../../shared/protocol/bounded-json.ts';
import type { ErrorCode } from '../../shared/protocol/error-table.ts';
import { CestaError, toCestaError } from '../../shared/protocol/errors.ts';
import { isLoopbackHost } from '../../shared/protocol/transport.ts';
import type { Admin } from '../admin/admin.ts';
import type { Identity } from '../identity/identity.ts';
import { addressOf } from './address.ts';
import { adminRoutes, type AdminRoute } from './admin-routes.ts';
import { adminPath, loginSchema, sessionsPath, type sessionSchema } from './admin-schemas.ts';
import { notFound, privateHeaders, requireMediaType, type HeaderPolicy } from './middleware.ts';
import { readText } from './bodies.ts';

export interface AdminContext {
  readonly admin: Admin;
  readonly identity: Pick<Identity, 'chargeAddress'>;
  readonly behindProxy: boolean;
}

const maxBodyBytes = 65_536;
const maxLoginBytes = 1_024;
const maxBodyDepth = 16;

export function addAdmin(app: Express, context: AdminContext, { logger, headers }: { readonly logger: Logger; readonly headers: HeaderPolicy }): void {
  app.use(adminPath, privateHeaders(headers), requireProtection(context.behindProxy));
  app.post(sessionsPath, (request, response) => logIn(context, logger, request, response));
  for (const route of adminRoutes) {
    app[route.method](route.path.replaceAll(/\{(\w+)\}/g, ':$1'), (request, response) => answer(context, route, request, response));
  }
  app.use(adminPath, notFound);
}

/** Tokens and sessions are worth what the connection hides: at start only the address is checked, here each request is. */
function requireProtection(behindProxy: boolean): RequestHandler {
  return (request, _response, next) => {
    if (request.socket instanceof TLSSocket || (behindProxy ? isForwardedTls(request) : isLoopbackHost(request.socket.remoteAddress ?? ''))) return next();
    throw new CestaError('transport.insecure', `admin: expected ${behindProxy ? 'X-Forwarded-Proto: https, written by the proxy that ends TLS' : 'TLS, or a request from this machine'}, got none`);
  };
}

/** The last entry is the one that our own proxy wrote. */
function isForwardedTls(request: IncomingMessage): boolean {
  const header = request.headers['x-forwarded-proto'];
  return (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',').at(-1)?.trim().toLowerCase() === 'https';
}

async function logIn({ admin, identity, behindProxy }: AdminContext, logger: Logger, request: Request, response: Response): Promise<void> {
  identity.chargeAddress('loginsPerAddress', addressOf(request, behindProxy));
  const { token, code } = parse('body', loginSchema, await readJson(request, maxLoginBytes), 'usage.invalid');
  const deed = { action: 'session.open', target: null, request: requestIdOf(response) };
  try {
    const { name, tokenHash } = await admin.operators.verify(token, code);
    const opened = await admin.trail.record({ ...deed, operator: name }, () => Promise.resolve(admin.sessions.open(name, tokenHash)));
    const body: z.input<typeof sessionSchema> = { ...opened, operator: name };
    response.json(body);
  } catch (thrown) {
    const error = toCestaError(thrown);
    const operator = error.code === 'admin.unauthorised' ? admin.operators.holderOf(token) : null;
    // After the answer, which must not take longer because the token is known.
    response.once('close', () => {
      if (operator === null) logger.warn({ requestId: deed.request, outcome: error.code }, 'login refused');
      else void admin.trail.note({ ...deed, operator }, error.code);
    });
    throw thrown;
  }
}

async function answer(context: AdminContext, route: AdminRoute, request: Request, response: Response): Promise<void> {
  const { admin } = context;
  const { session, operator } = requireSession(context, request);
  const { action } = route;
  const params = request.params as Record<string, string>;
  const query = route.query === undefined ? undefined : parse('query', route.query, request.query, 'usage.invalid');
  const body = await readBody(route, request);
  const act = (): Promise<unknown> => Promise.resolve(route.handle({ admin, params, query, body, session }));
  const deed = { operator, target: targetOf(params, body), request: requestIdOf(response) };
  response.json(action === undefined ? await act() : await admin.trail.record({ ...deed, action }, act));
}

/** @throws CestaError `admin.unauthorised`, or `limit.rate` for an address that keeps trying */
function requireSession({ admin, identity, behindProxy }: AdminContext, request: Request): { session: string; operator: string } {
  const session = /^Bearer ([0-9a-f]{64})$/.exec(request.get('Authorization') ?? '')?.[1] ?? null;
  const operator = session === null ? null : admin.sessions.use(session);
  if (session !== null && operator !== null) return { session, operator };
  identity.chargeAddress('requestsPerAddress', addressOf(request, behindProxy));
  throw new CestaError('admin.unauthorised', 'Authorization: expected Bearer and a session that is in force, got none');
}

async function readBody({ body, bodyCode = 'usage.invalid' }: AdminRoute, request: Request): Promise<unknown> {
  if (body !== undefined) return parse('body', body, await readJson(request, maxBodyBytes), bodyCode);
  if (Number(request.headers['content-length'] ?? 0) > 0 || request.headers['transfer-encoding'] !== undefined) throw new CestaError('usage.invalid', 'body: expected none, got one');
  return undefined;
}

async function readJson(request: Request, maxBytes: number): Promise<unknown> {
  requireMediaType(request, 'application/json');
  return parseBoundedJson('body', await readText(request, maxBytes), { maxLength: maxBytes, maxDepth: maxBodyDepth });
}

function parse<T>(what: string, schema: z.ZodType<T>, value: unknown, code: ErrorCode): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new CestaError(code, `${what}: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}

/** The path says what it was done to, or the name of what is made does. */
function targetOf(params: Record<string, string>, body: unknown): string | null {
  const named = z.object({ name: z.string() }).safeParse(body);
  const parts = Object.values(params);
  return parts.length > 0 ? parts.join(' ') : named.success ? named.data.name : null;
}

function requestIdOf(response: Response): string {
  return String(response.locals['requestId']);
}
