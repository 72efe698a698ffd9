import { afterEach, expect, it, vi } from 'vitest';
import { observeTraffic, type Traffic } from '../../../scripts/demo/shop/page/observe.ts';

afterEach(() => vi.unstubAllGlobals());

it('a choice and its withdrawal are in the account of the page once each, by method, and not among documents', async () => {
  let loaded = (_entries: readonly object[]): void => undefined;
  const Observer = function (hear: (list: { getEntries(): readonly object[] }) => void) {
    loaded = (entries) => hear({ getEntries: () => entries });
    return { observe: () => undefined };
  };
  const fetch = vi.fn(() => Promise.resolve(new Response()));
  vi.stubGlobal('location', new URL('http://shop.invalid/'));
  vi.stubGlobal('performance', { getEntriesByType: () => [] });
  vi.stubGlobal('PerformanceObserver', Observer);
  vi.stubGlobal('WebSocket', class { send(): void { /* Never opened here. */ } });
  vi.stubGlobal('fetch', fetch);
  const told: Traffic[] = [];
  observeTraffic((traffic) => void told.push(traffic));

  await globalThis.fetch('/shop/v1/consents', { method: 'POST', body: '{"degree":2}' });
  await globalThis.fetch(new Request('http://shop.invalid/shop/v1/consents/1', { method: 'DELETE' }));
  await globalThis.fetch('/cesta/v1/catalogue');
  loaded(['/shop/v1/consents', '/shop/v1/consents/1', '/cesta/v1/catalogue'].map((path) => ({ name: `http://shop.invalid${path}`, transferSize: 400, encodedBodySize: 100 })));
  expect(fetch).toHaveBeenCalledTimes(3);
  expect(told).toEqual([
    { kind: 'request', method: 'POST', path: '/shop/v1/consents', bytes: 12 },
    { kind: 'request', method: 'DELETE', path: '/shop/v1/consents/1', bytes: 0 },
    { kind: 'download', path: '/cesta/v1/catalogue', bytes: 100 },
  ]);
});

it('an address that is no encoding of anything is that of no product', async () => {
  vi.stubGlobal('location', new URL('http://shop.invalid/product/%E0%A4'));
  const { route } = await import('../../../scripts/demo/shop/page/router.ts');
  expect(route.value).toEqual({ kind: 'product', id: '%E0%A4' });
});
