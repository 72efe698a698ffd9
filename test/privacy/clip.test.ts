import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSparseVector, type SparseVector } from '../../shared/numerics/sparse-vector.ts';
import { addClipped, clipBounds, emptySum } from '../../shared/privacy/clip.ts';
import { CestaError } from '../../shared/protocol/errors.ts';

function sparse(values: readonly number[]): SparseVector {
  const vector = createSparseVector(4);
  values.forEach((value, index) => vector.add(index, value));
  return vector;
}

function clipped(values: readonly number[], bounds: { clipNorm: number; rowCap: number; gridScale: number }): number[] {
  const sum = emptySum(values.length);
  addClipped(sum, sparse(values), bounds);
  return [...sum];
}

/** Whether sum r_j^2 <= (norm scale)^2, in exact arithmetic: a double is an integer over a power of two. */
function withinExactly(entries: readonly number[], bound: number): boolean {
  let numerator = bound;
  let shift = 0n;
  while (!Number.isInteger(numerator)) {
    numerator *= 2;
    shift += 1n;
  }
  const square = entries.reduce((sum, entry) => sum + BigInt(entry) ** 2n, 0n);
  return square << (2n * shift) <= BigInt(numerator) ** 2n;
}

const anyEntry = fc.oneof(fc.double({ noDefaultInfinity: false }), fc.double({ min: -2, max: 2, noNaN: true }), fc.constantFrom(1, -1, 0, 0.5, 1e300, 5e-324));
const anyBounds = fc.record({
  clipNorm: fc.oneof(fc.double({ min: 1e-3, max: 100, noNaN: true }), fc.constantFrom(1, 0.7, Math.SQRT2, 1 / 3, 0)),
  rowCap: fc.oneof(fc.double({ min: 1e-3, max: 100, noNaN: true }), fc.constant(Infinity)),
  gridScale: fc.integer({ min: -4, max: 24 }).map((exponent) => 2 ** exponent),
});

