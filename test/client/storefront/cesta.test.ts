import { describe, expect, it } from 'vitest';
import type { Cesta, CestaOptions } from '../../../client/storefront/api.ts';
import { createCesta } from '../../../client/storefront/cesta.ts';
import { catalogueOf } from '../../ranking/training.ts';
import { codeOf } from '../fakes.ts';
import { release, serve } from './served.ts';

async function opened(options: Partial<CestaOptions> = {}): Promise<Cesta> {
  const cesta = createCesta({ url: '/cesta', defaultDegree: 1, fetch: serve().fetch, ...options });
  await cesta.ready;
  return cesta;
}
const ids = (items: readonly { item_id: string }[]): string => items.map(({ item_id: id }) => id).join('');

describe('the storefront', () => {
  it('needs a release to rank with, and says so', async () => {
    const cesta = createCesta({ url: '/cesta', fetch: serve().fetch });
    expect(await codeOf(() => cesta.recommend({ limit: 3 }))).toBe('release.not-found');
    expect(cesta.release).toBeNull();
    await cesta.ready;
    expect(cesta.release).toMatchObject({ task: 'main', version: 1, kind: 'item-knn', sha256: release().sha256, shoppers: 4, from: 'network', privacy: { mode: 'none' } });
  });

  it('recommends what the visit speaks for, and says which item does', async () => {
    const cesta = await opened();
    cesta.track('view_item', [{ item_id: 'a' }]);
    cesta.track('add_to_cart', [{ item_id: 'd' }]);
    const shelf = cesta.recommend({ limit: 3 });
    expect(shelf.map(({ item_id: id, source }) => `${id} ${source}`)).toEqual(['b personal', 'c popular', 'e new']);
    expect(shelf[0]).toMatchObject({ title: 'Title of b', because: [{ item_id: 'a' }] });
    expect(shelf[0].score).toBeGreaterThan(0);
    expect(shelf[1].because).toEqual([]);
  });

  it('has a full shelf before anything was tracked, and calls none of it personal', async () => {
    const shelf = (await opened()).recommend({ limit: 5 });
    expect(shelf.length).toBe(5);
    expect(shelf.filter(({ source }) => source === 'personal' || source === 'similar')).toEqual([]);
  });

  it('shows what was touched again only if asked to, and never what is excluded', async () => {
    const cesta = await opened();
    cesta.track('purchase', [{ item_id: 'a' }, { item_id: 'b' }]);
    expect(ids(cesta.recommend({ limit: 5 }))).toBe('cde');
    expect(ids(cesta.recommend({ limit: 5, exclude: ['c', 'unknown'] }))).toBe('de');
    expect(ids(cesta.recommend({ limit: 5, repeat: true }))).toBe('bacde');
  });

  it('puts what goes with the item of a product page, or with a cart, first', async () => {
    const cesta = await opened();
    cesta.track('view_item', [{ item_id: 'a' }]);
    const product = cesta.recommend({ item: 'c', limit: 4 });
    expect(product.map(({ item_id: id, source }) => `${id} ${source}`)).toEqual(['b similar', 'd popular', 'e new']);
    expect(product[0].because).toMatchObject([{ item_id: 'c' }]);
    const cart = cesta.recommend({ surface: 'cart', items: ['a', 'c'], limit: 4 });
    expect(cart[0].because.map(({ item_id: id }) => id)).toEqual(['a', 'c']);
    expect(ids(cart)).toBe('bde');
  });

  it('lists similar items alone, and none for an item nobody knows', async () => {
    const cesta = await opened();
    expect(cesta.similar('b', { limit: 5 }).map(({ item_id: id, source }) => `${id} ${source}`)).toEqual(['a similar', 'c similar']);
    expect(cesta.similar('b', { limit: 1 }).length).toBe(1);
    expect(cesta.similar('d', { limit: 5 })).toEqual([]);
    expect(cesta.similar('unknown', { limit: 5 })).toEqual([]);
  });

  it('refuses requests that make no sense', async () => {
    const cesta = await opened();
    const requests = [{ limit: 0 }, { limit: Number.NaN }, { limit: 1, surface: 'home', item: 'a' }, { limit: 1, surface: 'product' }, { limit: 1, surface: 'cart' }, { limit: 1, surface: 'cart', items: ['a'], item: 'a' }, { limit: 1, surface: 'attic' }];
    for (const request of requests) expect(await codeOf(() => cesta.recommend(request as Parameters<Cesta['recommend']>[0]))).toBe('usage.invalid');
  });
});

