/**
 * Krum and multi-Krum (Blanchard et al., "Machine Learning with Adversaries: Byzantine Tolerant Gradient Descent", NIPS
 * 2017): the row, or the n - f rows, nearest to their neighbours, for n >= 2f + 3. Chosen rows are taken whole: one that
 * hides a large change of few coordinates within the spread of honest rows is chosen like any other.
 */
import type { Matrix } from './distances.ts';

/** The row that Krum chooses among `candidates`. */
export function krum(squares: Matrix, byzantine: number, candidates: readonly number[] = all(squares)): number {
  return byScore(squares, byzantine, candidates)[0];
}

/** The n - f rows with the best scores, in the order of the rows. */
export function multiKrum(squares: Matrix, byzantine: number): number[] {
  return byScore(squares, byzantine, all(squares)).slice(0, squares.size - byzantine).sort((a, b) => a - b);
}

/**
 * Candidates, best first. The score of one is the sum of its squared distances to the m - f - 2 nearest of the m
 * candidates, at least to one. Of equal scores, as two that are nearest to each other have, the one with less distance to
 * all rows comes first: the order of the rows decides between rows that are the same only.
 */
function byScore(squares: Matrix, byzantine: number, candidates: readonly number[]): number[] {
  const neighbours = Math.max(1, candidates.length - byzantine - 2);
  const distancesOf = (row: number, others: readonly number[]): Float64Array => Float64Array.from(others.filter((other) => other !== row), (other) => squares.values[row * squares.size + other]).sort();
  const everybody = all(squares);
  const scored = candidates.map((row) => ({ row, score: sum(distancesOf(row, candidates).subarray(0, neighbours)), total: sum(distancesOf(row, everybody)) }));
  return scored.sort((a, b) => a.score - b.score || a.total - b.total || a.row - b.row).map(({ row }) => row);
}

function all({ size }: Matrix): number[] {
  return Array.from({ length: size }, (_, row) => row);
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
