import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { distinctItems, historyOf, visitCount, visitItems, visitRange, type ShopperHistory } from '../../shared/commerce/history.ts';
import { protocols, splitHistories, type Protocol } from '../../shared/evaluation/splits.ts';

const day = 86_400;
const visits = (...baskets: number[][]): ShopperHistory => historyOf(baskets.map((items, index) => ({ time: index * day, items })));
const baskets = (history: ShopperHistory): number[][] => Array.from({ length: visitCount(history) }, (_, visit) => [...visitItems(history, visit)]);
const tested = (protocol: Protocol, histories: ShopperHistory[], items = 10) => splitHistories(protocol, histories, items).tests.map(({ shopper, history, relevant }) => [shopper, baskets(history), [...relevant]]);

/** Up to twelve shoppers, up to five visits each at any time, over ten items. */
const anyHistories = fc.array(
  fc.array(fc.record({ time: fc.integer({ min: 0, max: 90 * day }), items: fc.array(fc.nat(9), { minLength: 1, maxLength: 6 }) }), { minLength: 1, maxLength: 5 }).map(historyOf),
  { minLength: 1, maxLength: 12 },
);

describe.each(protocols)('the split %s', (protocol) => {
  it('never asks for what the shopper trained on or was shown, nor for what nobody trained on', () => {
    fc.assert(fc.property(anyHistories, (histories) => {
      const { training, tests, rankable } = splitHistories(protocol, histories, 10);
      const trained = new Set(training.flatMap((history) => [...history.items]));
      expect([...rankable.keys()].filter((item) => rankable[item] === 1)).toEqual([...trained].sort((a, b) => a - b));
      for (const { shopper, history, relevant } of tests) {
        expect(relevant.length).toBeGreaterThan(0);
        expect([...relevant]).toEqual([...new Set(relevant)].sort((a, b) => a - b));
        for (const item of relevant) {
          expect(training[shopper].items).not.toContain(item);
          expect(history.items).not.toContain(item);
          expect(trained.has(item)).toBe(true);
          expect(histories[shopper].items).toContain(item);
        }
      }
    }));
  });

  it('trains and shows parts of each shopper\'s own history alone, in place', () => {
    fc.assert(fc.property(anyHistories, (histories) => {
      const { training, tests } = splitHistories(protocol, histories, 10);
      expect(training.length).toBe(histories.length);
      training.forEach((history, shopper) => {
        for (const item of history.items) expect(histories[shopper].items).toContain(item);
      });
      for (const { shopper, history } of tests) for (const item of history.items) expect(histories[shopper].items).toContain(item);
    }));
  });

  it('is the same again', () => {
    fc.assert(fc.property(anyHistories, (histories) => {
      expect(splitHistories(protocol, histories, 10)).toEqual(splitHistories(protocol, histories, 10));
    }), { numRuns: 20 });
  });
});

describe('by hand', () => {
  const histories = [visits([1], [2], [1, 3]), visits([3]), visits([2], [2]), visits([1], [9])];

  it('the last basket asks for its new items, of those with two visits', () => {
    // Shopper 2 bought nothing new; nobody trained on 9.
    expect(tested('last-basket', histories)).toEqual([[0, [[1], [2]], [3]]]);
    expect(splitHistories('last-basket', histories, 10).training.map(baskets)).toEqual([[[1], [2]], [[3]], [[2]], [[1]]]);
  });

  it('validation never sees the last visit of those with two', () => {
    const { training } = splitHistories('validation', histories, 10);
    expect(training.map(baskets)).toEqual([[[1]], [[3]], [[2]], [[1]]]);
    expect(tested('validation', histories)).toEqual([[0, [[1]], [2]]]);
  });

  it('in-basket shows half of the last basket, rounded up, and trains on it', () => {
    const shoppers = [visits([0], [1, 2, 3, 4, 5]), visits([1, 2, 3, 4, 5])];
    const { training, tests } = splitHistories('in-basket', shoppers, 10);
    const [before, shown] = baskets(training[0]);
    expect(before).toEqual([0]);
    expect(shown.length).toBe(3);
    expect(tests.map(({ shopper }) => shopper)).toEqual([0]);
    expect([...shown, ...tests[0].relevant].sort()).toEqual([1, 2, 3, 4, 5]);
  });

  it('next-month cuts everybody at one midnight, thirty days before the last visit', () => {
    const at = (time: number, items: number[]) => ({ time, items });
    const last = 100 * day + 5000;
    const shoppers = [historyOf([at(70 * day - 1, [1]), at(70 * day, [2, 3])]), historyOf([at(0, [2]), at(last, [1])]), historyOf([at(80 * day, [1])])];
    const { training, tests } = splitHistories('next-month', shoppers, 10);
    expect(training.map(baskets)).toEqual([[[1]], [[2]], []]);
    expect(tests.map(({ shopper, relevant }) => [shopper, [...relevant]])).toEqual([[0, [2]], [1, [1]]]);
  });

  it('next-month knows nothing of anybody\'s future', () => {
    fc.assert(fc.property(anyHistories, (shoppers) => {
      const latest = Math.max(...shoppers.flatMap((history) => [...history.visitTimes]));
      for (const history of splitHistories('next-month', shoppers, 10).training) for (const time of history.visitTimes) expect(time).toBeLessThanOrEqual(latest - 30 * day);
    }));
  });

  it('leave-one-out asks for the last item that was new, and shows only what came before', () => {
    expect(tested('leave-one-out', [visits([1, 2], [3, 1], [2]), visits([3], [2])])).toEqual([[0, [[1, 2]], [3]], [1, [[3]], [2]]]);
    expect(splitHistories('leave-one-out', [visits([1, 2], [1, 3], [2])], 10).training.map(baskets)).toEqual([[[1, 2], [1]]]);
  });

  it('strong generalisation trains on none of the shoppers it asks', () => {
    const shoppers = Array.from({ length: 40 }, (_, index) => visits([index % 5], [(index + 1) % 5]));
    const { training, tests } = splitHistories('strong-generalisation', shoppers, 10);
    expect(tests.length).toBe(4);
    for (const { shopper } of tests) expect(training[shopper].items.length).toBe(0);
    expect(training.filter(({ items }) => items.length > 0).length).toBe(36);
    expect(splitHistories('strong-generalisation', shoppers, 10, 2).tests.map(({ shopper }) => shopper)).not.toEqual(tests.map(({ shopper }) => shopper));
  });

  it('leaves histories as they were', () => {
    const shopper = visits([1, 2], [3, 4]);
    const before = structuredClone(shopper);
    for (const protocol of protocols) splitHistories(protocol, [shopper], 10);
    expect(shopper).toEqual(before);
    expect(distinctItems(visitRange(shopper, 0, 1)).length).toBe(2);
  });
});
