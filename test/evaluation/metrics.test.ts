import { describe, expect, it } from 'vitest';
import { average, coverage, gini, hitRate, ndcg, recall } from '../../shared/evaluation/metrics.ts';

const relevant = new Set([7, 8, 9]);

describe('ranking metrics', () => {
  it('discount gains by the logarithm of the rank, over the best reachable', () => {
    // Hits at ranks 1 and 3 of three relevant: (1 + 1/2) / (1 + 1/log2(3) + 1/2).
    expect(ndcg([7, 1, 9], relevant, 10)).toBeCloseTo(1.5 / (1.5 + 1 / Math.log2(3)), 12);
    expect(ndcg([9, 7, 8], relevant, 10)).toBe(1);
    // With a cut at 2 only two places can be won.
    expect(ndcg([7, 8], relevant, 2)).toBe(1);
    expect(ndcg([1, 2, 7], relevant, 2)).toBe(0);
  });

  it('divide recall by what the list can hold', () => {
    expect(recall([7, 1], relevant, 2)).toBe(0.5);
    expect(recall([7, 1, 2, 8], relevant, 20)).toBeCloseTo(2 / 3, 12);
  });

  it('count a hit once, and only inside the cut', () => {
    expect(hitRate([7, 8], relevant, 10)).toBe(1);
    expect(hitRate([1, 7], relevant, 1)).toBe(0);
  });

  it('are 0 for nothing relevant', () => {
    for (const metric of [ndcg, recall, hitRate]) expect(metric([1], new Set<number>(), 10)).toBe(0);
  });

  it('cover the share of rankable items that are shown', () => {
    expect(coverage(Float64Array.of(3, 0, 1, 5), Uint8Array.of(1, 1, 1, 0))).toBeCloseTo(2 / 3, 12);
    expect(coverage(new Float64Array(2), new Uint8Array(2))).toBe(0);
  });

  it('call exposure equal at 0, and all on one of n at (n - 1) / n', () => {
    expect(gini(Float64Array.of(2, 2, 2, 99), Uint8Array.of(1, 1, 1, 0))).toBeCloseTo(0, 12);
    expect(gini(Float64Array.of(0, 6, 0, 0), Uint8Array.of(1, 1, 1, 1))).toBeCloseTo(0.75, 12);
    // Half the mean absolute difference over the mean: 1, 2, 3 give (4 x 1 + 2 x 2) / 9 / 2 / 2 = 2/9.
    expect(gini(Float64Array.of(3, 1, 2), Uint8Array.of(1, 1, 1))).toBeCloseTo(2 / 9, 12);
    expect(gini(new Float64Array(3), Uint8Array.of(1, 1, 1))).toBe(0);
  });

  it('average nothing to 0', () => {
    expect(average([])).toBe(0);
    expect(average([1, 2])).toBe(1.5);
  });
});
