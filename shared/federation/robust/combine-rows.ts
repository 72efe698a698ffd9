/** Rows to one by a robust rule: the vector, and what its noise follows from. */
import { CestaError } from '../../protocol/errors.ts';
import { bulyanSelection, meanNearMedian } from './bulyan.ts';
import { coordinateMedian } from './coordinate-median.ts';
import { gramMatrix, squaredDistances, type Matrix } from './distances.ts';
import { geometricMedianWeights } from './geometric-median.ts';
import { krum, multiKrum } from './krum.ts';
import { weightedSum, type Row } from './rows.ts';
import type { RobustRule, RobustSpec } from './rule.ts';
import { trimmedMean } from './trimmed-mean.ts';

/** How a combined row was made of the rows. */
export type Combination =
  /** A weighted mean of whole rows; weights have sum 1. */
  | { readonly kind: 'weights'; readonly weights: Float64Array }
  /** Of every coordinate, `cut` numbers at each end left out. */
  | { readonly kind: 'trimmed'; readonly cut: number }
  /** Of every coordinate of the rows `chosen`, the 2 `cut` numbers farthest from their median left out. */
  | { readonly kind: 'near-median'; readonly chosen: readonly number[]; readonly cut: number }
  | { readonly kind: 'median' };

export interface CombinedRow {
  readonly mean: Float64Array;
  readonly combination: Combination;
}

/** Rows that a rule needs to withstand `byzantine` of them. */
export function fewestRows(rule: RobustRule, byzantine: number): number {
  switch (rule) {
    case 'median':
    case 'trimmed-mean':
    case 'geometric-median':
      return 2 * byzantine + 1;
    case 'krum':
    case 'multi-krum':
      return 2 * byzantine + 3;
    case 'bulyan':
      return 4 * byzantine + 3;
    default:
      return rule satisfies never;
  }
}

/** Rules that look at distances between rows: their time grows with the square of the rows. */
export function usesDistances(rule: RobustRule): boolean {
  return rule !== 'median' && rule !== 'trimmed-mean';
}

/** @throws CestaError `round.failed` with fewer rows than the rule needs */
export function combineRows({ rule, byzantine }: Pick<RobustSpec, 'rule' | 'byzantine'>, rows: readonly Row[]): CombinedRow {
  const fewest = fewestRows(rule, byzantine);
  if (rows.length < fewest) throw new CestaError('round.failed', `robust: expected at least ${fewest} rows for ${rule} against ${byzantine}, got ${rows.length}`);
  switch (rule) {
    case 'median':
      return { mean: coordinateMedian(rows), combination: { kind: 'median' } };
    case 'trimmed-mean':
      return { mean: trimmedMean(rows, byzantine), combination: { kind: 'trimmed', cut: byzantine } };
    case 'krum':
      return meanOf(rows, [krum(distancesOf(rows), byzantine)]);
    case 'multi-krum':
      return meanOf(rows, multiKrum(distancesOf(rows), byzantine));
    case 'bulyan': {
      const chosen = bulyanSelection(distancesOf(rows), byzantine);
      return { mean: meanNearMedian(chosen.map((i) => rows[i]), byzantine), combination: { kind: 'near-median', chosen, cut: byzantine } };
    }
    case 'geometric-median':
      return weigh(rows, geometricMedianWeights(distancesOf(rows)));
    default:
      return rule satisfies never;
  }
}

function distancesOf(rows: readonly Row[]): Matrix {
  return squaredDistances(gramMatrix(rows));
}

function meanOf(rows: readonly Row[], chosen: readonly number[]): CombinedRow {
  const weights = new Float64Array(rows.length);
  for (const i of chosen) weights[i] = 1 / chosen.length;
  return weigh(rows, weights);
}

function weigh(rows: readonly Row[], weights: Float64Array): CombinedRow {
  return { mean: weightedSum(rows, weights), combination: { kind: 'weights', weights } };
}
