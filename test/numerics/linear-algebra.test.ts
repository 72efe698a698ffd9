import { describe, expect, it } from 'vitest';
import { invertPositiveDefinite, multiplySquare } from '../../shared/numerics/linear-algebra.ts';
import { seededRandom } from '../../shared/numerics/random.ts';

/** X^T X + I of a seeded random X: symmetric and positive definite. */
function positiveDefinite(n: number, seed: number): Float64Array {
  const random = seededRandom(seed, 'matrix');
  const x = Float64Array.from({ length: n * n }, () => random.nextFloat() - 0.5);
  const a = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j < n; j += 1) {
      let sum = i === j ? 1 : 0;
      for (let k = 0; k < n; k += 1) sum += x[k * n + i] * x[k * n + j];
      a[i * n + j] = sum;
    }
  }
  return a;
}

describe('the inverse of a positive-definite matrix', () => {
  // Sizes on both sides of the block size and of the tile sizes.
  for (const n of [1, 2, 3, 5, 63, 64, 65, 130, 193]) {
    it(`times the matrix is the identity for n = ${n}`, () => {
      const a = positiveDefinite(n, n);
      const inverse = invertPositiveDefinite(n, Float64Array.from(a));
      let worst = 0;
      for (let i = 0; i < n; i += 1) {
        for (let j = 0; j < n; j += 1) {
          let sum = 0;
          for (let k = 0; k < n; k += 1) sum += a[i * n + k] * inverse[k * n + j];
          worst = Math.max(worst, Math.abs(sum - (i === j ? 1 : 0)));
        }
      }
      expect(worst).toBeLessThan(1e-10);
    });
  }

  it('is known in closed form for a small matrix', () => {
    const inverse = invertPositiveDefinite(2, Float64Array.of(4, 2, 2, 3));
    [0.375, -0.25, -0.25, 0.5].forEach((value, index) => expect(inverse[index]).toBeCloseTo(value, 14));
  });

  it('is refused when the matrix is not positive definite', () => {
    expect(() => invertPositiveDefinite(2, Float64Array.of(1, 2, 2, 1))).toThrow(/expected positive definite, got pivot -3/);
    expect(() => invertPositiveDefinite(1, Float64Array.of(NaN))).toThrow(/positive definite/);
  });
});

describe('the product of square matrices', () => {
  for (const n of [1, 5, 64, 65, 130]) {
    it(`is the sum over rows times columns for n = ${n}, and leaves both alone`, () => {
      const random = seededRandom(n, 'factors');
      const [a, b] = [0, 1].map(() => Float64Array.from({ length: n * n }, () => random.nextFloat() - 0.5));
      const before = [a.slice(), b.slice()];
      const product = multiplySquare(n, a, b);
      let worst = 0;
      for (let i = 0; i < n; i += 1) {
        for (let j = 0; j < n; j += 1) {
          let sum = 0;
          for (let k = 0; k < n; k += 1) sum += a[i * n + k] * b[k * n + j];
          worst = Math.max(worst, Math.abs(sum - product[i * n + j]));
        }
      }
      expect(worst).toBeLessThan(1e-13);
      expect([a, b]).toEqual(before);
    });
  }
});
