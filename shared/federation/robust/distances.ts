/**
 * Distances between rows from one matrix of their inner products, which is made in one pass over the coordinates: whatever
 * a rule does afterwards costs n x n and not n x length.
 */
import { requireRows, type Row } from './rows.ts';

/** Coordinates that are worked on together: so many of a hundred rows fit into a second-level cache. */
const blockLength = 1024;

/** A symmetric matrix, row by row. */
export interface Matrix {
  readonly size: number;
  readonly values: Float64Array;
}

/** Inner products of all pairs of rows. */
export function gramMatrix(rows: readonly Row[]): Matrix {
  const length = requireRows(rows);
  const size = rows.length;
  const values = new Float64Array(size * size);
  for (let from = 0; from < length; from += blockLength) {
    const to = Math.min(length, from + blockLength);
    for (let i = 0; i < size; i += 1) for (let j = 0; j <= i; j += 1) values[i * size + j] += innerProduct(rows[i], rows[j], from, to);
  }
  for (let i = 0; i < size; i += 1) for (let j = 0; j < i; j += 1) values[j * size + i] = values[i * size + j];
  return { size, values };
}

/** Two sums side by side: one alone would wait for itself at every step. */
function innerProduct(a: Row, b: Row, from: number, to: number): number {
  let even = 0;
  let odd = 0;
  let k = from;
  for (; k + 1 < to; k += 2) {
    even += a[k] * b[k];
    odd += a[k + 1] * b[k + 1];
  }
  return k < to ? even + odd + a[k] * b[k] : even + odd;
}

/** |a - b|^2 = a a + b b - 2 a b for all pairs; where rounding would leave less than nothing, 0. */
export function squaredDistances({ size, values }: Matrix): Matrix {
  const squares = new Float64Array(size * size);
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j < size; j += 1) {
      if (i !== j) squares[i * size + j] = Math.max(0, values[i * size + i] + values[j * size + j] - 2 * values[i * size + j]);
    }
  }
  return { size, values: squares };
}