describe('clipping on the grid', () => {
  it('moves the sum by at most gridScale clipNorm, exactly, whatever the contribution holds', () => {
    fc.assert(fc.property(fc.array(anyEntry, { maxLength: 60 }), anyBounds, (values, bounds) => {
      expect(withinExactly(clipped(values, bounds), bounds.clipNorm * bounds.gridScale)).toBe(true);
    }), { numRuns: 2000, seed: 1 });
  });

  it('stays within the bound where every rounding error counts: equal entries at the norm', () => {
    for (let size = 1; size <= 300; size += 1) {
      const values = Array.from({ length: size }, () => 1);
      for (const clipNorm of [1, 0.7, Math.SQRT2, 1 / 3]) {
        expect(withinExactly(clipped(values, { clipNorm, rowCap: Infinity, gridScale: 2 ** 28 }), clipNorm * 2 ** 28)).toBe(true);
      }
    }
  });

  it('never reports an entry beyond the row cap', () => {
    fc.assert(fc.property(fc.array(anyEntry, { maxLength: 40 }), anyBounds, (values, bounds) => {
      for (const entry of clipped(values, bounds)) expect(Math.abs(entry)).toBeLessThanOrEqual(bounds.rowCap * bounds.gridScale);
    }), { seed: 2 });
  });

  it('changes little: each entry loses less than one grid step, apart from the clip', () => {
    fc.assert(fc.property(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 }), (values) => {
      const bounds = { clipNorm: 1, rowCap: 1, gridScale: 2 ** 16 };
      const factor = Math.min(1, 1 / Math.hypot(...values));
      clipped(values, bounds).forEach((entry, i) => expect(Math.abs(entry - values[i] * factor * bounds.gridScale)).toBeLessThan(1 + 1e-6));
    }), { seed: 3 });
  });

  it('a neighbouring data set, with one shopper more, moves the sum by at most gridScale clipNorm', () => {
    const bounds = { clipNorm: 1.3, rowCap: 0.8, gridScale: 4096 };
    fc.assert(fc.property(fc.array(fc.array(anyEntry, { minLength: 30, maxLength: 30 }), { minLength: 1, maxLength: 8 }), fc.nat(), (shoppers, pick) => {
      const sumOf = (kept: readonly (readonly number[])[]): Int32Array => {
        const sum = emptySum(30);
        for (const values of kept) addClipped(sum, sparse(values), bounds);
        return sum;
      };
      const all = sumOf(shoppers);
      const without = sumOf(shoppers.filter((_, index) => index !== pick % shoppers.length));
      expect(withinExactly([...all].map((value, i) => value - without[i]), bounds.clipNorm * bounds.gridScale)).toBe(true);
    }), { seed: 4 });
  });

  it('a contribution at the norm is unchanged, and one grid step is not lost to floating point', () => {
    expect(clipped([1], { clipNorm: 1, rowCap: 1, gridScale: 65_536 })).toEqual([65_536]);
    expect(clipped([3, -4], { clipNorm: 5, rowCap: Infinity, gridScale: 8 })).toEqual([24, -32]);
    expect(clipped([6, -8], { clipNorm: 5, rowCap: Infinity, gridScale: 8 })).toEqual([24, -32]);
  });

  it('reports whether the norm was within the clip norm', () => {
    const bounds = { clipNorm: 1, rowCap: Infinity, gridScale: 16 };
    expect(addClipped(emptySum(2), sparse([0.6, 0.8]), bounds)).toBe(true);
    expect(addClipped(emptySum(2), sparse([0.6, 0.9]), bounds)).toBe(false);
  });

  it.each([
    ['clip norm 0', { clipNorm: 0, rowCap: 1, gridScale: 16 }, [0, 0]],
    ['row cap 0', { clipNorm: 1, rowCap: 0, gridScale: 16 }, [0, 0]],
    ['clip norm Infinity', { clipNorm: Infinity, rowCap: 2, gridScale: 16 }, [32, -16]],
    ['row cap Infinity', { clipNorm: 3.1622776601683795, rowCap: Infinity, gridScale: 16 }, [48, -16]],
    ['both Infinity', { clipNorm: Infinity, rowCap: Infinity, gridScale: 2 ** 31 }, [2_147_483_647, -2_147_483_647]],
  ])('%s', (_, bounds, expected) => {
    expect(clipped([3, -1], bounds)).toEqual(expected);
  });

  it('a contribution too large to be checked adds nothing, and says nothing of its size', () => {
    const sum = emptySum(4);
    const huge = { size: 2 ** 21 + 1, indexAt: () => 0, valueAt: () => 1, add: () => undefined, clear: () => undefined };
    expect(addClipped(sum, huge, { clipNorm: 1, rowCap: 1, gridScale: 1024 })).toBe(false);
    expect([...sum]).toEqual([0, 0, 0, 0]);
  });

  it('zero contributions and entries that are not finite add nothing', () => {
    const bounds = { clipNorm: 1, rowCap: 1, gridScale: 16 };
    expect(clipped([0, 0], bounds)).toEqual([0, 0]);
    expect(clipped([NaN, Infinity, -Infinity, 0.5], bounds)).toEqual([0, 0, 0, 8]);
    expect(addClipped(emptySum(3), sparse([]), bounds)).toBe(true);
  });

  it.each([
    [{ clipNorm: -1, rowCap: 1, gridScale: 16 }, 'clipNorm: expected a number of at least 0, got -1'],
    [{ clipNorm: NaN, rowCap: 1, gridScale: 16 }, 'clipNorm'],
    [{ clipNorm: 1, rowCap: -1, gridScale: 16 }, 'rowCap'],
    [{ clipNorm: 1, rowCap: NaN, gridScale: 16 }, 'rowCap'],
    [{ clipNorm: 1, rowCap: 1, gridScale: 3 }, 'gridScale: expected a power of two'],
    [{ clipNorm: 1, rowCap: 1, gridScale: 0 }, 'gridScale'],
    [{ clipNorm: 2, rowCap: 2, gridScale: 2 ** 31 }, 'gridScale: expected min(clipNorm, rowCap) gridScale below 2^31'],
  ])('bounds %j are refused', (bounds, message) => {
    expect(() => clipBounds(bounds)).toThrow(CestaError);
    expect(() => clipped([1], bounds)).toThrow(message);
  });

  it('an index outside the sum is refused instead of dropped', () => {
    const vector = createSparseVector();
    vector.add(7, 1);
    expect(() => addClipped(emptySum(3), vector, { clipNorm: 1, rowCap: 1, gridScale: 16 })).toThrow('contribution index: expected an integer in 0..2, got 7');
  });
});
