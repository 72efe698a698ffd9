/**
 * Sums of reports of several ages as one: buffered asynchronous aggregation (Nguyen et al., "Federated Learning with
 * Buffered Asynchronous Aggregation", AISTATS 2022) with its polynomial staleness scaling, 1 / sqrt(1 + tau). Reports to
 * one plan share a grid and are summed in its ring; sums of different plans are combined here, in the units of the model.
 *
 * Privacy. Unit: one shopper in one shop, add or remove. A report was noised by its shop, once for its plan, and every
 * plan is charged in full before anybody trains under it, whether its report ever comes. Adding up noised sums with public
 * weights is post-processing, so neither guarantee nor accounting depends on which sum a report ends up in; composition
 * is adaptive already, and an output that is seen later than it might have been tells nobody more.
 * What it does not protect against: weights follow from the times of arrival, and when a report arrives may depend on how
 * long the shop trained, so on its data; as in every round, training time is not padded.
 */
import { CestaError } from '../protocol/errors.ts';
import type { DecodedReports, DecodedSum } from './accumulator.ts';

/** The decoded sum of the reports to one plan. */
export interface SumPart {
  readonly reports: DecodedReports;
  readonly participants: number;
  /** Releases made since the one that the plan started from; 0 for the plan of the round that closes. */
  readonly staleness: number;
}

/** 1 when fresh, falling with the square root of the age. @param staleness a whole number, at least 0 */
export function stalenessWeight(staleness: number): number {
  if (!Number.isInteger(staleness) || staleness < 0) throw new CestaError('internal', `staleness: expected a whole number from 0, got ${staleness}`);
  return 1 / Math.sqrt(1 + staleness);
}

/**
 * sum = sum_j s_j sum_j, shoppers = sum_j s_j n_j, noiseStd = sqrt(sum_j s_j^2 std_j^2), with s_j = 1 / sqrt(1 + tau_j):
 * sums, counts and independent noise on one scale, so that what a model makes of them per shopper stays right.
 *
 * | parts | result |
 * |---|---|
 * | none | error `round.failed` |
 * | one, fresh | as it is |
 * | all counts at or below zero, by noise | `shoppers` 1 |
 * | weights that add up to less than 1, without noise | `shoppers` below 1 |
 * | of different lengths | error `internal`: the models differ |
 *
 * The next clip norm is that of the freshest part that has one: an older one followed from an older clip norm.
 */
export function combineParts(parts: readonly SumPart[]): DecodedSum {
  const [freshest, ...older] = [...parts].sort((a, b) => a.staleness - b.staleness);
  if (freshest === undefined) throw new CestaError('round.failed', 'aggregate: expected at least one report, got none');
  const sum = new Float64Array(freshest.reports.sum.length);
  let noisyShoppers = 0;
  let noiseStd = 0;
  for (const { reports, staleness } of [freshest, ...older]) {
    if (reports.sum.length !== sum.length) throw new CestaError('internal', `aggregate: expected sums of ${sum.length} numbers, got ${reports.sum.length}`);
    const weight = stalenessWeight(staleness);
    for (let i = 0; i < sum.length; i += 1) sum[i] += weight * reports.sum[i];
    noisyShoppers += weight * reports.noisyShoppers;
    noiseStd = Math.hypot(noiseStd, weight * reports.noiseStd);
  }
  const adapted = [freshest, ...older].find(({ reports }) => reports.nextClipNorm !== null);
  // At least 1, or where weights of contributions may add up to less without noise, at least what one part is divided by.
  const least = Math.min(1, ...parts.map(({ reports }) => reports.shoppers));
  return { sum, shoppers: Math.max(least, noisyShoppers), noiseStd, nextClipNorm: adapted?.reports.nextClipNorm ?? null };
}

/** How old the reports of a buffered release were: figures of its manifest. */
export interface StalenessFigures {
  /** Reports to plans of earlier rounds. */
  readonly staleReports: number;
  /** Over all reports, fresh ones included. */
  readonly meanStaleness: number;
}

export function describeStaleness(parts: readonly SumPart[]): StalenessFigures {
  const reports = parts.reduce((count, { participants }) => count + participants, 0);
  const staleReports = parts.reduce((count, { participants, staleness }) => count + (staleness > 0 ? participants : 0), 0);
  const ages = parts.reduce((total, { participants, staleness }) => total + participants * staleness, 0);
  return { staleReports, meanStaleness: reports === 0 ? 0 : ages / reports };
}
