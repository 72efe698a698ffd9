/**
 * The median of every coordinate (Yin et al., "Byzantine-Robust Distributed Learning: Towards Optimal Statistical Rates",
 * ICML 2018). With f of n > 2f rows spoilt, each coordinate stays between the smallest and the largest honest number.
 * It does not protect what few honest rows have: a coordinate that is zero in most of them becomes zero.
 */
import { foldColumns, type Row } from './rows.ts';

/** The middle number, or the mean of the two in the middle. */
export function coordinateMedian(rows: readonly Row[]): Float64Array {
  return foldColumns(rows, medianOfSorted);
}

/** @param sorted ascending, at least one number */
export function medianOfSorted(sorted: ArrayLike<number>): number {
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
