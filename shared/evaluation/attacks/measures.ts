/**
 * What an attack is worth: the area under its ROC curve with DeLong's interval (DeLong, DeLong and Clarke-Pearson
 * 1988), F1, and the advantage of a ranking over the attacker's prior.
 */
import { bootstrapInterval } from '../intervals.ts';
import { average } from '../metrics.ts';

/** An estimate with its 95 % interval. */
export interface Measured {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Share of (positive, negative) pairs in which the positive scores higher; ties count half. NaN without either. */
export function areaUnderCurve(positives: ArrayLike<number>, negatives: ArrayLike<number>): number {
  return average(placements(positives, negatives));
}

/** The same over independent trials, with its interval. */
export function measuredArea(positives: ArrayLike<number>, negatives: ArrayLike<number>): Measured {
  const above = placements(positives, negatives);
  const below = placements(negatives, positives).map((share) => 1 - share);
  const value = average(above);
  const margin = 1.96 * Math.sqrt(varianceOf(above) / above.length + varianceOf(below) / below.length);
  return { value, low: Math.max(0, value - margin), high: Math.min(1, value + margin) };
}

/** A mean over victims with its bootstrap interval. */
export function measuredMean(values: Float64Array): Measured {
  return { value: average(values), ...bootstrapInterval(values) };
}

/**
 * (mean precision - mean prior) / (1 - mean prior) over victims: 0 for an attacker that learned nothing from the view,
 * 1 for one that learned all. The interval is over victims, at the measured prior.
 */
export function measuredAdvantage(precision: Float64Array, prior: Float64Array): Measured {
  const room = 1 - average(prior);
  return measuredMean(precision.map((value, victim) => (value - prior[victim]) / room));
}

/** Harmonic mean of precision and recall of "score above threshold"; 0 where nothing is found. A coin gets .5 on balanced classes. */
export function f1Score(positives: ArrayLike<number>, negatives: ArrayLike<number>, threshold: number): number {
  const above = (scores: ArrayLike<number>): number => Array.from(scores).filter((score) => score > threshold).length;
  const found = above(positives);
  return found === 0 ? 0 : (2 * found) / (positives.length + found + above(negatives));
}

/** For each score, the share of the others below it. */
function placements(scores: ArrayLike<number>, others: ArrayLike<number>): Float64Array {
  const ascending = Float64Array.from(others).sort();
  return Float64Array.from(scores, (score) => (countBelow(ascending, score, false) + countBelow(ascending, score, true)) / 2 / ascending.length);
}

function countBelow(ascending: Float64Array, score: number, orEqual: boolean): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] < score || (orEqual && ascending[middle] === score)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function varianceOf(values: Float64Array): number {
  const mean = average(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1);
}
