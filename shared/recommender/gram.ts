/**
 * The Gram statistic G = X^T X of shoppers by items: how many shoppers touched both items of each pair, with the
 * item counts on the diagonal. Layout: the upper triangle with its diagonal, row by row. A shopper with s items
 * contributes s (s + 1) / 2 ones, so the norm of a contribution grows with the history and has no public bound.
 */
import type { SparseVector } from '../numerics/sparse-vector.ts';
import { invertPositiveDefinite } from '../numerics/linear-algebra.ts';
import { CestaError } from '../protocol/errors.ts';

export function gramLength(items: number): number {
  return (items * (items + 1)) / 2;
}

/** The coordinate of (first, second), first <= second. */
export function gramIndex(items: number, first: number, second: number): number {
  return (first * (2 * items - first - 1)) / 2 + second;
}

/** @param ascending Distinct items in ascending order. */
export function contributeGram(items: number, ascending: Int32Array, into: SparseVector): void {
  for (let first = 0; first < ascending.length; first += 1) {
    for (let second = first; second < ascending.length; second += 1) {
      into.add(gramIndex(items, ascending[first], ascending[second]), 1);
    }
  }
}

/** The full symmetric matrix, row-major, from the upper triangle at the start of `sum`. */
export function gramMatrix(sum: Float64Array, items: number): Float64Array {
  const matrix = new Float64Array(items * items);
  let position = 0;
  for (let first = 0; first < items; first += 1) {
    for (let second = first; second < items; second += 1) {
      matrix[first * items + second] = sum[position];
      matrix[second * items + first] = sum[position];
      position += 1;
    }
  }
  return matrix;
}

/**
 * What to add to the diagonal so that noise does not make the matrix indefinite: the largest eigenvalue of a
 * symmetric noise matrix is close to 2 noiseStd sqrt(items) (Wigner 1958), a public quantity.
 */
export function noiseRidge(items: number, noiseStd: number): number {
  return 2 * noiseStd * Math.sqrt(items);
}

const ridgeAttempts = 5;

/**
 * (G + ridge I)^-1, with the ridge doubled where noise left the matrix indefinite.
 * @throws CestaError `model.unusable`
 */
export function regularisedInverse(sum: Float64Array, items: number, ridge: number): Float64Array {
  const matrix = gramMatrix(sum, items);
  let added = 0;
  for (let attempt = 1; ; attempt += 1) {
    const wanted = ridge * 2 ** (attempt - 1);
    for (let item = 0; item < items; item += 1) matrix[item * items + item] += wanted - added;
    added = wanted;
    try {
      return invertPositiveDefinite(items, matrix);
    } catch (error) {
      if (!(error instanceof CestaError) || attempt === ridgeAttempts) throw error;
    }
  }
}

/** How many shoppers touched each item. */
export function gramDiagonal(sum: Float64Array, items: number): Float32Array {
  return Float32Array.from({ length: items }, (_, item) => sum[gramIndex(items, item, item)]);
}
