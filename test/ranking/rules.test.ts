import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { historyOf } from '../../shared/commerce/history.ts';
import { applyRules, joinRules } from '../../shared/ranking/applied-rules.ts';
import { parseShelfRules, type ShelfRules } from '../../shared/ranking/rules.ts';
import { createShelf } from '../../shared/ranking/shelf.ts';
import { createPopularity } from '../../shared/recommender/popularity.ts';
import { codeOf } from '../client/fakes.ts';
import { basket, trained } from './training.ts';

/** a is bought most, h least; h has neither category nor price. */
const catalogue = createCatalogue([...'abcdefgh'].map((id, at) => ({ id, title: id, ...(id === 'h' ? {} : { category: at < 4 ? 'Wine > Red' : 'Tea', brand: at % 2 === 0 ? 'Even' : 'Odd', price: at }) })));
const model = createPopularity(catalogue);
const params = trained(model, [...'abcdefgh'].flatMap((_, at) => Array.from({ length: 8 - at }, () => basket(at))));
const shelf = createShelf(model, params, catalogue);
const withRules = (rules: ShelfRules, limit = 8): string => shelf.rank({ history: historyOf([]), limit, rules: applyRules(catalogue, rules) }).map(({ item }) => catalogue.products[item].id).join('');

describe('rules of a shelf', () => {
  it('say what may be on it: every condition of a filter must hold, and what a product lacks it does not meet', () => {
    expect(withRules({})).toBe('abcdefgh');
    expect(withRules({ only: { categories: ['Wine'] } })).toBe('abcd');
    expect(withRules({ only: { categories: ['Wine'], brands: ['Odd'] } })).toBe('bd');
    expect(withRules({ only: { minPrice: 2, maxPrice: 5 } })).toBe('cdef');
    expect(withRules({ never: [{ ids: ['a'] }, { brands: ['Even'] }] })).toBe('bdfh');
  });

  it('pin items in their order, but none that may not be there', () => {
    expect(withRules({ pin: ['g', 'unknown', 'c'] }, 4)).toBe('gcab');
    expect(withRules({ pin: ['g', 'c'], never: [{ ids: ['g'] }] }, 3)).toBe('cab');
    expect(withRules({ pin: ['f', 'e', 'd'] }, 2)).toBe('fe');
  });

  it('raise and lower what a score has above the lowest', () => {
    expect(withRules({ boost: [{ of: { categories: ['Tea'] }, factor: 10 }] })).toBe('efgabcdh');
    expect(withRules({ boost: [{ of: { ids: ['a'] }, factor: 0 }] }).slice(0, 3)).toBe('bcd');
  });

  it('bound a category, pinned items included, and leave items without one alone', () => {
    expect(withRules({ maxPerCategory: 2 })).toBe('abefh');
    expect(withRules({ maxPerCategory: 1, pin: ['d'] })).toBe('deh');
  });

  it('of a page and of a request hold both', () => {
    const both = joinRules(applyRules(catalogue, { only: { categories: ['Wine'] }, maxPerCategory: 3 }), applyRules(catalogue, { never: [{ ids: ['a'] }], pin: ['c'], maxPerCategory: 2 }));
    expect(shelf.rank({ history: historyOf([]), limit: 8, rules: both }).map(({ item }) => catalogue.products[item].id).join('')).toBe('cb');
  });

  it('never let on what is forbidden, nor more of a category than is allowed', () => {
    const ids = fc.subarray([...'abcdefgh']);
    fc.assert(fc.property(ids, ids, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 8 }), fc.double({ min: 0, max: 1, noNaN: true }), (never, pin, maxPerCategory, limit, diversity) => {
      const entries = shelf.rank({ history: historyOf([]), limit, diversity, rules: applyRules(catalogue, { never: [{ ids: never }], pin, maxPerCategory }) });
      const products = entries.map(({ item }) => catalogue.products[item]);
      expect(products.some(({ id }) => never.includes(id))).toBe(false);
      for (const category of ['Wine > Red', 'Tea']) expect(products.filter((product) => product.category === category).length).toBeLessThanOrEqual(maxPerCategory);
      expect(new Set(products).size).toBe(products.length);
    }));
  });

  it('are refused whole when one of them is none', async () => {
    for (const rules of [{ pins: ['a'] }, { only: { id: 'a' } }, { boost: [{ of: {}, factor: 11 }] }, { boost: [{ of: {}, factor: Number.NaN }] }, { maxPerCategory: 0 }, { never: {} }, null, 'all']) expect(await codeOf(() => parseShelfRules(rules))).toBe('usage.invalid');
    expect(parseShelfRules({ only: { minPrice: 0 } })).toEqual({ only: { minPrice: 0 } });
  });
});
