import { describe, expect, it } from 'vitest';
import { compareRuns, doSeedsAgree, holmAdjusted, overSeeds, randomisationTest, shopperMeans, studentQuantile } from '../../shared/evaluation/significance.ts';
import { seededRandom } from '../../shared/numerics/random.ts';
import { incompleteBeta } from '../../shared/numerics/special.ts';

const values = (count: number, seed: number, shift = 0): Float64Array => {
  const random = seededRandom(seed, 'values');
  return Float64Array.from({ length: count }, () => random.nextFloat() + shift);
};

describe('the paired randomisation test', () => {
  it('finds about as many differences where there are none as its level says', () => {
    const samples = 400;
    const ps = Array.from({ length: samples }, (_, sample) => randomisationTest(values(30, 2 * sample), values(30, 2 * sample + 1), { permutations: 199, seed: sample }));
    // With 199 permutations p <= .05 and p <= .5 have exactly these probabilities; four standard deviations of Binomial(400, p).
    for (const level of [0.05, 0.5]) {
      const found = ps.filter((p) => p <= level).length;
      expect(Math.abs(found - samples * level)).toBeLessThan(4 * Math.sqrt(samples * level * (1 - level)));
    }
  });

  it('equals the exact test of few shoppers', () => {
    // Of the 8 assignments of signs to 1, 2, 3 those to all alike reach 6: p = 2 / 8.
    const p = randomisationTest(Float64Array.of(1, 2, 3), new Float64Array(3), { permutations: 20_000 });
    expect(Math.abs(p - 0.25)).toBeLessThan(4 * Math.sqrt((0.25 * 0.75) / 20_000));
  });

  it('finds a clear difference, of either sign, and never says p = 0', () => {
    const [a, b] = [values(200, 1), values(200, 2, 0.3)];
    const p = randomisationTest(a, b, { permutations: 999 });
    expect(p).toBeLessThan(1e-6);
    expect(randomisationTest(b, a, { permutations: 999 })).toBe(p);
    expect(randomisationTest(new Float64Array(5_000).fill(1), new Float64Array(5_000), { permutations: 99 })).toBeGreaterThan(0);
  });

  it('says less than its permutations can count where all assignments would, and not less than these', () => {
    // All signs alike: 2 of 2^24 assignments reach it.
    const p = randomisationTest(new Float64Array(24).fill(1), new Float64Array(24), { permutations: 999 });
    expect(p).toBeGreaterThan(2 ** -23);
    expect(p).toBeLessThan(100 * 2 ** -23);
    // Of 2^12 - 1 permutations none need reach what 2 of 2^12 do: the bound is larger than what they count, and stays out of it.
    const few = randomisationTest(new Float64Array(12).fill(1), new Float64Array(12), { permutations: 99 });
    expect(few).toBeGreaterThan(2 ** -11);
    expect(few).toBeLessThanOrEqual(0.01);
  });

  it('lets a clear difference stand among hundreds of comparisons', () => {
    const clear = randomisationTest(values(200, 1), values(200, 2, 0.2));
    expect(holmAdjusted([clear, ...new Array<number>(999).fill(0.5)])[0]).toBeLessThan(0.01);
  });

  it('says 1 where nobody differs, or everything that differs cancels out', () => {
    expect(randomisationTest(values(50, 1), values(50, 1))).toBe(1);
    expect(randomisationTest(Float64Array.of(0.1, 0), Float64Array.of(0, 0.1))).toBe(1);
    expect(randomisationTest(new Float64Array(), new Float64Array())).toBe(1);
  });

  it('is the same for the same seed', () => {
    const p = (seed: number): number => randomisationTest(values(40, 1), values(40, 2), { permutations: 499, seed });
    expect(p(1)).toBe(p(1));
    expect(new Set([1, 2, 3, 4].map(p)).size).toBeGreaterThan(1);
  });
});

