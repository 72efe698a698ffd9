import { describe, expect, it } from 'vitest';
import { combinedNoiseStd } from '../../../shared/federation/robust/combined-noise.ts';
import { combineRows } from '../../../shared/federation/robust/combine-rows.ts';
import { robustRules, type RobustRule } from '../../../shared/federation/robust/rule.ts';
import { seededRandom, uniform53 } from '../../../shared/numerics/random.ts';

describe('the noise in a combined row', () => {
  it('is none where the rows have none', () => {
    expect(combinedNoiseStd({ kind: 'median' }, [0, 0, 0])).toBe(0);
  });

  it('is that of the weighted rows', () => {
    expect(combinedNoiseStd({ kind: 'weights', weights: Float64Array.of(0.6, 0.4, 0) }, [5, 10, 100])).toBe(5);
  });

  it('has pi / 2 times the variance of the mean after a median', () => {
    expect(combinedNoiseStd({ kind: 'median' }, new Array<number>(100).fill(3)) ** 2).toBeCloseTo((Math.PI / 2) * (9 / 100), 12);
  });

  it('goes from the mean\'s to the median\'s the more is trimmed', () => {
    const stdOf = (cut: number): number => combinedNoiseStd({ kind: 'trimmed', cut }, new Array<number>(1001).fill(1)) * Math.sqrt(1001);
    // A tenth at each end: variance 1.0604 in tables of the trimmed mean (efficiency .943).
    expect(stdOf(100) ** 2).toBeCloseTo(1.0604, 3);
    expect(stdOf(1)).toBeLessThan(1.003);
    expect(stdOf(500) ** 2).toBeCloseTo(Math.PI / 2, 2);
  });

  it('is what is found in rows of noise, of shops of different sizes', () => {
    const stds = Array.from({ length: 41 }, (_, i) => 1 + (i % 5) / 2);
    const coordinates = 4000;
    const random = seededRandom(1);
    const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform53(random))) * Math.cos(2 * Math.PI * uniform53(random));
    const rows = stds.map((std) => Float64Array.from({ length: coordinates }, () => std * normal()));
    const ratioOf = (rule: RobustRule): number => {
      const { mean, combination } = combineRows({ rule, byzantine: 4 }, rows);
      return mean.reduce((sum, value) => sum + value * value, 0) / coordinates / combinedNoiseStd(combination, stds) ** 2;
    };
    // 4,000 squares have a relative standard error of 2.2 %; the formulas are for many rows, and these are 41.
    for (const rule of robustRules) expect(Math.abs(ratioOf(rule) - 1), rule).toBeLessThan(0.12);
  });
});
