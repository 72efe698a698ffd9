/** A storefront API on a free port of this machine, its folder, its log, and requests as a page and as a backend make them. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll } from 'vitest';
import { startStorefrontApi, type StorefrontApi, type StorefrontApiOptions } from '../../../../client/shop/storefront-api/storefront-api.ts';
import { serve, type Served } from '../../storefront/served.ts';

export const about = {
  controller: { name: 'Corner Shop', contact: 'privacy@shop.example', url: 'https://shop.example' },
  notices: [
    { version: 'v1', url: 'https://shop.example/privacy/v1', sha256: '11'.repeat(32) },
    { version: 'v2', url: 'https://shop.example/privacy/v2', sha256: '22'.repeat(32) },
  ],
  updated: '2026-01-01',
  processors: [{ name: 'Hosting Ltd', purpose: 'runs the server', location: 'Poland' }],
};

/** Releases as a coordinator serves them, without one. */
export function fakeCoordinator(served: Served = serve()): Pick<StorefrontApiOptions, 'coordinator' | 'fetch'> {
  return { coordinator: new URL('http://localhost/cesta/'), fetch: (url, init) => served.fetch(url.replace('http://localhost', ''), init) };
}

export const principal = 'ab'.repeat(16);

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** JSON. */
  readonly body: Record<string, unknown>;
}

export interface Rig {
  readonly api: StorefrontApi;
  readonly stateDir: string;
  /** Of this shop. */
  readonly folder: string;
  /** Of the backend. */
  readonly token: string;
  /** Every line that was logged, down to debug. */
  readonly log: string[];
  readonly ask: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;
  /** As the shop's own backend. */
  readonly backend: (method: string, path: string, body?: unknown) => Promise<Answer>;
  /** Agrees to a degree; resolves to the record's id and the secret. */
  readonly agree: (degree: number, changes?: Record<string, unknown>) => Promise<{ id: string; secret: string; bearer: Record<string, string> }>;
  /** All bytes of all files of the folder. */
  readonly disk: () => Buffer;
}

/** Folders and servers of one test file, removed at its end. */
export function rigs(): (changes?: Partial<StorefrontApiOptions>) => Promise<Rig> {
  const root = mkdtempSync(join(tmpdir(), 'cesta-storefront-'));
  const open = new Set<StorefrontApi>();
  let folders = 0;
  afterAll(async () => {
    await Promise.all([...open].map((api) => api.close().catch(() => undefined)));
    rmSync(root, { recursive: true });
  });
  return async (changes = {}) => {
    const log: string[] = [];
    const stateDir = changes.stateDir ?? join(root, String((folders += 1)));
    const logger = pino({ level: 'debug' }, { write: (line: string) => void log.push(line) });
    const api = await startStorefrontApi({ shop: 'corner-shop', stateDir, logger, about, ...fakeCoordinator(), ...changes });
    open.add(api);
    await api.ready.catch(() => undefined);
    const folder = join(stateDir, 'corner-shop');
    const token = readFileSync(join(folder, 'storefront.token'), 'utf8').trim();
    const ask: Rig['ask'] = async (method, path, body, headers = {}) => {
      const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
      const response = await fetch(`${api.url}${path}`, { method, ...sent, headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers } });
      const text = await response.text();
      return { status: response.status, headers: response.headers, body: text === '' ? {} : (JSON.parse(text) as Answer['body']) };
    };
    return {
      api, stateDir, folder, token, log, ask,
      backend: (method, path, body) => ask(method, path, body, { Authorization: `Bearer ${token}` }),
      async agree(degree, extra = {}) {
        const { status, body } = await ask('POST', '/v1/consents', { principal, degree, notice: 'v2', ...extra }, 'shopper_id' in extra ? { Authorization: `Bearer ${token}` } : {});
        if (status !== 201) throw new Error(`POST /v1/consents: expected 201, got ${status} ${JSON.stringify(body)}`);
        const { receipt, secret } = body as { receipt: { record: { record_id: string } }; secret: string };
        return { id: receipt.record.record_id, secret, bearer: { Authorization: `Bearer ${secret}` } };
      },
      disk: () => Buffer.concat(readdirSync(folder).map((file) => readFileSync(join(folder, file)))),
    };
  };
}

/** Code of the error that was answered. */
export function codeIn({ body }: Answer): unknown {
  return (body['error'] as { code?: unknown } | undefined)?.code;
}
