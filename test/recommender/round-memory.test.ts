import { describe, expect, it } from 'vitest';
import { combineRounds } from '../../shared/recommender/round-memory.ts';

const round = (value: number, shoppers: number, noiseStd: number) => ({ sum: Float64Array.of(value), shoppers, noiseStd });

describe('rounds of one task', () => {
  it('start with the first', () => {
    expect(combineRounds(undefined, round(3, 10, 2))).toEqual(round(3, 10, 2));
  });

  it('are replaced by a round without noise, and not held back by a noisier one', () => {
    expect(combineRounds(round(3, 10, 2), round(5, 10, 0))).toEqual(round(5, 10, 0));
    expect(combineRounds(round(3, 10, 0), round(5, 10, 1))).toEqual(round(3, 10, 0));
  });

  it('are put on the scale of the newest shoppers first', () => {
    // 3 +- 1 of 10 shoppers says 6 +- 2 of 20; halfway to 8 +- 2.
    const combined = combineRounds(round(3, 10, 1), round(8, 20, 2));
    expect(combined.sum[0]).toBeCloseTo(7, 12);
    expect(combined.shoppers).toBe(20);
    expect(combined.noiseStd).toBeCloseTo(Math.SQRT2, 12);
  });

  it('count for less with every round where the past is to be forgotten, and state the noise that is left', () => {
    // 2 +- 1, worth half of itself, beside 5 +- 1: a third of the way from 5 to 2.
    const combined = combineRounds(round(2, 10, 1), round(5, 10, 1), 0.5);
    expect(combined.sum[0]).toBeCloseTo(4, 12);
    expect(combined.noiseStd).toBeCloseTo(Math.hypot(1 / 3, 2 / 3), 12);
    expect(combineRounds(round(2, 10, 1), round(5, 10, 1), 1e-12).sum[0]).toBeCloseTo(5, 9);
    expect(combineRounds(round(2, 10, 1), round(5, 10, 1), 1)).toEqual(combineRounds(round(2, 10, 1), round(5, 10, 1)));
  });

  it('buy with a budget in four parts what one round buys', () => {
    const sigma = 1.5;
    let combined = round(1, 10, 2 * sigma);
    for (const value of [2, 3, 4]) combined = combineRounds(combined, round(value, 10, 2 * sigma)) as typeof combined;
    expect(combined.sum[0]).toBeCloseTo(2.5, 12);
    expect(combined.noiseStd).toBeCloseTo(sigma, 12);
  });
});
