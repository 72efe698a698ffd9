/**
 * The point with the least sum of distances to all rows, by the smoothed Weiszfeld algorithm (Pillutla et al., "Robust
 * Aggregation for Federated Learning", IEEE TSP 2022). Every iterate is a weighted mean of the rows, so the algorithm works
 * on weights and distances alone. Fewer than half of the rows cannot move it far; how far grows with the spread of the
 * others, and a change of few coordinates within that spread passes, with its weight.
 */
import type { Matrix } from './distances.ts';

/** Distances below this part of the least between two rows count as this part: no row gets all of the weight for being hit exactly. */
const smoothing = 1e-6;
const mostIterations = 1000;
const tolerance = 1e-12;

/**
 * Weights of the rows, with sum 1, from their squared distances D: |sum_j w_j r_j - r_i|^2 = (D w)_i - w D w / 2.
 *
 * | rows | weights |
 * |---|---|
 * | one, or all the same | equal |
 * | more than half the same | nearly all on those |
 */
export function geometricMedianWeights({ size, values }: Matrix): Float64Array {
  const weights = new Float64Array(size).fill(1 / size);
  const nearest = values.reduce((least, square) => (square > 0 ? Math.min(least, square) : least), Infinity);
  if (nearest === Infinity) return weights;
  const least = smoothing * Math.sqrt(nearest);
  for (let iteration = 0; iteration < mostIterations; iteration += 1) {
    const next = inverseDistances({ size, values }, weights, least);
    const moved = next.reduce((most, weight, i) => Math.max(most, Math.abs(weight - weights[i])), 0);
    weights.set(next);
    if (moved < tolerance) break;
  }
  return weights;
}

function inverseDistances({ size, values }: Matrix, weights: Float64Array, least: number): Float64Array {
  const mean = new Float64Array(size);
  for (let i = 0; i < size; i += 1) for (let j = 0; j < size; j += 1) mean[i] += values[i * size + j] * weights[j];
  const spread = mean.reduce((sum, square, i) => sum + weights[i] * square, 0) / 2;
  const inverse = mean.map((square) => 1 / Math.max(least, Math.sqrt(Math.max(0, square - spread))));
  const total = inverse.reduce((sum, value) => sum + value, 0);
  return inverse.map((value) => value / total);
}
