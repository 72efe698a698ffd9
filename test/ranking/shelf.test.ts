import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { historyOf } from '../../shared/commerce/history.ts';
import { createShelf } from '../../shared/ranking/shelf.ts';
import { createItemKnn } from '../../shared/recommender/item-knn.ts';
import { createPopularity } from '../../shared/recommender/popularity.ts';
import { basket, blendedModel, catalogueOf, trained } from './training.ts';

/** a and b go together, c and d do, e is bought alone but most of all, f by nobody. */
const catalogue = catalogueOf('a', 'b', 'c', 'd', 'e', 'f');
const [a, b, c, d, e, f] = [0, 1, 2, 3, 4, 5];
const baskets = [basket(a, b), basket(a, b), basket(c, d), ...Array.from({ length: 9 }, () => basket(e))];
const none = historyOf([]);

function blendedShelf(popularityWeight = 0.01) {
  const { model, params } = blendedModel(catalogue, baskets, popularityWeight);
  return createShelf(model, params, catalogue);
}
const show = (entries: readonly { item: number; source: string }[]): string[] => entries.map(({ item, source }) => `${catalogue.products[item].id} ${source}`);

describe('a shelf', () => {
  it('says of every item where it comes from, and never mixes the sources up', () => {
    expect(show(blendedShelf().rank({ history: basket(a), limit: 10 }))).toEqual(['b personal', 'e popular', 'c popular', 'd popular', 'f new']);
    expect(show(blendedShelf().rank({ history: none, limit: 10 }))).toEqual(['e popular', 'a popular', 'b popular', 'c popular', 'd popular', 'f new']);
  });

  it('names the items that speak for an item, strongest first, and none where none does', () => {
    const entries = blendedShelf().rank({ history: basket(a, c), limit: 10 });
    const reasons = Object.fromEntries(entries.map(({ item, because }) => [catalogue.products[item].id, because]));
    expect(reasons['b']).toEqual([{ item: a, weight: 1 }]);
    expect(reasons['d']).toEqual([{ item: c, weight: 1 }]);
    expect(reasons['e']).toEqual([]);
    expect(reasons['f']).toEqual([]);
  });

  it('leaves out what the shopper has and what is excluded, unless repeats are wanted', () => {
    const items = (request: object) => blendedShelf().rank({ history: basket(a, b), limit: 10, ...request }).map(({ item }) => item).sort();
    expect(items({})).toEqual([c, d, e, f]);
    expect(items({ exclude: [e] })).toEqual([c, d, f]);
    expect(items({ keepHistory: true })).toEqual([a, b, c, d, e, f]);
  });

  it('puts what goes with the context first, and only then what the history says', () => {
    const entries = blendedShelf().rank({ history: basket(a), context: [c], limit: 10 });
    expect(show(entries)).toEqual(['d similar', 'b personal', 'e popular', 'f new']);
    expect(entries[0].because).toEqual([{ item: c, weight: 1 }]);
  });

  it('finds what the context speaks for behind any number of more popular items', () => {
    const { model, params } = blendedModel(catalogue, baskets, 100);
    expect(show(createShelf(model, params, catalogue).similar([c], { limit: 3 }))).toEqual(['d similar']);
  });

  it('of similar items alone is as short as what is known, and empty for an item nobody bought', () => {
    const shelf = blendedShelf();
    expect(show(shelf.similar([a], { limit: 5 }))).toEqual(['b similar']);
    expect(shelf.similar([f], { limit: 5 })).toEqual([]);
    expect(shelf.similar([], { limit: 5 })).toEqual([]);
  });

  it('of a model without neighbours is popular, whatever the history', () => {
    const model = createPopularity(catalogue);
    const shelf = createShelf(model, trained(model, baskets), catalogue);
    expect(show(shelf.rank({ history: basket(a), limit: 3 }))).toEqual(['e popular', 'b popular', 'c popular']);
  });

  it('stands in the order of popularity where the history says nothing, wherever it is cut off', () => {
    const model = createItemKnn(catalogue, { topWeights: 'all', shrinkage: 0 });
    const shelf = createShelf(model, trained(model, baskets), catalogue);
    const whole = ['b personal', 'e popular', 'c popular', 'd popular', 'f new'];
    for (let limit = 1; limit <= 6; limit += 1) expect(show(shelf.rank({ history: basket(a), limit }))).toEqual(whole.slice(0, limit));
  });

  it('of parameters before any round claims no popularity', () => {
    const model = createItemKnn(catalogue, { topWeights: 'all', shrinkage: 0 });
    const shelf = createShelf(model, model.initial(), catalogue);
    expect(show(shelf.rank({ history: basket(a), limit: 9 }))).toEqual(['b new', 'c new', 'd new', 'e new', 'f new']);
  });

  it('has the asked length while items are left, distinct items, and sorted scores within a source', () => {
    const item = fc.integer({ min: 0, max: 5 });
    fc.assert(fc.property(fc.uniqueArray(item), fc.uniqueArray(item, { maxLength: 2 }), fc.uniqueArray(item), fc.integer({ min: 1, max: 8 }), (owned, context, exclude, limit) => {
      const entries = blendedShelf().rank({ history: basket(...owned), context, exclude, limit });
      const hidden = new Set([...owned, ...context, ...exclude]);
      expect(entries.length).toBe(Math.min(limit, 6 - hidden.size));
      expect(new Set(entries.map((entry) => entry.item)).size).toBe(entries.length);
      expect(entries.some((entry) => hidden.has(entry.item))).toBe(false);
      const rest = entries.filter(({ source }) => source !== 'similar');
      expect(entries.slice(entries.length - rest.length)).toEqual(rest);
      expect(rest.map(({ score }) => score)).toEqual(rest.map(({ score }) => score).sort((x, y) => y - x));
      for (const { source, because } of entries) expect(because.length > 0).toBe(source === 'personal' || source === 'similar');
    }));
  });
});
