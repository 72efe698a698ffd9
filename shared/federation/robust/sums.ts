/**
 * Decoded sums, of one report or of a group's, combined by a robust rule. Each is made a mean per shopper by its own
 * count; the rule combines the means; and the combined mean counts for as many shoppers as all sums together, by what they
 * say of themselves. What they say are claims: without the `byzantine` smallest and largest, their mean is one that honest
 * shops may have.
 *
 * Every sum counts alike, however many shoppers it has, since a weight would be a claim, too.
 * Privacy: every sum is noised before it is seen; whatever is made of sums is post-processing.
 */
import type { DecodedReports } from '../accumulator.ts';
import { combineRows, type CombinedRow } from './combine-rows.ts';
import { combinedNoiseStd } from './combined-noise.ts';
import { medianOfSorted } from './coordinate-median.ts';
import type { Row } from './rows.ts';
import type { RobustSpec } from './rule.ts';
import { trimmedMeanOfSorted } from './trimmed-mean.ts';

/** What a rule looks at of a sum. */
export interface SumRow {
  /** Per shopper. */
  readonly mean: Row;
  readonly noisyShoppers: number;
  /** Of the mean. */
  readonly noiseStd: number;
  readonly nextClipNorm: number | null;
}

/** @param sum with the count that it says of itself, at least 1 */
export function rowOfSum({ sum, shoppers, noisyShoppers, noiseStd, nextClipNorm }: DecodedReports): SumRow {
  return { mean: sum.map((value) => value / shoppers), noisyShoppers, noiseStd: noiseStd / shoppers, nextClipNorm };
}

/** @throws CestaError `round.failed` with fewer rows than the rule needs */
export function combineSums(robust: RobustSpec, rows: readonly SumRow[]): DecodedReports & Pick<CombinedRow, 'combination'> {
  const { mean, combination } = combineRows(robust, rows.map((row) => row.mean));
  const noisyShoppers = rows.length * trimmedMeanOfSorted(sorted(rows.map((row) => row.noisyShoppers)), robust.byzantine);
  const shoppers = Math.max(1, noisyShoppers);
  const norms = rows.flatMap(({ nextClipNorm }) => nextClipNorm ?? []);
  return {
    sum: mean.map((value) => value * shoppers),
    shoppers,
    noisyShoppers,
    noiseStd: shoppers * combinedNoiseStd(combination, rows.map(({ noiseStd }) => noiseStd)),
    nextClipNorm: norms.length === 0 ? null : medianOfSorted(sorted(norms)),
    combination,
  };
}

function sorted(values: readonly number[]): Float64Array {
  return Float64Array.from(values).sort();
}
