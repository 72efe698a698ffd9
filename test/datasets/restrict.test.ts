import { describe, expect, it } from 'vitest';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { historyOf } from '../../shared/commerce/history.ts';
import type { Dataset } from '../../shared/datasets/dataset.ts';
import { restrict } from '../../shared/datasets/restrict.ts';

const catalogue = createCatalogue(['a', 'b', 'c'].map((id) => ({ id, title: id, category: id === 'b' ? 'alcohol' : 'food' })));
const shopper = (id: string, ...visits: { time: number; items: number[] }[]) => ({ id, history: historyOf(visits), group: '', degree: 3 as const });
const dataset: Dataset = { name: 'trial', catalogue, shoppers: [shopper('s', { time: 10, items: [0, 1] }, { time: 20, items: [1] }, { time: 30, items: [2, 1] })], report: { lines: 5, used: 5, complaints: [] } };

describe('a restricted data set', () => {
  it('has no product that is not allowed, in no history', () => {
    const { dataset: left, products, visits } = restrict(dataset, { isAllowed: ({ category }) => category !== 'alcohol' });
    expect([left.catalogue.products.map(({ id }) => id), products, visits]).toEqual([['a', 'c'], 1, 1]);
    expect([[...left.shoppers[0].history.items], [...left.shoppers[0].history.visitTimes]]).toEqual([[0, 1], [10, 30]]);
  });

  it('has no visit before a time', () => {
    const { dataset: left, visits } = restrict(dataset, { since: 20 });
    expect([[...left.shoppers[0].history.visitTimes], visits, left.catalogue]).toEqual([[20, 30], 1, catalogue]);
  });
});
