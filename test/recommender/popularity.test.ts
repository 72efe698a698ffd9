import { describe, expect, it } from 'vitest';
import { trainCentrally } from '../evaluation/central-training.ts';
import { createPopularity, mostPopular } from '../../shared/recommender/popularity.ts';
import { contributionOf, entriesOf, scoresOf, teaCatalogue, visits } from './fixtures.ts';

const model = createPopularity(teaCatalogue(4));

describe('popularity', () => {
  it('spreads one shopper over its distinct items with norm 1', () => {
    expect(entriesOf(contributionOf(model, visits([3, 0], [1, 3], [2])))).toEqual([[0, 0.5], [1, 0.5], [2, 0.5], [3, 0.5]]);
  });

  it('ranks by the sum, the same for everybody, and gives no personal reason', () => {
    const params = trainCentrally(model, [visits([1]), visits([0, 1, 2, 3]), visits([1]), visits([2])]);
    expect(scoresOf(model, params, visits([0]), 4)).toEqual([0.5, 2.5, 1.5, 0.5]);
    expect(model.explain(params, visits([0]), 1, 5)).toEqual([]);
  });

  it('names the most popular items, equal ones by lower index', () => {
    expect(mostPopular(Float32Array.of(1, 3, 3, 2), 3)).toEqual([1, 2, 3]);
  });

  it('weighs two noisy rounds by their precision', () => {
    const first = model.update(model.initial(), { sum: Float64Array.of(10, 0, 0, 0), shoppers: 10, noiseStd: 1 });
    const second = model.update(first, { sum: Float64Array.of(20, 0, 0, 0), shoppers: 10, noiseStd: 2 });
    // Precisions 1 and 1/4: (10 + 20 / 4) / (1 + 1/4) = 12, noise 1 / sqrt(5/4).
    expect(second.popularity[0]).toBeCloseTo(12, 5);
    expect(second.noiseStd).toBeCloseTo(Math.sqrt(0.8), 12);
  });
});
