import { readdirSync, readlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { gpcSchema } from '../../../../client/shop/storefront-api/document-routes.ts';
import { shopManifestSchema } from '../../../../shared/commerce/shop-manifest.ts';
import { codeOf, fakeTimers } from '../../fakes.ts';
import { about, codeIn, principal, rigs } from './rig.ts';

const open = rigs();

describe('the documents of a shop', () => {
  it('say who answers for the data, what ranks and under which promise', async () => {
    const { ask, agree } = await open({ retentionDays: 30 });
    const manifest = shopManifestSchema.parse((await ask('GET', '/.well-known/cesta.json')).body);
    expect(manifest).toMatchObject({ shop: 'corner-shop', controller: about.controller, notices: about.notices, processors: about.processors, retention_days: 30, release: { task: 'main', version: 1, model: 'item-knn', privacy: { mode: 'none', epsilon: null } } });
    expect(manifest.ranking.main_parameters.length).toBeGreaterThan(3);
    expect((await agree(2)).secret).toHaveLength(64);
    const { body } = await ask('POST', '/v1/consents', { principal, degree: 2, notice: 'v2' });
    expect((body['receipt'] as { publicKey: string }).publicKey).toBe(manifest.publicKey);
  });

  it('say that Global Privacy Control is honoured', async () => {
    const { ask } = await open();
    expect(gpcSchema.parse((await ask('GET', '/.well-known/gpc.json')).body)).toEqual({ gpc: true, lastUpdate: '2026-01-01' });
  });

  it('may not be framed, sniffed, run or kept', async () => {
    const { ask } = await open();
    const { headers } = await ask('GET', '/healthz');
    expect(headers.get('Content-Security-Policy')).toBe("default-src 'none'; frame-ancestors 'none'");
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(headers.get('Cache-Control')).toBe('no-store');
    expect(headers.get('X-Powered-By')).toBeNull();
  });

  it('include one of every route, which asks for whose it is', async () => {
    const { ask } = await open();
    const { paths } = (await ask('GET', '/v1/openapi.json')).body as { paths: Record<string, Record<string, { security?: Record<string, unknown>[] }>> };
    const answers = await Promise.all(Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(async ([method, { security }]) => {
      const answer = await ask(method.toUpperCase(), path.replace(/\{.*\}/, 'a'));
      return [path, Object.keys(security?.[0] ?? {}).join(), codeIn(answer) ?? answer.status];
    })));
    const expected = { shopper: 'consent.unknown', backend: 'shop.unauthorised' };
    expect(answers.length).toBe(20);
    for (const [path, security, answer] of answers) expect([path, answer]).toEqual([path, path === '/v1/consents' || path === '/v1/channels' ? 'http.media-type' : path === '/v1/measurements' ? 'usage.invalid' : security === 'shopper' || security === 'backend' ? expected[security] : 200]);
  });

  it('are all there is', async () => {
    const { ask } = await open();
    expect(codeIn(await ask('GET', '/v1/consents'))).toBe('http.not-found');
    expect(codeIn(await ask('GET', '/%'))).toBe('http.not-found');
  });
});

describe('a storefront API starts', () => {
  it('with what a shop says of itself, complete', async () => {
    for (const wrong of [undefined, {}, { ...about, notices: [] }, { ...about, controller: { name: '', contact: 'x', url: 'https://shop.example' } }, { ...about, extra: 1 }]) {
      expect(await codeOf(() => open({ about: wrong }))).toBe('config.invalid');
    }
  });

  it('on a port that is free, and leaves nothing open where it is not', async () => {
    const first = await open();
    const { port } = new URL(first.api.url);
    expect(await codeOf(() => open({ port: Number(port) }))).toBe('network.port-in-use');
  });

  it('for other machines only behind TLS', async () => {
    expect(await codeOf(() => open({ host: '0.0.0.0' }))).toBe('transport.insecure');
    expect(await codeOf(() => open({ host: '192.0.2.1' }))).toBe('transport.insecure');
    const behindProxy = await open({ host: '0.0.0.0', behindTlsProxy: true });
    expect((await behindProxy.ask('GET', '/healthz')).status).toBe(200);
  });

  it('again after it was closed, on the same files', async () => {
    const { api, stateDir, agree } = await open();
    const { bearer } = await agree(2);
    await api.close();
    const again = await open({ stateDir });
    expect((await again.ask('GET', '/v1/me/receipts', undefined, bearer)).status).toBe(200);
  });

  it('with limits that make sense', async () => {
    expect(await codeOf(() => open({ retentionDays: 0 }))).toBe('config.invalid');
  });
});

describe('a storefront API that cannot start', () => {
  it('leaves no file open and nothing waiting, so that the next try is the first', async () => {
    const timers = fakeTimers();
    const { api, stateDir } = await open();
    await api.close();
    const openFiles = (): number => readdirSync('/proc/self/fd').map((fd) => linkOf(`/proc/self/fd/${fd}`)).filter((path) => path.startsWith(stateDir)).length;
    expect(await codeOf(() => open({ stateDir, timers, tls: { cert: 'none', key: 'none' } }))).toBe('config.invalid');
    expect(timers.waiting).toBe(0);
    if (process.platform === 'linux') expect(openFiles()).toBe(0);
    await open({ stateDir });
    if (process.platform === 'linux') expect(openFiles()).toBeGreaterThan(0);
  });
});

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
