/**
 * Bulyan (El Mhamdi et al., "The Hidden Vulnerability of Distributed Learning in Byzantium", ICML 2018) over Krum, for
 * n >= 4f + 3: Krum, again and again, chooses n - 2f rows; of every coordinate, the n - 4f numbers nearest to the median
 * are averaged. It bounds what a chosen row can hide in few coordinates, and like the median loses what few honest rows have.
 */
import { medianOfSorted } from './coordinate-median.ts';
import type { Matrix } from './distances.ts';
import { krum } from './krum.ts';
import { foldColumns, type Row } from './rows.ts';

/** The rows whose coordinates are averaged, in the order of the rows. */
export function bulyanSelection(squares: Matrix, byzantine: number): number[] {
  const left = Array.from({ length: squares.size }, (_, row) => row);
  const chosen: number[] = [];
  while (chosen.length < squares.size - 2 * byzantine) {
    const best = krum(squares, byzantine, left);
    chosen.push(best);
    left.splice(left.indexOf(best), 1);
  }
  return chosen.sort((a, b) => a - b);
}

/** @param rows those that were chosen, more than 2 `byzantine` of them */
export function meanNearMedian(rows: readonly Row[], byzantine: number): Float64Array {
  return foldColumns(rows, (sorted) => meanOfNearest(sorted, sorted.length - 2 * byzantine));
}

/** The nearest to the median stand together: whichever end is farther from it goes. */
function meanOfNearest(sorted: Float64Array, count: number): number {
  const median = medianOfSorted(sorted);
  let from = 0;
  let to = sorted.length;
  while (to - from > count) {
    if (median - sorted[from] > sorted[to - 1] - median) from += 1;
    else to -= 1;
  }
  let sum = 0;
  for (let i = from; i < to; i += 1) sum += sorted[i];
  return sum / count;
}
