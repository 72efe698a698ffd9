/** What robust rules look at: one vector a report or group, all of one length, and nothing of who sent it. */
import { CestaError } from '../../protocol/errors.ts';

export type Row = Float32Array | Float64Array;

/** @throws CestaError `internal` for no rows, or rows of different lengths */
export function requireRows(rows: readonly Row[]): number {
  if (rows.length === 0) throw new CestaError('internal', 'rows: expected at least one, got none');
  const [{ length }] = rows;
  const odd = rows.find((row) => row.length !== length);
  if (odd !== undefined) throw new CestaError('internal', `rows: expected ${length} numbers in each, got ${odd.length}`);
  return length;
}

/** One number for each coordinate, made of the rows' numbers in ascending order; what is made must not be kept. */
export function foldColumns(rows: readonly Row[], fold: (sorted: Float64Array) => number): Float64Array {
  const folded = new Float64Array(requireRows(rows));
  const column = new Float64Array(rows.length);
  for (let k = 0; k < folded.length; k += 1) {
    for (let i = 0; i < rows.length; i += 1) column[i] = rows[i][k];
    folded[k] = fold(column.sort());
  }
  return folded;
}

/** sum_i weights_i rows_i. */
export function weightedSum(rows: readonly Row[], weights: Float64Array): Float64Array {
  const sum = new Float64Array(requireRows(rows));
  rows.forEach((row, i) => {
    const weight = weights[i];
    if (weight !== 0) for (let k = 0; k < sum.length; k += 1) sum[k] += weight * row[k];
  });
  return sum;
}
