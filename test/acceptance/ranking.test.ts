import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { Cesta, CestaOptions, RecommendRequest, ShelfItem } from '../../client/storefront/api.ts';
import { createCesta } from '../../client/storefront/cesta.ts';
import { createCatalogue, type Catalogue } from '../../shared/commerce/catalogue.ts';
import { sealRelease } from '../../shared/federation/release.ts';
import { intraListDistance } from '../../shared/ranking/diversity.ts';
import { createLikeness } from '../../shared/ranking/item-likeness.ts';
import type { AnyFederatedModel } from '../../shared/recommender/federated-model.ts';
import { createItemKnn } from '../../shared/recommender/item-knn.ts';
import { release, serve, shopKey, type Served } from '../client/storefront/served.ts';
import { basket, trained } from '../ranking/training.ts';

const kinds = ['cup', 'lamp', 'bag', 'clock'];
/** Forty items of four categories; what is bought together is of one category, and the last four were bought by nobody. */
const catalogue: Catalogue = createCatalogue(Array.from({ length: 40 }, (_, at) => ({
  id: `item-${String(at).padStart(2, '0')}`, title: `${['red', 'blue', 'green', 'white', 'old'][at % 5]} ${kinds[at % 4]}`, category: `Home > ${kinds[at % 4]}`, price: at,
})));
const baskets = Array.from({ length: 36 }, (_, at) => basket(at, (at + 4) % 36, (at + 8) % 36)).concat(Array.from({ length: 5 }, () => basket(7, 9)));

function served(): Served {
  const knn = createItemKnn(catalogue, { topWeights: 'all', shrinkage: 0 }) as AnyFederatedModel;
  const { manifest } = release({ of: catalogue });
  return serve({ catalogue, release: sealRelease({ ...manifest, model: { kind: knn.kind, hyperParameters: knn.hyperParameters } }, knn.encode(trained(knn, baskets)), shopKey) });
}

async function opened(options: Partial<CestaOptions> = {}): Promise<Cesta> {
  const cesta = createCesta({ url: '/cesta', defaultDegree: 1, fetch: served().fetch, ...options });
  await cesta.ready;
  return cesta;
}

const ids = (shelf: readonly ShelfItem[]): string[] => shelf.map(({ item_id: id }) => id);
const view = (cesta: Cesta, ...items: string[]): void => items.forEach((id) => cesta.track('view_item', [{ item_id: id }]));

describe('capability 4: an option that does not profile', () => {
  it('capability 4: degree 0 has full shelves, the same for two different histories, and none of it personal', async () => {
    const requests: readonly RecommendRequest[] = [{ limit: 12 }, { item: 'item-03', limit: 12 }, { items: ['item-03', 'item-06'], limit: 12 }];
    const shelves = await Promise.all([['item-01', 'item-02'], ['item-17', 'item-30']].map(async (history) => {
      const cesta = await opened();
      view(cesta, ...history);
      expect(cesta.recommend({ limit: 12 }).some(({ source }) => source === 'personal')).toBe(true);
      await cesta.consent({ degree: 0 });
      view(cesta, ...history);
      return requests.map((request) => cesta.recommend(request));
    }));
    expect(shelves[0]).toEqual(shelves[1]);
    for (const shelf of shelves[0]) {
      expect(shelf).toHaveLength(12);
      expect(shelf.filter(({ source, because }) => source === 'personal' || because.length > 0)).toEqual([]);
    }
  });

  it('capability 4: such a shelf is popular, has room for what nobody bought yet, and keeps to the category of its page', async () => {
    const cesta = await opened({ defaultDegree: 0 });
    const home = cesta.recommend({ limit: 12 });
    expect(ids(home).slice(0, 2)).toEqual(['item-07', 'item-09']);
    expect(home.filter(({ source }) => source === 'new')).toHaveLength(2);
    const page = cesta.recommend({ item: 'item-03', limit: 8 }).filter(({ source }) => source !== 'new');
    expect(page.map(({ category }) => category)).toEqual(page.map(() => 'Home > clock'));
  });

  it('capability 4: a surface that is switched off has the shelf of degree 0', async () => {
    const cesta = await opened();
    view(cesta, 'item-01');
    const anybodys = (await opened({ defaultDegree: 0 })).recommend({ limit: 12 });
    expect(cesta.recommend({ limit: 12 })).not.toEqual(anybodys);
    cesta.set({ surfaces: { ...cesta.privacy.settings.surfaces, home: false } });
    expect(cesta.recommend({ limit: 12 })).toEqual(anybodys);
  });
});

describe('capability 9: what is known can be corrected', () => {
  it('capability 9: an item removed from the history is off every explanation, and one that is not wanted off every shelf, at once', async () => {
    const cesta = await opened();
    view(cesta, 'item-20', 'item-02');
    const before = cesta.recommend({ limit: 12 });
    const reasons = (shelf: readonly ShelfItem[]): Set<string> => new Set(shelf.flatMap(({ because }) => because.map(({ item_id: id }) => id)));
    expect(reasons(before)).toEqual(new Set(['item-02', 'item-20']));
    cesta.removeFromHistory('item-20');
    const after = cesta.recommend({ limit: 12 });
    expect(reasons(after)).toEqual(new Set(['item-02']));
    expect(ids(after)).not.toEqual(ids(before));
    const [first] = ids(after);
    cesta.notInterested(first);
    for (const shelf of [cesta.recommend({ limit: 30 }), cesta.trending({ limit: 30 }), cesta.similar('item-02', { limit: 30 }), cesta.recentlyViewed({ limit: 30 })]) expect(ids(shelf)).not.toContain(first);
  });
});

