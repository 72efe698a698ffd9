/** The operator's routes over a real port, with a storage of their own, time that is moved and a desk that is passed in. */
import { onTestFinished } from 'vitest';
import { pino } from 'pino';
import { openAdmin, type Admin } from '../../../server/admin/admin.ts';
import type { OperatorCredentials } from '../../../server/admin/credentials.ts';
import type { Presence } from '../../../server/admin/nodes.ts';
import { createApp } from '../../../server/http/app.ts';
import { openIdentity } from '../../../server/identity/identity.ts';
import type { IdentityLimits } from '../../../server/identity/limits.ts';
import { createHttpServer, listen } from '../../../server/listen.ts';
import { openLibsqlStorage } from '../../../server/storage/libsql-storage.ts';
import type { Storage } from '../../../server/storage/storage.ts';
import type { TaskDesk } from '../../../server/tasks.ts';
import { signingKey } from '../../../shared/ledger/signing-key.ts';
import { codeOf } from './codes.ts';
import { fakeClock, type FakeClock } from './fake-clock.ts';
import { taskOf } from './fixtures.ts';
import { temporaryFolder } from './folders.ts';
import { memoryDesk } from './memory-desk.ts';

export interface AdminRig {
  readonly url: string;
  readonly folder: string;
  readonly admin: Admin;
  readonly storage: Storage;
  readonly clock: FakeClock;
  readonly first: OperatorCredentials;
  /** Everything logged, as text. */
  logged(): string;
  /** A code that has not counted yet: time moves on by a step first. */
  freshCode(credentials?: OperatorCredentials): string;
  call(method: string, path: string, options?: CallOptions): Promise<AdminAnswer>;
  logIn(credentials?: OperatorCredentials): Promise<string>;
}

export interface CallOptions {
  readonly session?: string;
  /** JSON, or a text as it is. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

export interface AdminAnswer {
  readonly status: number;
  /** `ok`, or the code of the refusal. */
  readonly code: string;
  readonly text: string;
  readonly body: unknown;
  readonly headers: Headers;
}

export const rigKey = signingKey(new Uint8Array(32).fill(9));

export interface RigOptions {
  readonly desk?: TaskDesk;
  readonly presence?: Presence;
  readonly behindProxy?: boolean;
  readonly limits?: Partial<IdentityLimits>;
}

export async function openAdminRig({ desk = memoryDesk(), presence, behindProxy = false, limits = {} }: RigOptions = {}): Promise<AdminRig> {
  const clock = fakeClock();
  const folder = temporaryFolder();
  const storage = await openLibsqlStorage(folder, () => clock.date());
  const lines: string[] = [];
  const logger = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
  const identity = await openIdentity({ key: rigKey, storage, clock, logger }, { limits });
  const admin = await openAdmin({ storage, key: rigKey, clock, logger, identity, desk });
  if (presence !== undefined) admin.watch(presence);
  const nothing = (): Promise<never> => Promise.reject(new Error('not served here'));
  const main = { spec: taskOf(), state: 'active' as const, releases: { current: null, find: nothing, form: nothing, list: nothing }, schedule: { phase: 'waiting' as const, over: null } };
  const app = createApp({
    tasks: { main, find: () => null, all: () => [main] }, publicKey: rigKey.publicKey, record: { checkpoint: () => '', read: nothing, cosign: nothing }, room: { fixed: null },
    storage, clock, logger, nodes: { identity, behindProxy }, admin: { admin, identity, behindProxy },
  });
  const server = createHttpServer(app);
  const url = await listen(server, '127.0.0.1', 0);
  onTestFinished(async () => {
    await new Promise((resolve) => server.close(resolve).closeAllConnections());
    await admin.idle();
    await storage.close();
  });
  const first = await admin.operators.makeFirst();
  if (first === null) throw new Error('expected a first operator');
  const call = (method: string, path: string, options: CallOptions = {}): Promise<AdminAnswer> => send(`${url}/v1/admin${path}`, method, options);
  const freshCode = (credentials = first): string => {
    clock.advance(30_000);
    return codeOf(credentials.otpauth, clock.date().getTime());
  };
  return {
    url, folder, admin, storage, clock, first, call, freshCode,
    logged: () => lines.join(''),
    async logIn(credentials = first) {
      const { body, code } = await call('POST', '/sessions', { body: { token: credentials.token, code: freshCode(credentials) } });
      if (code !== 'ok') throw new Error(`expected a session, got ${code}`);
      return (body as { session: string }).session;
    },
  };
}

async function send(url: string, method: string, { session, body, headers = {} }: CallOptions): Promise<AdminAnswer> {
  const response = await fetch(url, {
    method,
    headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...(session === undefined ? {} : { Authorization: `Bearer ${session}` }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const parsed: unknown = JSON.parse(text === '' ? 'null' : text);
  return { status: response.status, code: response.ok ? 'ok' : (parsed as { error: { code: string } }).error.code, text, body: parsed, headers: response.headers };
}
