import { describe, expect, it } from 'vitest';
import { createCatalogue } from '../../../shared/commerce/catalogue.ts';
import { createGraph, neighbourMeans } from '../../../shared/recommender/neighbours/item-graph.ts';
import { publicPart, usualPriceGap } from '../../../shared/recommender/neighbours/public-part.ts';
import { trendFactors } from '../../../shared/recommender/neighbours/trend.ts';
import { aggregate, giftShop } from './fixtures.ts';

const titled = (prices: readonly (number | undefined)[]) => createCatalogue(prices.map((price, index) => ({
  id: `p${index}`,
  title: index === 3 ? 'garden gnome' : 'red tea cup',
  ...(price === undefined ? {} : { price }),
})));

describe('the public part', () => {
  it('prefers, of equally similar titles, those at a like price', () => {
    const { lower, higher } = publicPart(titled([1, 100, 1, 5]), 1, []);
    expect([...lower].map((low, pair) => [low, higher[pair]])).toEqual([[0, 1], [0, 2]]);
  });

  it('measures prices by the logarithm of their ratio, five pennies added', () => {
    const { priceGaps, lower, higher } = publicPart(titled([0, 0.95, 0, 5]), 20, []);
    const gapOf = (low: number, high: number): number => priceGaps[lower.findIndex((item, pair) => item === low && higher[pair] === high)];
    expect(gapOf(0, 1)).toBeCloseTo(Math.log(20), 12);
    expect(gapOf(0, 2)).toBe(0);
  });

  it('takes the usual gap where a price is unknown', () => {
    expect([...publicPart(titled([undefined, 2, undefined, 5]), 20, []).priceGaps]).toEqual([usualPriceGap, usualPriceGap, usualPriceGap]);
  });

  it('links items by similarity and price to the power 1.5, in rows that sum to 1', () => {
    const { graph, pairs } = publicPart(giftShop, 3, []);
    for (let item = 0; item < pairs.items; item += 1) {
      const row = graph.weights.subarray(graph.starts[item], graph.starts[item + 1]);
      expect(row.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
    }
    const { graph: cups } = publicPart(titled([1, 100, 1, 5]), 20, []);
    const factor = (0.3 + Math.exp(-((Math.log(100.05 / 1.05) / 0.7) ** 2))) / 1.3;
    // From item 0 to items 1 and 2, which share its title.
    expect(cups.weights[0] / cups.weights[1]).toBeCloseTo(factor ** 1.5, 9);
  });

  it('knows no similarity without text', () => {
    const { pairs, graph } = publicPart(createCatalogue([{ id: 'a', title: '', price: 1 }, { id: 'b', title: '', price: 2 }]), 20, []);
    expect(pairs.partners.length).toBe(1);
    expect(pairs.similarity[0]).toBe(0);
    expect(graph.partners.length).toBe(0);
  });
});

describe('the means of neighbours', () => {
  it('are weighted, with a value of their own for lonely items', () => {
    const graph = createGraph(4, Int32Array.of(0, 0, 1), Int32Array.of(1, 2, 3), Float64Array.of(3, 1, 0));
    expect([...neighbourMeans(graph, Float64Array.of(5, 1, 9, 7), -2)]).toEqual([3, 5, 5, -2]);
  });
});

describe('the trend', () => {
  const lonely = createGraph(2, new Int32Array(0), new Int32Array(0), new Float64Array(0));

  it('is the shrunk share of recent purchases: lonely items against a direct computation', () => {
    const [period, popularity, noiseStd, countWeight] = [[8, -2], [10, 10], 2, 0.3];
    const overall = 6 / 20;
    const gain = (0.09 * 10) / (0.09 * 100 + 4 + 0.3 * 10);
    const expected = period.map((z) => 1 + overall + gain * (z - 10 * overall));
    expect([...trendFactors(lonely, aggregate(period, noiseStd), Float64Array.from(popularity), countWeight)]).toEqual(expected.map((value) => expect.closeTo(value, 12) as number));
  });

  it('follows its like where an item says little itself', () => {
    const graph = createGraph(3, Int32Array.of(0), Int32Array.of(1), Float64Array.of(1));
    const [, second, lone] = trendFactors(graph, aggregate([900, 0, 0], 5), Float64Array.of(1000, 0.1, 0.1), 0.2);
    expect(second).toBeGreaterThan(1.5);
    expect(lone).toBeCloseTo(1 + 0.8, 1);
    const [, falling] = trendFactors(graph, aggregate([-900, 0, 900], 5), Float64Array.of(1000, 0.1, 1000), 0.2);
    expect(falling).toBeLessThan(0.5);
  });

  it('stays within 0.05 and 1.95', () => {
    const factors = trendFactors(lonely, aggregate([1e9, -1e9], 0), Float64Array.of(1, 1), 0.02);
    expect([...factors]).toEqual([1.95, expect.closeTo(0.05, 12)]);
  });
});