describe('capability 12: variety', () => {
  it('capability 12: raising diversity never lowers the distance between the items of a shelf', async () => {
    const cesta = await opened();
    const likeness = createLikeness(catalogue.products);
    const distance = (request: RecommendRequest): number => intraListDistance(ids(cesta.recommend(request)).map((id) => catalogue.indexOf.get(id) ?? -1), likeness);
    view(cesta, 'item-01', 'item-05', 'item-09');
    const degree = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(fc.property(degree, degree, fc.integer({ min: 2, max: 12 }), fc.constantFrom<Partial<RecommendRequest>>({}, { item: 'item-03' }, { rules: { maxPerCategory: 3, pin: ['item-11'] } }), (a, b, limit, request) => {
      const [low, high] = [a, b].sort((x, y) => x - y).map((diversity) => distance({ ...request, limit, diversity }));
      expect(high).toBeGreaterThanOrEqual(low - 1e-9);
    }));
    expect(distance({ limit: 8, diversity: 1 })).toBeGreaterThan(distance({ limit: 8, diversity: 0 }) + 0.05);
  });

  it('capability 12: is the shopper\'s to set, for every shelf that does not ask for another', async () => {
    const cesta = await opened();
    view(cesta, 'item-01', 'item-05', 'item-09');
    const [plain, varied] = [0, 1].map((diversity) => ids(cesta.recommend({ limit: 8, diversity })));
    expect(varied).not.toEqual(plain);
    cesta.set({ diversity: 1 });
    expect(ids(cesta.recommend({ limit: 8 }))).toEqual(varied);
    expect(ids(cesta.recommend({ limit: 8, diversity: 0 }))).toEqual(plain);
  });
});

describe('capability 13: nobody shall feel watched', () => {
  it('capability 13: an item shown three times without a click rests, and comes back', async () => {
    let time = Date.UTC(2026, 0, 1);
    const earlier = await opened({ now: () => time });
    view(earlier, 'item-02');
    const shelf = ids(earlier.recommend({ limit: 6 }));
    const [first] = shelf;
    for (let shown = 0; shown < 3; shown += 1) earlier.track('view_item_list', [{ item_id: first }]);
    // The shelf in front of its reader stays; what was shown counts on the next page.
    expect(ids(earlier.recommend({ limit: 6 }))).toEqual(shelf);
    const cesta = await opened({ now: () => time });
    await cesta.import(await earlier.export());
    expect(ids(cesta.recommend({ limit: 30 }))).not.toContain(first);
    expect(cesta.recommend({ limit: 6 })).toHaveLength(6);
    time += 7 * 86_400_000;
    expect(ids(cesta.recommend({ limit: 6 }))).toContain(first);
  });

  it('capability 13: every personal item says why, and a sensitive one is no reason, no reminder and no part of a ranking', async () => {
    const [open, discreet] = [await opened(), await opened({ sensitive: ['Home > bag'] })];
    for (const cesta of [open, discreet]) view(cesta, 'item-03', 'item-06');
    const reasons = (cesta: Cesta, request: RecommendRequest): Set<string | undefined> => new Set(cesta.recommend(request).flatMap(({ because }) => because.map(({ title }) => title)));
    for (const { source, because } of open.recommend({ limit: 12 })) expect(source !== 'personal' || because.length > 0).toBe(true);
    expect(reasons(open, { limit: 12 })).toEqual(new Set(['white clock', 'blue bag']));
    expect(reasons(discreet, { limit: 12 })).toEqual(new Set(['white clock']));
    expect(reasons(discreet, { item: 'item-06', limit: 12 })).toEqual(new Set(['white clock']));
    expect(ids(open.recentlyViewed({ limit: 5 }))).toEqual(['item-06', 'item-03']);
    expect(ids(discreet.recentlyViewed({ limit: 5 }))).toEqual(['item-03']);
    expect(ids(discreet.recommend({ limit: 40, repeat: true }))).not.toContain('item-06');
    expect([open.isSensitive('item-06'), discreet.isSensitive('item-06'), discreet.isSensitive('item-03')]).toEqual([false, true, false]);
  });
});

describe('capability 23: at once', () => {
  it('capability 23: shelves change after every event without a request', async () => {
    const coordinatorSide = served();
    const cesta = await opened({ fetch: coordinatorSide.fetch });
    const asked = coordinatorSide.log.length;
    const changes: string[] = [];
    const shelves: string[] = [];
    cesta.subscribe((change) => {
      changes.push(change);
      shelves.push(ids(cesta.recommend({ limit: 8 })).join());
    });
    view(cesta, 'item-01', 'item-12', 'item-23');
    expect(changes).toEqual(['history', 'history', 'history']);
    expect(new Set(shelves).size).toBe(3);
    expect(coordinatorSide.log).toHaveLength(asked);
  });

  it('capability 23: how long that takes at 10,000 items is measured by `cesta bench ranking`', async () => {
    const { benchShelf } = await import('../../scripts/bench/ranking.ts');
    const { items, places, p50Ms, p95Ms } = benchShelf(3);
    expect([items, places]).toEqual([10_000, 12]);
    expect(p95Ms).toBeGreaterThanOrEqual(p50Ms);
  });
});
