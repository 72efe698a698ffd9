/**
 * The mean of every coordinate without its f smallest and f largest numbers (Yin et al., "Byzantine-Robust Distributed
 * Learning: Towards Optimal Statistical Rates", ICML 2018). With f of n > 2f rows spoilt, each coordinate stays between
 * the smallest and the largest honest number. It does not protect what at most f honest rows have: that is cut.
 */
import { CestaError } from '../../protocol/errors.ts';
import { foldColumns, type Row } from './rows.ts';

/** @throws CestaError `internal` unless there are more than 2 `byzantine` rows */
export function trimmedMean(rows: readonly Row[], byzantine: number): Float64Array {
  if (rows.length <= 2 * byzantine) throw new CestaError('internal', `rows: expected more than twice ${byzantine}, got ${rows.length}`);
  return foldColumns(rows, (sorted) => trimmedMeanOfSorted(sorted, byzantine));
}

/** @param sorted ascending, more than 2 `byzantine` numbers */
export function trimmedMeanOfSorted(sorted: ArrayLike<number>, byzantine: number): number {
  let sum = 0;
  for (let i = byzantine; i < sorted.length - byzantine; i += 1) sum += sorted[i];
  return sum / (sorted.length - 2 * byzantine);
}
