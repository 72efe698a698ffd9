/** The operator's side of a coordinator: logs in, and calls what is below `/v1/admin` under the session that is kept. */
import { z } from 'zod';
import { addressBelow, requestJson, type Fetch, type JsonRequest } from '../client/http.ts';
import { adminPath, sessionSchema, sessionsPath } from '../server/http/admin-schemas.ts';
import { CestaError } from '../shared/protocol/errors.ts';
import { requireSecureAddress } from '../shared/protocol/transport.ts';
import { addressKey, type KeptSession, type SessionsFile } from './sessions-file.ts';

export interface AdminClient {
  readonly coordinator: URL;
  /** @param path below `/v1/admin` @throws CestaError the coordinator's refusal, or `network.unreachable` */
  call<T>(method: JsonRequest['method'], path: string, schema: z.ZodType<T>, body?: unknown): Promise<T>;
}

export interface AdminTarget {
  /** By default the only one that is logged in to. */
  readonly coordinator?: URL | undefined;
  readonly sessions: SessionsFile;
  readonly fetch?: Fetch;
}

/** Opens a session and keeps it. @throws CestaError `admin.unauthorised`, `limit.rate`, `transport.insecure` */
export async function logIn({ coordinator, sessions, fetch }: AdminTarget & { readonly coordinator: URL }, credentials: { token: string; code: string }): Promise<KeptSession> {
  requireSecureAddress('coordinator', coordinator);
  // Before a code is used up on a session that could not be kept.
  sessions.all();
  const kept = await ask(fetch, coordinator, sessionsPath, { method: 'POST', body: JSON.stringify(credentials) }, sessionSchema);
  sessions.keep(coordinator, kept);
  return kept;
}

/** @throws CestaError `usage.invalid` when it is not clear which coordinator is meant, `admin.unauthorised` without a session */
export function openAdminClient({ coordinator: named, sessions, fetch }: AdminTarget): AdminClient {
  const all = sessions.all();
  const coordinator = named ?? onlyOne([...all.keys()]);
  requireSecureAddress('coordinator', coordinator);
  const kept = all.get(addressKey(coordinator));
  if (kept === undefined) throw new CestaError('admin.unauthorised', `session: expected one of ${coordinator.href}, got none`);
  const headers = { Authorization: `Bearer ${kept.session}` };
  return {
    coordinator,
    call: (method, path, schema, body) => ask(fetch, coordinator, `${adminPath}${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }, schema),
  };
}

function onlyOne(addresses: readonly string[]): URL {
  if (addresses.length === 1) return new URL(addresses[0]);
  throw new CestaError('usage.invalid', `--coordinator: expected an address, got none${addresses.length === 0 ? ', and no session is kept' : `, and sessions of ${addresses.join(', ')}`}`);
}

async function ask<T>(fetch: Fetch = globalThis.fetch, coordinator: URL, path: string, request: JsonRequest, schema: z.ZodType<T>): Promise<T> {
  const parsed = schema.safeParse(await requestJson(fetch, addressBelow(coordinator, path.slice(1)), request));
  if (!parsed.success) throw new CestaError('protocol.malformed', `answer: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}
