/**
 * Reports in the clear, combined by a robust rule. Each is made a mean per shopper by its own count; the rule combines the
 * means; and the combined mean counts for as many shoppers as all reports together, by what they say of themselves. What
 * they say are claims: without the `byzantine` smallest and largest, their mean is one that honest shops may have.
 *
 * Every shop counts alike, however many shoppers it has, since a weight would be a claim, too. A shop with few more shoppers
 * than the noise in its count has a mean that is noise: rules then leave it out, or suffer from it.
 * Privacy: every report is noised by its shop; whatever is made of reports is post-processing.
 */
import { CestaError } from '../../protocol/errors.ts';
import { decodeSum, type Accumulator, type RobustFigures } from '../accumulator.ts';
import type { Plan } from '../plan.ts';
import { combineRows, type Combination } from './combine-rows.ts';
import { combinedNoiseStd } from './combined-noise.ts';
import { medianOfSorted } from './coordinate-median.ts';
import type { RobustSpec } from './rule.ts';
import { trimmedMeanOfSorted } from './trimmed-mean.ts';

interface Report {
  /** Per shopper. Four bytes a number are as exact as the grid of a sum needs. */
  readonly mean: Float32Array;
  readonly noisyShoppers: number;
  readonly noiseStd: number;
  readonly nextClipNorm: number | null;
}

/** Keeps every report until it is gone itself. `decode` combines them. */
export function collectReports(plan: Plan, robust: RobustSpec): Accumulator {
  const reports: Report[] = [];
  return {
    add(report) {
      if (report.length !== plan.statisticLength) throw new CestaError('update.wrong-length', `report: expected ${plan.statisticLength} coordinates, got ${report.length}`);
      const { sum, shoppers, noisyShoppers, noiseStd, nextClipNorm } = decodeSum(report, plan, 1);
      reports.push({ mean: new Float32Array(sum.map((value) => value / shoppers)), noisyShoppers, noiseStd: noiseStd / shoppers, nextClipNorm });
    },
    get participants() {
      return reports.length;
    },
    decode() {
      const { mean, combination } = combineRows(robust, reports.map((report) => report.mean));
      const noisyShoppers = reports.length * trimmedMeanOfSorted(sorted(reports.map((report) => report.noisyShoppers)), robust.byzantine);
      const shoppers = Math.max(1, noisyShoppers);
      const norms = reports.flatMap(({ nextClipNorm }) => nextClipNorm ?? []);
      return {
        sum: mean.map((value) => value * shoppers),
        shoppers,
        noisyShoppers,
        noiseStd: shoppers * combinedNoiseStd(combination, reports.map(({ noiseStd }) => noiseStd)),
        nextClipNorm: norms.length === 0 ? null : medianOfSorted(sorted(norms)),
        robust: { rule: robust.rule, byzantine: robust.byzantine, reports: reports.length, leftOut: leftOut(combination, reports.length) } satisfies RobustFigures,
      };
    },
  };
}

/** Which reports, in the order they came in, a rule did without altogether. */
function leftOut(combination: Combination, reports: number): number[] {
  const all = Array.from({ length: reports }, (_, i) => i);
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
