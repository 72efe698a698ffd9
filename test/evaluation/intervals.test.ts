import { describe, expect, it } from 'vitest';
import { bootstrapInterval, pairedBootstrapInterval } from '../../shared/evaluation/intervals.ts';
import { seededRandom } from '../../shared/numerics/random.ts';

const values = (count: number, seed: number): Float64Array => {
  const random = seededRandom(seed, 'values');
  return Float64Array.from({ length: count }, () => random.nextFloat());
};

describe('bootstrap intervals', () => {
  it('span 2 x 1.96 standard errors of the mean of many values', () => {
    const { low, high } = bootstrapInterval(values(2000, 1));
    const standardError = Math.sqrt(1 / 12 / 2000);
    // 1,000 resamples put each end within about 10 % of the standard error.
    expect((high - low) / (2 * 1.96 * standardError)).toBeGreaterThan(0.85);
    expect((high - low) / (2 * 1.96 * standardError)).toBeLessThan(1.15);
  });

  it('hold the true mean in about 95 of 100 samples', () => {
    let held = 0;
    for (let sample = 0; sample < 200; sample += 1) {
      const { low, high } = bootstrapInterval(values(100, sample), { resamples: 400, seed: sample });
      if (low <= 0.5 && 0.5 <= high) held += 1;
    }
    // Binomial(200, .95): 190 with standard deviation 3.1; percentile intervals fall a little short.
    expect(held).toBeGreaterThan(175);
    expect(held).toBeLessThan(200);
  });

  it('are the same for the same seed, a point without spread, and zero without values', () => {
    expect(bootstrapInterval(values(50, 1))).toEqual(bootstrapInterval(values(50, 1)));
    expect(bootstrapInterval(values(50, 1))).not.toEqual(bootstrapInterval(values(50, 1), { seed: 2 }));
    expect(bootstrapInterval(new Float64Array(9).fill(0.25))).toEqual({ low: 0.25, high: 0.25 });
    expect(bootstrapInterval(new Float64Array())).toEqual({ low: 0, high: 0 });
  });

  it('of a paired difference are as narrow as the difference, not as the values', () => {
    const first = values(300, 1);
    const second = first.map((value) => value - 0.01);
    const { difference, low, high } = pairedBootstrapInterval(first, second);
    for (const value of [difference, low, high]) expect(value).toBeCloseTo(0.01, 12);
    expect(() => pairedBootstrapInterval(first, second.subarray(1))).toThrow(/expected 300 shoppers, got 299/);
  });
});
