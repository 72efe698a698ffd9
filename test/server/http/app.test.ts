import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { budgetSchema, errorSchema, federationSchema, roundsSchema } from '../../../server/http/schemas.ts';
import { openApiDocument } from '../../../server/http/openapi.ts';
import type { Coordinator } from '../../../server/coordinator.ts';
import { coordinatorFor, runRound } from '../support/coordinators.ts';
import { catalogue, taskInput } from '../support/fixtures.ts';

async function trained(rounds = 1): Promise<Coordinator> {
  const coordinator = await coordinatorFor({ task: taskInput({ rounds }), roundsWanted: 1 });
  await runRound(coordinator.url, ['a', 'b']);
  return coordinator;
}

async function errorOf(response: Response): Promise<string> {
  return errorSchema.parse(await response.json()).error.code;
}

describe('GET /v1/model', () => {
  it('is 404 before the first release', async () => {
    const { url } = await coordinatorFor();
    const response = await fetch(`${url}/v1/model`);
    expect(response.status).toBe(404);
    expect(await errorOf(response)).toBe('release.not-found');
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it('carries the SHA-256 of its bytes as a strong ETag', async () => {
    const { url } = await trained();
    const response = await fetch(`${url}/v1/model`);
    const bytes = new Uint8Array(await response.arrayBuffer());
    const tag = createHash('sha256').update(bytes).digest('hex');
    expect(response.headers.get('etag')).toBe(`"${tag}"`);
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    expect(response.headers.get('content-length')).toBe(String(bytes.length));
    expect(response.headers.get('cesta-version')).toBe('1');
    expect(response.headers.get('cache-control')).toBe('public, no-cache');
  });

  it('is 304 without a body for whoever has it', async () => {
    const { url } = await trained();
    const tag = (await fetch(`${url}/v1/model`)).headers.get('etag') ?? '';
    for (const header of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const response = await fetch(`${url}/v1/model`, { headers: { 'If-None-Match': header } });
      expect([header, response.status]).toEqual([header, 304]);
      expect(response.headers.get('etag')).toBe(tag);
      expect(await response.text()).toBe('');
    }
    const changed = await fetch(`${url}/v1/model`, { headers: { 'If-None-Match': '"other"' } });
    expect(changed.status).toBe(200);
  });

  it('answers HEAD with the headers alone', async () => {
    const { url } = await trained();
    const response = await fetch(`${url}/v1/model`, { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(Number(response.headers.get('content-length'))).toBeGreaterThan(100);
    expect(await response.text()).toBe('');
  });
});

describe('GET /v1/model/:version', () => {
  it('serves a release for ever under its number and its digest', async () => {
    const { url } = await trained();
    const current = await fetch(`${url}/v1/model`);
    const tag = (current.headers.get('etag') ?? '').replaceAll('"', '');
    for (const address of ['1', tag]) {
      const response = await fetch(`${url}/v1/model/${address}`);
      expect(response.headers.get('etag')).toBe(`"${tag}"`);
      expect(response.headers.get('cache-control')).toContain('immutable');
    }
  });

  it.each(['2', '0', '-1', '1.0', '1e0', 'latest', '..%2f..%2fsigning.key', '0'.repeat(64), 'x'.repeat(5_000)])('is 404 for %.70s', async (address) => {
    const { url } = await trained();
    const response = await fetch(`${url}/v1/model/${address}`);
    expect(response.status).toBe(404);
    expect(await errorOf(response)).toBe('release.not-found');
  });
});

describe('GET /v1/catalogue', () => {
  it('carries the catalogue hash as ETag, which is the digest of its bytes', async () => {
    const { url } = await coordinatorFor();
    const response = await fetch(`${url}/v1/catalogue`);
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect(response.headers.get('etag')).toBe(`"${catalogue.hash}"`);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(catalogue.hash);
    expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual(catalogue.products);
    expect((await fetch(`${url}/v1/catalogue`, { headers: { 'If-None-Match': `"${catalogue.hash}"` } })).status).toBe(304);
  });
});

describe('the public record', () => {
  it('names the federation at a well-known place', async () => {
    const coordinator = await trained();
    const federation = federationSchema.parse(await (await fetch(`${coordinator.url}/.well-known/cesta.json`)).json());
    expect(federation).toMatchObject({ protocol: 1, task: 'trial', model: 'popularity', publicKey: coordinator.publicKey, catalogueHash: catalogue.hash, version: 1, live: '/v1/rounds/live' });
  });

  it('lists rounds after a number', async () => {
    const { url } = await trained();
    const all = roundsSchema.parse(await (await fetch(`${url}/v1/rounds`)).json());
    expect(all).toMatchObject({ rounds: [{ round: 'trial-1', number: 1, state: 'done', participants: 2, failure: null, budget: 'committed' }], next: null });
    expect(await (await fetch(`${url}/v1/rounds?after=1`)).json()).toEqual({ rounds: [], next: null });
  });

  it.each(['after=-1', 'after=one', 'after=1.5', 'after=1&after=2'])('refuses ?%s', async (query) => {
    const { url } = await coordinatorFor();
    const response = await fetch(`${url}/v1/rounds?${query}`);
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toBe('usage.invalid');
  });

  it('states what was promised and spent, before and after', async () => {
    const coordinator = await coordinatorFor({ task: taskInput({ mode: 'local' }) });
    const report = async () => budgetSchema.parse(await (await fetch(`${coordinator.url}/v1/budget`)).json());
    expect(await report()).toMatchObject({ task: 'trial', mode: 'local', epsilonLimit: 3, epsilonSpent: 0, epsilonLeft: 3, roundsCharged: 0, roundsLeft: 1, delta: 1e-5 });
    await runRound(coordinator.url, ['a', 'b']);
    const spent = await report();
    expect(spent.roundsLeft).toBe(0);
    expect(spent.epsilonSpent).toBeGreaterThan(2);
    expect(spent.epsilonSpent).toBeLessThanOrEqual(3);
    expect(spent.threatModel.length).toBeGreaterThan(40);
  });

  it('describes itself, every path with a schema', async () => {
    const { url } = await coordinatorFor();
    const document = await (await fetch(`${url}/v1/openapi.json`)).json() as { paths: Record<string, object> };
    expect(document).toEqual(JSON.parse(JSON.stringify(openApiDocument())));
    const open = Object.entries(document.paths).filter(([path]) => !path.startsWith('/v1/admin/'));
    expect(open.filter(([, operations]) => 'post' in operations).map(([path]) => path)).toEqual(['/v1/log/cosignatures', '/v1/nodes']);
    for (const [path, operations] of open) {
      if (!('get' in operations)) continue;
      // Nobody measured, and what never ends is read elsewhere.
      if (path === '/v1/quality' || path === '/v1/rounds/stream') continue;
      const response = await fetch(`${url}${path.replace('{task}', 'trial').replace('{version}', '1').replace('{tile}', '0/000')}`);
      expect([path, response.status]).toEqual([path, /\/model(\/|$)/.test(path) || path.startsWith('/v1/log/tile') ? 404 : 200]);
    }
  });

  it('says that it is alive and ready', async () => {
    const { url } = await coordinatorFor();
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' });
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: 'ready', phase: 'waiting' });
  });
});

describe('every answer', () => {
  it('may be read by other origins, and by nothing else', async () => {
    const { url } = await coordinatorFor();
    for (const path of ['/healthz', '/v1/model', '/nowhere']) {
      const { headers } = await fetch(`${url}${path}`, { headers: { Origin: 'https://shop.example' } });
      expect(headers.get('access-control-allow-origin')).toBe('*');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('x-powered-by')).toBeNull();
      expect(headers.get('cesta-request')).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it('allows the conditional request of a browser', async () => {
    const { url } = await coordinatorFor();
    const response = await fetch(`${url}/v1/model`, { method: 'OPTIONS', headers: { Origin: 'https://shop.example', 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'if-none-match' } });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-headers')).toBe('If-None-Match');
    expect(response.headers.get('access-control-allow-methods')).toBe('GET, HEAD');
  });

  it.each([
    ['another path', '/v1/nowhere', {}],
    ['another method', '/v1/model', { method: 'DELETE' }],
    ['a large body', '/v1/model', { method: 'POST', body: 'x'.repeat(3_000_000) }],
    ['a plain request for the WebSocket', '/v1/rounds/live', {}],
    ['broken percent encoding', '/v1/model/%E0%A4%A', {}],
  ])('is a coded 404 for %s', async (_what, path, init) => {
    const { url } = await coordinatorFor();
    const response = await fetch(`${url}${path}`, init);
    expect(response.status).toBe(404);
    expect(await errorOf(response)).toBe('http.not-found');
  });

  it('survives bytes that are no HTTP', async () => {
    const { url } = await coordinatorFor();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write(Uint8Array.of(0, 255, 13, 10, 13, 10));
    await new Promise((resolve) => void socket.once('close', resolve).resume());
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
});

describe('a fault of the coordinator', () => {
  it('is answered without its details', async () => {
    const { createApp } = await import('../../../server/http/app.ts');
    const { systemClock } = await import('../../../server/clock.ts');
    const { listen, createHttpServer } = await import('../../../server/listen.ts');
    const { silent, taskOf } = await import('../support/fixtures.ts');
    const broken = () => Promise.reject(new Error('cannot read /secret/coordinator.db'));
    const main = { spec: taskOf(), state: 'active' as const, releases: { current: null, find: broken, form: broken, list: broken }, schedule: { phase: 'waiting' as const, over: null } };
    const app = createApp({
      tasks: { main, find: () => main, all: () => [main] }, publicKey: '0'.repeat(64), record: { checkpoint: () => '', read: broken, cosign: broken }, room: { fixed: null },
      storage: { lastRound: broken, ping: broken } as unknown as Parameters<typeof createApp>[0]['storage'],
      clock: systemClock, logger: silent,
    });
    const server = createHttpServer(app);
    const url = await listen(server, '127.0.0.1', 0);
    for (const path of ['/readyz', '/v1/budget', '/v1/model/1', '/v1/releases', '/v1/log/tile/0/000']) {
      const response = await fetch(`${url}${path}`);
      expect(response.status).toBe(500);
      const text = await response.text();
      expect(text).not.toContain('secret');
      expect(text).not.toContain('.ts');
      expect(text).toContain('internal');
    }
    server.close();
  });
});
