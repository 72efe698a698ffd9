import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { bulyanSelection, meanNearMedian } from '../../../shared/federation/robust/bulyan.ts';
import { combineRows, fewestRows } from '../../../shared/federation/robust/combine-rows.ts';
import { coordinateMedian } from '../../../shared/federation/robust/coordinate-median.ts';
import { gramMatrix, squaredDistances } from '../../../shared/federation/robust/distances.ts';
import { geometricMedianWeights } from '../../../shared/federation/robust/geometric-median.ts';
import { krum, multiKrum } from '../../../shared/federation/robust/krum.ts';
import { robustRules, type RobustRule } from '../../../shared/federation/robust/rule.ts';
import { trimmedMean } from '../../../shared/federation/robust/trimmed-mean.ts';
import { seededRandom, shuffle, uniform53 } from '../../../shared/numerics/random.ts';

const rowsOf = (...rows: readonly (readonly number[])[]): Float64Array[] => rows.map((row) => Float64Array.from(row));
const distancesOf = (rows: readonly Float64Array[]): ReturnType<typeof squaredDistances> => squaredDistances(gramMatrix(rows));

describe('rules that go coordinate by coordinate', () => {
  it('take the middle number, or the mean of the two in the middle', () => {
    expect([...coordinateMedian(rowsOf([1, 9], [3, -2], [100, 4]))]).toEqual([3, 4]);
    expect([...coordinateMedian(rowsOf([1], [3], [5], [100]))]).toEqual([4]);
  });

  it('average what is left between the smallest and the largest', () => {
    expect([...trimmedMean(rowsOf([1, 0], [2, 7], [6, 5], [-50, 6], [900, 1]), 1)]).toEqual([3, 4]);
  });

  it('are not asked to cut everything away', () => {
    expect(() => trimmedMean(rowsOf([1], [2]), 1)).toThrow('rows: expected more than twice 1, got 2');
  });

  it('need rows of one length', () => {
    expect(() => coordinateMedian(rowsOf([1, 2], [3]))).toThrow('rows: expected 2 numbers in each, got 1');
    expect(() => coordinateMedian([])).toThrow('got none');
  });
});

describe('distances between rows', () => {
  it('follow from inner products, also over more than one block of coordinates', () => {
    const rows = [new Float64Array(2500).fill(1), new Float32Array(2500).fill(3), new Float64Array(2500)];
    rows[2][2499] = 5;
    expect([...gramMatrix(rows).values]).toEqual([2500, 7500, 5, 7500, 22500, 15, 5, 15, 25]);
    expect([...squaredDistances(gramMatrix(rows)).values]).toEqual([0, 10000, 2515, 10000, 0, 22495, 2515, 22495, 0]);
  });
});

/** Six honest rows, a distance of sqrt(2) from each other, and one in their middle that moves the last coordinate by .9. */
const hidden = rowsOf([1, 0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0, 0], [0, 0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0, 0.9]);

describe('Krum', () => {
  // On a line, f = 1 of 5: scores are sums over the two nearest. 0: 1 + 9; 1: 1 + 4; 3: 4 + 9; 20 and 30 far.
  const rows = rowsOf([0], [1], [3], [20], [30]);

  it('chooses the row nearest to its neighbours', () => {
    expect(krum(distancesOf(rows), 1)).toBe(1);
  });

  it('averages the n - f nearest as multi-Krum', () => {
    // 20: 100 + 289, 30: 100 + 729.
    expect(multiKrum(distancesOf(rows), 1)).toEqual([0, 1, 2, 3]);
    expect([...combineRows({ rule: 'multi-krum', byzantine: 1 }, rows).mean]).toEqual([6]);
  });

  it('takes what it chose whole, also a change of one coordinate within the spread of the others', () => {
    expect([...combineRows({ rule: 'krum', byzantine: 1 }, hidden).mean]).toEqual([0, 0, 0, 0, 0, 0, 0.9]);
  });
});

describe('Bulyan', () => {
  it('averages, of the rows that Krum chooses, the numbers nearest to the median', () => {
    // f = 1 of 7: two rows go, 50 and -40; of 0, 1, 2, 3, 9 the three nearest to 2 are left.
    const rows = rowsOf([0], [1], [2], [3], [9], [50], [-40]);
    expect(bulyanSelection(distancesOf(rows), 1)).toEqual([0, 1, 2, 3, 4]);
    expect([...combineRows({ rule: 'bulyan', byzantine: 1 }, rows).mean]).toEqual([2]);
  });

  it('leaves out the end that is farther from the median', () => {
    expect([...meanNearMedian(rowsOf([0], [8], [9], [10], [12]), 1)]).toEqual([9]);
  });

  it('does not take a change of one coordinate that Krum would have chosen', () => {
    expect(combineRows({ rule: 'bulyan', byzantine: 1 }, hidden).mean[6]).toBe(0);
  });
});

