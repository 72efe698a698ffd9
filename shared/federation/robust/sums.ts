/**
 * Sums, of one report or of a group's, combined by a robust rule. Each is made a mean per shopper by its own count; the rule
 * combines the means; and the combined mean counts for as many shoppers as all sums together, by what they say of
 * themselves. What they say are claims: without the `byzantine` smallest and largest, their mean is one that honest shops
 * may have.
 *
 * Every sum counts alike, however many shoppers it has, since a weight would be a claim, too. One of few more shoppers than
 * the noise in its count has a mean that is noise: rules then leave it out, or suffer from it.
 * Privacy: every sum is noised before the coordinator sees it; whatever is made of sums is post-processing.
 */
import type { DecodedReports, RobustFigures } from '../accumulator.ts';
import { combineRows, type Combination } from './combine-rows.ts';
import { combinedNoiseStd } from './combined-noise.ts';
import { medianOfSorted } from './coordinate-median.ts';
import type { RobustSpec } from './rule.ts';
import { trimmedMeanOfSorted } from './trimmed-mean.ts';

/** What a rule looks at of a sum. */
export interface SumRow {
  /** Per shopper. Four bytes a number are as exact as the grid of a sum needs. */
  readonly mean: Float32Array;
  readonly noisyShoppers: number;
  /** Of the mean. */
  readonly noiseStd: number;
  readonly nextClipNorm: number | null;
}

export function rowOfSum({ sum, shoppers, noisyShoppers, noiseStd, nextClipNorm }: DecodedReports): SumRow {
  return { mean: new Float32Array(sum.map((value) => value / shoppers)), noisyShoppers, noiseStd: noiseStd / shoppers, nextClipNorm };
}

/** @throws CestaError `round.failed` with fewer rows than the rule needs */
export function combineSums(robust: RobustSpec, rows: readonly SumRow[]): DecodedReports {
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
    robust: { rule: robust.rule, byzantine: robust.byzantine, reports: rows.length, leftOut: leftOut(combination, rows.length) } satisfies RobustFigures,
  };
}

/** Which rows, in the order given, a rule did without altogether. */
function leftOut(combination: Combination, rows: number): number[] {
  const all = Array.from({ length: rows }, (_, i) => i);
  switch (combination.kind) {
    case 'weights':
      return all.filter((i) => combination.weights[i] === 0);
    case 'near-median':
      return all.filter((i) => !combination.chosen.includes(i));
    case 'median':
    case 'trimmed':
      return [];
    default:
      return combination satisfies never;
  }
}

function sorted(values: readonly number[]): Float64Array {
  return Float64Array.from(values).sort();
}