describe('what a shopper does', () => {
  it('is remembered outside of the catalogue, too, until a release knows it', async () => {
    const served = serve();
    const cesta = await opened({ fetch: served.fetch });
    cesta.track('view_item', [{ item_id: 'novelty' }]);
    expect(cesta.recentlyViewed({ limit: 5 })).toEqual([]);
    served.catalogue = catalogueOf('a', 'b', 'c', 'd', 'e', 'novelty');
    served.release = release({ version: 2, of: served.catalogue });
    const changes: string[] = [];
    cesta.subscribe((change) => void changes.push(change));
    await cesta.refresh();
    expect(changes).toEqual(['release']);
    expect(ids(cesta.recentlyViewed({ limit: 5 }))).toBe('novelty');
  });

  it('may come before the release does', async () => {
    const cesta = createCesta({ url: '/cesta', defaultDegree: 1, fetch: serve().fetch });
    cesta.track('view_item', [{ item_id: 'a' }]);
    await cesta.ready;
    expect(cesta.recommend({ limit: 1 })[0]).toMatchObject({ item_id: 'b', source: 'personal' });
  });

  it('is taken back with an item, which is not offered again', async () => {
    const cesta = await opened();
    cesta.track('add_to_cart', [{ item_id: 'a' }]);
    cesta.track('remove_from_cart', [{ item_id: 'a' }]);
    expect(cesta.recommend({ limit: 5 }).map(({ item_id: id, source }) => `${id} ${source}`)).toEqual(['b popular', 'c popular', 'd popular', 'e new']);
  });

  it('teaches nothing where items were merely shown', async () => {
    const cesta = await opened();
    cesta.track('view_item_list', [{ item_id: 'a' }, { item_id: 'b' }]);
    cesta.track('search', []);
    expect(cesta.recommend({ limit: 5 }).map(({ source }) => source)).not.toContain('personal');
  });

  it('is refused whole where an event or an item is none', async () => {
    const cesta = await opened();
    expect(await codeOf(() => cesta.track('view_everything' as 'view_item', [{ item_id: 'a' }]))).toBe('usage.invalid');
    expect(await codeOf(() => cesta.track('toString' as 'view_item', [{ item_id: 'a' }]))).toBe('usage.invalid');
    expect(await codeOf(() => cesta.track('view_item', [{ item_id: 'a' }, { item_id: '' }]))).toBe('usage.invalid');
    expect(await codeOf(() => cesta.track('view_item', [{ item_id: 7 as unknown as string }]))).toBe('usage.invalid');
    expect(cesta.privacy.stored.events).toBe(0);
    expect(cesta.recentlyViewed({ limit: 5 })).toEqual([]);
  });

  it('stays in memory at degree 1: nothing about it is stored or sent', async () => {
    const served = serve();
    const written: string[] = [];
    const storage = { get: () => Promise.resolve(null), set: (key: string, value: Uint8Array) => Promise.resolve(void written.push(key, new TextDecoder().decode(value))) };
    const cesta = await opened({ fetch: served.fetch, storage });
    const before = [served.log.length, written.length];
    cesta.track('view_item', [{ item_id: 'very-private' }]);
    cesta.recommend({ limit: 5 });
    await cesta.refresh();
    expect(served.log.slice(before[0])).toEqual(['v1/model 304']);
    expect(written.slice(before[1]).join()).not.toContain('very-private');
  });
});

describe('an option that is none', () => {
  it('is refused at once; rules that are none refuse every shelf', async () => {
    const options = [{ url: 7 }, { publicKey: 'abc' }, { defaultDegree: 2 }, { sensitive: [''] }, { sensitive: 'wine' }, { precision: 'int4' }];
    for (const option of options) expect(await codeOf(() => createCesta({ url: '/cesta', fetch: serve().fetch, ...option } as CestaOptions))).toBe('usage.invalid');
    const cesta = createCesta({ url: '/cesta', fetch: serve().fetch, rules: { pins: ['a'] } as CestaOptions['rules'] & object });
    expect(await codeOf(() => cesta.ready)).toBe('usage.invalid');
    expect(cesta.lastError?.message).toContain('pins');
  });
});
