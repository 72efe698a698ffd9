import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { factoriseSmall, solveFactorised } from '../../shared/numerics/small-cholesky.ts';

describe('a small ridge system', () => {
  it('is solved: the residual vanishes', () => {
    const entry = fc.double({ min: -3, max: 3, noNaN: true });
    fc.assert(fc.property(fc.integer({ min: 1, max: 6 }).chain((size) => fc.tuple(fc.constant(size), fc.array(entry, { minLength: size * size, maxLength: size * size }), fc.array(entry, { minLength: size, maxLength: size }))), ([size, root, right]) => {
      // B B^T + I is positive definite.
      const matrix = Float64Array.from({ length: size * size }, (_, at) => {
        const [row, column] = [Math.floor(at / size), at % size];
        let sum = row === column ? 1 : 0;
        for (let k = 0; k < size; k += 1) sum += root[row * size + k] * root[column * size + k];
        return sum;
      });
      const factor = matrix.slice();
      expect(factoriseSmall(size, factor)).toBe(true);
      const x = solveFactorised(size, factor, Float64Array.from(right));
      for (let row = 0; row < size; row += 1) {
        let product = 0;
        for (let k = 0; k < size; k += 1) product += matrix[row * size + k] * x[k];
        expect(product).toBeCloseTo(right[row], 8);
      }
    }));
  });

  it('is told apart from one that is not positive definite', () => {
    for (const matrix of [[1, 2, 2, 1], [0, 0, 0, 1], [1, 0, 0, NaN], [Infinity, 0, 0, 1]]) expect(factoriseSmall(2, Float64Array.from(matrix))).toBe(false);
  });
});