describe('the geometric median', () => {
  it('is the Fermat point of a triangle', () => {
    // Of an isosceles triangle with base 2 and height 3: on the axis, 1 / sqrt(3) above the base.
    const { mean } = combineRows({ rule: 'geometric-median', byzantine: 1 }, rowsOf([-1, 0], [1, 0], [0, 3]));
    expect(mean[0]).toBeCloseTo(0, 9);
    expect(mean[1]).toBeCloseTo(1 / Math.sqrt(3), 6);
  });

  it('is where more than half of the rows are', () => {
    const { mean } = combineRows({ rule: 'geometric-median', byzantine: 1 }, rowsOf([2, 2], [2, 2], [2, 2], [9, 0], [-100, 1e6]));
    expect(mean[0]).toBeCloseTo(2, 3);
    expect(mean[1]).toBeCloseTo(2, 3);
  });

  it('weighs rows that are all the same alike', () => {
    expect([...geometricMedianWeights(distancesOf(rowsOf([3, 4], [3, 4], [3, 4], [3, 4])))]).toEqual([0.25, 0.25, 0.25, 0.25]);
  });
});

describe('every rule', () => {
  const cases = fc.record({
    rule: fc.constantFrom(...robustRules),
    byzantine: fc.integer({ min: 1, max: 2 }),
    extra: fc.integer({ min: 0, max: 3 }),
    seed: fc.integer({ min: 0, max: 1_000_000 }),
  });
  /** The first of them far away. Chance ties no distances, which rows on a grid might have. */
  const rowsFrom = ({ rule, byzantine, extra, seed }: { rule: RobustRule; byzantine: number; extra: number; seed: number }): Float64Array[] => {
    const random = seededRandom(seed);
    return Array.from({ length: fewestRows(rule, byzantine) + extra }, (_, i) => Float64Array.from({ length: 3 }, () => (i < byzantine ? 500 : 10) * uniform53(random)));
  };
  const close = (a: Float64Array, b: Float64Array): void => a.forEach((value, i) => expect(value).toBeCloseTo(b[i], 4));

  it('does not look at the order of the rows', () => {
    fc.assert(fc.property(cases, (terms) => {
      const rows = rowsFrom(terms);
      close(combineRows(terms, shuffle([...rows], seededRandom(terms.seed, 'order'))).mean, combineRows(terms, rows).mean);
    }), { numRuns: 200 });
  });

  it('moves with the rows', () => {
    const shift = fc.double({ min: -100, max: 100, noNaN: true });
    fc.assert(fc.property(cases, fc.tuple(shift, shift, shift), (terms, by) => {
      const rows = rowsFrom(terms);
      const moved = rows.map((row) => row.map((value, i) => value + by[i]));
      close(combineRows(terms, moved).mean, combineRows(terms, rows).mean.map((value, i) => value + by[i]));
    }), { numRuns: 200 });
  });

  it('says what it needs when there are too few rows', () => {
    expect(robustRules.map((rule) => fewestRows(rule, 2))).toEqual([5, 5, 7, 7, 11, 5]);
    expect(() => combineRows({ rule: 'bulyan', byzantine: 2 }, Array.from({ length: 10 }, () => Float64Array.of(1)))).toThrow(
      expect.objectContaining({ code: 'round.failed', message: 'robust: expected at least 11 rows for bulyan against 2, got 10' }),
    );
  });
});

describe('against f spoilt rows', () => {
  const honest = (count: number): fc.Arbitrary<Float64Array[]> => fc.array(fc.tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.double({ min: -1, max: 1, noNaN: true })).map((row) => Float64Array.from(row)), { minLength: count, maxLength: count });
  const spoilt = (count: number): fc.Arbitrary<Float64Array[]> => fc.array(fc.tuple(fc.double({ min: -1e9, max: 1e9, noNaN: true }), fc.double({ min: -1e9, max: 1e9, noNaN: true })).map((row) => Float64Array.from(row)), { minLength: count, maxLength: count });
  const attacked = fc.record({ byzantine: fc.integer({ min: 1, max: 3 }), extra: fc.integer({ min: 0, max: 2 }) });

  it('median, trimmed mean and Bulyan stay between honest numbers, coordinate by coordinate', () => {
    fc.assert(fc.property(attacked.chain(({ byzantine, extra }) => fc.constantFrom('median' as const, 'trimmed-mean' as const, 'bulyan' as const).chain((rule) =>
      fc.tuple(fc.constant({ rule, byzantine }), honest(fewestRows(rule, byzantine) - byzantine + extra), spoilt(byzantine)))), ([spec, good, bad]) => {
      const { mean } = combineRows(spec, [...good, ...bad]);
      mean.forEach((value, i) => {
        // A mean of equal numbers may be off by its rounding.
        expect(value).toBeGreaterThanOrEqual(Math.min(...good.map((row) => row[i])) - 1e-12);
        expect(value).toBeLessThanOrEqual(Math.max(...good.map((row) => row[i])) + 1e-12);
      });
    }), { numRuns: 300 });
  });

  it('the others stay near the honest rows, which their mean does not', () => {
    fc.assert(fc.property(attacked.chain(({ byzantine, extra }) => fc.constantFrom('krum' as const, 'multi-krum' as const, 'geometric-median' as const).chain((rule) =>
      fc.tuple(fc.constant({ rule, byzantine }), honest(fewestRows(rule, byzantine) - byzantine + extra + (rule === 'geometric-median' ? byzantine : 0)), fc.constant(Array.from({ length: byzantine }, (_, i) => Float64Array.of(1e6, 1e6 * (i + 1))))))), ([spec, good, bad]) => {
      const { mean } = combineRows(spec, [...good, ...bad]);
      // Diameter of the honest square times 2 (1 - a) / (1 - 2 a), a at most a third: what is known of the geometric median.
      expect(Math.hypot(...mean)).toBeLessThan(4 * Math.SQRT2);
    }), { numRuns: 300 });
  });
});
