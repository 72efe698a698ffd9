import { describe, expect, it } from 'vitest';
import { historyOf, type ShopperHistory } from '../../shared/commerce/history.ts';
import { sumContributions, trainCentrally } from './central-training.ts';
import { evaluateModel } from '../../shared/evaluation/evaluate-model.ts';
import type { Split } from '../../shared/evaluation/splits.ts';
import { createItemKnn } from '../../shared/recommender/item-knn.ts';
import { createPopularity } from '../../shared/recommender/popularity.ts';
import { teaCatalogue } from '../recommender/fixtures.ts';

const basket = (...items: number[]): ShopperHistory => historyOf([{ time: 0, items }]);
const popularity = createPopularity(teaCatalogue(6));
const params = popularity.update(popularity.initial(), { sum: Float64Array.of(6, 5, 4, 3, 2, 1), shoppers: 6, noiseStd: 0 });

describe('evaluation', () => {
  const split: Split = {
    protocol: 'last-basket',
    training: [],
    tests: [{ shopper: 0, history: basket(0), relevant: Int32Array.of(2) }, { shopper: 1, history: basket(1, 2), relevant: Int32Array.of(0, 5) }],
    rankable: Uint8Array.of(1, 1, 1, 1, 1, 0),
  };

  it('ranks all rankable items that are not in the history', () => {
    const { perShopper, ndcg10, hr10, recall20, coverage20 } = evaluateModel(popularity, params, split);
    // Shopper 0 sees 1, 2, 3, 4; shopper 1 sees 0, 3, 4, and can never be shown 5.
    expect([...perShopper.ndcg10]).toEqual([1 / Math.log2(3), 1 / (1 + 1 / Math.log2(3))].map((value) => expect.closeTo(value, 12) as number));
    expect([...perShopper.recall20]).toEqual([1, 0.5]);
    expect([...perShopper.hr10]).toEqual([1, 1]);
    expect([ndcg10, recall20, hr10]).toEqual([(perShopper.ndcg10[0] + perShopper.ndcg10[1]) / 2, 0.75, 1]);
    expect(coverage20).toBe(1);
  });

  it('ranks against so many sampled negatives on request, which flatters', () => {
    const items = 400;
    const model = createPopularity(teaCatalogue(items));
    const trained = model.update(model.initial(), { sum: Float64Array.from({ length: items }, (_, item) => items - item), shoppers: 1, noiseStd: 0 });
    const tests = Array.from({ length: 50 }, (_, shopper) => ({ shopper, history: basket(399), relevant: Int32Array.of(100 + shopper) }));
    const large: Split = { protocol: 'leave-one-out', training: [], tests, rankable: new Uint8Array(items).fill(1) };
    expect(evaluateModel(model, trained, large).hr10).toBe(0);
    const sampled = (count: number) => evaluateModel(model, trained, large, { sampledNegatives: { count, seed: 1 } }).hr10;
    expect(sampled(99)).toBe(0);
    expect(sampled(9)).toBe(1);
    expect(sampled(40)).toBeGreaterThan(0);
    expect(sampled(40)).toBeLessThan(1);
    expect(sampled(40)).toBe(sampled(40));
  });

  it('has nothing to say without test cases', () => {
    expect(evaluateModel(popularity, params, { ...split, tests: [] })).toMatchObject({ ndcg10: 0, recall20: 0, coverage20: 0, gini20: 0 });
  });
});

describe('central training', () => {
  const knn = createItemKnn(teaCatalogue(3), { shrinkage: 0, topWeights: 'all' });

  it('sums the contributions and folds them in', () => {
    const { popularity: counts } = trainCentrally(popularity, [basket(0, 1, 2, 3), basket(1)]);
    expect([...counts]).toEqual([0.5, 1.5, 0.5, 0.5, 0, 0]);
  });

  it('scales what exceeds the clip norm down to it, and nothing else', () => {
    // Three items are six ones, of norm sqrt(6); one item is of norm 1.
    const clipped = sumContributions(knn, knn.initial(), [basket(0, 1, 2)], 1.5);
    expect(Math.hypot(...clipped)).toBeCloseTo(1.5, 12);
    expect([...sumContributions(knn, knn.initial(), [basket(1)], 1.5)]).toEqual([0, 0, 0, 1, 0, 0]);
    expect([...sumContributions(knn, knn.initial(), [basket(1)], 0)]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('hands the noise and its standard deviation on', () => {
    const seen: unknown[] = [];
    const spying = { ...popularity, update: (before: typeof params, aggregate: unknown) => (seen.push(aggregate), before) };
    trainCentrally(spying, [basket(0), basket(), basket(1)], { perturb: (sum) => (sum[5] += 7), noiseStd: 3 });
    expect(seen).toEqual([{ sum: Float64Array.of(1, 1, 0, 0, 0, 7), shoppers: 2, noiseStd: 3 }]);
  });

  it('goes on from the parameters of an earlier round', () => {
    const noisy = { noiseStd: 1 };
    const first = trainCentrally(popularity, [basket(0)], noisy);
    expect(trainCentrally(popularity, [basket(1)], { ...noisy, params: first }).popularity.slice(0, 2)).toEqual(Float32Array.of(0.5, 0.5));
  });
});
