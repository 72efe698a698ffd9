/**
 * Was this shopper in the sum? The attacker knows the shopper's whole history. One kind knows the others as ordinary
 * shoppers only (Homer et al. 2008; Dwork et al. 2015, "Robust traceability from trace amounts"); the other knows each
 * of them, the adversary of differential privacy, and can subtract them: as can whoever sees two sums that differ by
 * one participant.
 */
import type { Expectation, GridVector } from './views.ts';

/** Log-likelihood ratio of "in" against "another ordinary shopper is", with normal laws for what is not known. */
export function membershipScore(view: Int32Array, { indexes, steps }: GridVector, { mean, precision }: Expectation): number {
  let score = 0;
  for (let entry = 0; entry < indexes.length; entry += 1) {
    const at = indexes[entry];
    score += steps[entry] * (view[at] - mean[at] - steps[entry] / 2) * precision[at];
  }
  return score;
}

/** How far the view without the known participants points along the shopper's contribution: 1 when in, 0 when not, but for noise. */
export function subtractionScore(view: Int32Array, { indexes, steps }: GridVector, known: readonly GridVector[]): number {
  const rest = new Map<number, number>();
  for (const index of indexes) rest.set(index, view[index]);
  for (const other of known) {
    for (let entry = 0; entry < other.indexes.length; entry += 1) {
      const left = rest.get(other.indexes[entry]);
      if (left !== undefined) rest.set(other.indexes[entry], left - other.steps[entry]);
    }
  }
  let along = 0;
  let square = 0;
  for (let entry = 0; entry < indexes.length; entry += 1) {
    along += steps[entry] * (rest.get(indexes[entry]) ?? 0);
    square += steps[entry] ** 2;
  }
  return square === 0 ? 0 : along / square;
}

export interface Exclusive {
  /** Of the coordinates touched in a sum, the share that exactly one participant touched. */
  readonly share: number;
  readonly touched: number;
}

/**
 * Coordinates of a sum that speak of one participant alone: what a sum without noise gives away although nobody's
 * upload is seen. Counts the coordinates from `from` up to `to`.
 */
export function exclusiveCoordinates(participants: readonly GridVector[], from: number, to: number): Exclusive {
  const counts = new Map<number, number>();
  for (const { indexes } of participants) {
    for (const index of indexes) if (index >= from && index < to) counts.set(index, (counts.get(index) ?? 0) + 1);
  }
  const alone = [...counts.values()].filter((count) => count === 1).length;
  return { share: counts.size === 0 ? 0 : alone / counts.size, touched: counts.size };
}