describe('a comparison of runs', () => {
  it('averages each shopper over the seeds of each side before it pairs them', () => {
    const { difference, low, high } = compareRuns([Float64Array.of(0.2, 0.4), Float64Array.of(0.4, 0.6)], [Float64Array.of(0.1, 0.3)]);
    for (const value of [difference, low, high]) expect(value).toBeCloseTo(0.2, 12);
    expect([...shopperMeans([Float64Array.of(1, 2), Float64Array.of(3, 6)])]).toEqual([2, 4]);
  });

  it('does not take noise that all shoppers share for more than its seeds say', () => {
    // Hundreds of shoppers gain the same by the noise of one seed, and lose by that of the other.
    const reference = values(300, 1);
    const shifted = (shift: number): Float64Array => reference.map((value) => value + shift);
    const lucky = compareRuns([shifted(0.05), shifted(-0.03)], [reference]);
    expect(lucky.p).toBeLessThan(0.0001);
    expect(lucky.overSeeds?.low).toBeCloseTo(0.01 - studentQuantile(0.975, 1) * 0.04, 9);
    expect([doSeedsAgree(lucky), doSeedsAgree(compareRuns([shifted(0.05), shifted(0.051)], [reference]))]).toEqual([false, true]);
    // Pairs of seeds share what the seed draws: here nothing is left of it.
    expect(compareRuns([shifted(0.06), shifted(-0.02)], [shifted(0.05), shifted(-0.03)]).overSeeds?.low).toBeCloseTo(0.01, 9);
    expect(compareRuns([reference], [shifted(1)]).overSeeds).toBeNull();
  });

  it('refuses runs of different test shoppers', () => {
    expect(() => compareRuns([new Float64Array(3)], [new Float64Array(2)])).toThrow(/expected 3 shoppers, got 2/);
    expect(() => shopperMeans([new Float64Array(3), new Float64Array(4)])).toThrow(/expected 3 shoppers, got 4/);
  });
});

describe('the adjustment of Holm', () => {
  it('multiplies the smallest p by their number, the next by one less, and never falls', () => {
    // Sorted .005, .01, .03, .04 by 4, 3, 2, 1: .02, .03, .06, .04, and the last is raised to the one before.
    expect(holmAdjusted([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02].map((p) => expect.closeTo(p, 12) as number));
    expect(holmAdjusted([0.6, 0.7])).toEqual([1, 1]);
    expect(holmAdjusted([0.03])).toEqual([0.03]);
    expect(holmAdjusted([])).toEqual([]);
  });
});

describe('intervals over seeds', () => {
  it('use the published quantiles of Student\'s t', () => {
    // NIST/SEMATECH e-Handbook of Statistical Methods, table 1.3.6.7.2, three decimals.
    const table: [probability: number, degrees: number, quantile: number][] = [[0.975, 1, 12.706], [0.975, 2, 4.303], [0.975, 4, 2.776], [0.975, 9, 2.262], [0.975, 30, 2.042], [0.95, 5, 2.015], [0.995, 3, 5.841], [0.9, 10, 1.372], [0.975, 100, 1.984]];
    for (const [probability, degrees, quantile] of table) expect(studentQuantile(probability, degrees)).toBeCloseTo(quantile, 3);
    // One degree is Cauchy: tan(pi (p - 1/2)); two have a closed form.
    expect(studentQuantile(0.9, 1)).toBeCloseTo(Math.tan(Math.PI * 0.4), 9);
    expect(studentQuantile(0.9, 2)).toBeCloseTo(0.8 * Math.sqrt(2 / (4 * 0.9 * 0.1)), 9);
    expect(studentQuantile(0.5, 3)).toBe(0);
    expect(() => studentQuantile(1, 3)).toThrow(/expected 0.5..1/);
  });

  it('stand on an incomplete beta function that is right where it has a closed form', () => {
    expect(incompleteBeta(0.3, 1, 1)).toBeCloseTo(0.3, 13);
    expect(incompleteBeta(0.3, 2, 1)).toBeCloseTo(0.09, 13);
    expect(incompleteBeta(0.9, 1, 4)).toBeCloseTo(1 - 0.1 ** 4, 13);
    expect(incompleteBeta(0.25, 0.5, 0.5)).toBeCloseTo((2 / Math.PI) * Math.asin(0.5), 13);
    expect([incompleteBeta(0, 2, 3), incompleteBeta(1, 2, 3)]).toEqual([0, 1]);
  });

  it('are mean and t times the standard error, and nothing for one seed', () => {
    const { mean, sd, interval } = overSeeds([1, 2, 3]);
    expect([mean, sd]).toEqual([2, 1]);
    expect(interval?.low).toBeCloseTo(2 - 4.302653 / Math.sqrt(3), 5);
    expect(interval?.high).toBeCloseTo(2 + 4.302653 / Math.sqrt(3), 5);
    expect(overSeeds([0.5])).toEqual({ seeds: 1, mean: 0.5, sd: null, interval: null });
  });

  it('hold the true mean in about 95 of 100 sets of five seeds', () => {
    let held = 0;
    for (let set = 0; set < 1000; set += 1) {
      const random = seededRandom(set, 'normal');
      const normal = (): number => Math.sqrt(-2 * Math.log(1 - random.nextFloat())) * Math.cos(2 * Math.PI * random.nextFloat());
      const { interval } = overSeeds(Array.from({ length: 5 }, () => 3 + 2 * normal()));
      if (interval !== null && interval.low <= 3 && 3 <= interval.high) held += 1;
    }
    // Binomial(1000, .95): 950 with standard deviation 6.9.
    expect(Math.abs(held - 950)).toBeLessThan(28);
  });
});
