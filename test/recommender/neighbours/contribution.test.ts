import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { historyOf } from '../../../shared/commerce/history.ts';
import { roundSums } from '../../../shared/recommender/neighbours/contribution.ts';
import { allPairsAmong, createPairs } from '../../../shared/recommender/item-pairs.ts';
import { basket, contributionOf, daySeconds, giftShop, neighboursOf, nobody, today } from './fixtures.ts';

// Three items without text: pairs (0,1), (0,2), (1,2).
const three = neighboursOf({ ...giftShop, products: [{ id: 'a', title: '' }, { id: 'b', title: '' }, { id: 'c', title: '' }] });
const threeAsOf = neighboursOf({ ...giftShop, products: [{ id: 'a', title: '' }, { id: 'b', title: '' }, { id: 'c', title: '' }] }, { asOf: today });
const items = giftShop.products.length;

const norm = (values: Float64Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

describe('the contribution of a shopper', () => {
  it('lays out pairs, then popularity, then the period', () => {
    expect(three.statisticLength()).toBe(3 + 3);
    expect(threeAsOf.statisticLength()).toBe(3 + 3 + 3);
    const values = contributionOf(threeAsOf, basket(0, 2));
    const [popularity, period] = [Math.sqrt(0.2 / 2), Math.sqrt(0.1 / 2)];
    expect([...values]).toEqual([0, Math.sqrt(0.7), 0, popularity, 0, popularity, period, 0, period].map((value) => expect.closeTo(value, 12) as number));
  });

  it('shares the norm of the period among the others without an as-of date', () => {
    const values = contributionOf(three, basket(0, 1, 2));
    const [pair, item] = [Math.sqrt(0.75 / 3), Math.sqrt(0.25 / 3)];
    expect([...values]).toEqual([pair, pair, pair, item, item, item].map((value) => expect.closeTo(value, 12) as number));
  });

  it('counts an item as recent by its first touch, less than 90 days before the as-of date', () => {
    const history = historyOf([
      { time: today - 90 * daySeconds, items: [0] },
      { time: today - 90 * daySeconds + 1, items: [1] },
      { time: today - 1, items: [0, 2] },
    ]);
    const signs = [...contributionOf(threeAsOf, history).subarray(6)].map(Math.sign);
    expect(signs).toEqual([-1, 1, 1]);
  });

  it('has an L2 norm of at most 1 and entries within the bound, whatever the history', () => {
    const visit = fc.record({ time: fc.integer({ min: 0, max: today + daySeconds }), items: fc.array(fc.integer({ min: -2, max: items + 2 }), { maxLength: 12 }) });
    const models = [neighboursOf(giftShop), neighboursOf(giftShop, { asOf: today })];
    fc.assert(fc.property(fc.array(visit, { maxLength: 5 }), (visits) => {
      for (const model of models) {
        const values = contributionOf(model, historyOf(visits));
        expect(norm(values)).toBeLessThanOrEqual(model.normBound + 1e-12);
        expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(model.entryBound + 1e-12);
      }
    }), { numRuns: 200 });
  });

  it('reaches its norm bound with one pair, and its entry bound', () => {
    const values = contributionOf(threeAsOf, basket(0, 1));
    expect(norm(values)).toBeCloseTo(1, 12);
    expect(Math.max(...values)).toBeCloseTo(threeAsOf.entryBound, 12);
  });

  it('is nothing for an empty history, and no pair for one item', () => {
    expect([...contributionOf(threeAsOf, nobody)]).toEqual(new Array(9).fill(0));
    expect(norm(contributionOf(threeAsOf, basket(1)).subarray(0, 3))).toBe(0);
  });

  it('counts candidate pairs only', () => {
    const model = neighboursOf(giftShop, { candidatesPerItem: 1 });
    const values = contributionOf(model, basket(0, 1, 2, 3));
    const pairs = model.statisticLength() - items;
    expect(pairs).toBeLessThan(items);
    expect(values.subarray(0, pairs).filter((value) => value !== 0).length).toBeGreaterThan(0);
    expect(values.subarray(0, pairs).filter((value) => value !== 0).length).toBeLessThan(6);
  });
});

describe('the sums of a round', () => {
  it('are read block by block, in units of a squared norm of 1, with noise scaled alike', () => {
    const layout = { pairs: createPairs(2, [0], [1], [0.5]), asOf: today };
    const { pairs, popularity, period } = roundSums(layout, { sum: Float64Array.of(7, 2, 4, 1, -1), shoppers: 9, noiseStd: 3 });
    expect(pairs.sum[0]).toBeCloseTo(7 / Math.sqrt(0.7), 12);
    expect(pairs.noiseStd).toBeCloseTo(3 / Math.sqrt(0.7), 12);
    expect(popularity.sum[1]).toBeCloseTo(4 / Math.sqrt(0.2), 12);
    expect(period?.sum[1]).toBeCloseTo(-1 / Math.sqrt(0.1), 12);
    expect(period?.noiseStd).toBeCloseTo(3 / Math.sqrt(0.1), 12);
    expect(period).toMatchObject({ asOf: today, shoppers: 9 });
  });

  it('have no period without an as-of date', () => {
    expect(roundSums({ pairs: allPairsAmong(2, [0, 1]), asOf: null }, { sum: Float64Array.of(1, 1, 1), shoppers: 1, noiseStd: 0 }).period).toBeUndefined();
  });
});
