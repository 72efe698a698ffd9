/**
 * Ridge logistic regression by Newton's method (iteratively reweighted least squares), with an intercept: how far an
 * attacker should believe each of several scores.
 */
import { factoriseSmall, solveFactorised } from '../../numerics/small-cholesky.ts';

export interface LogisticSample {
  /** One score a row in each column. */
  readonly columns: readonly Float64Array[];
  /** Rows whose label is 1. */
  readonly positives: Int32Array;
}

/** Weighs departures from the start like so many observations at even odds would. */
const ridge = 25;
const passes = 15;

/**
 * Weights of the columns, drawn towards `start`: without information they stay there.
 * @example fitLogistic([{ columns: [scores], positives: Int32Array.of(0, 3) }], [0]);
 */
export function fitLogistic(samples: readonly LogisticSample[], start: readonly number[]): Float64Array {
  const width = start.length + 1;
  const origin = Float64Array.of(...start, 0);
  let weights = origin.slice();
  let objective = objectiveOf(samples, weights, origin);
  for (let pass = 0; pass < passes; pass += 1) {
    const curvature = new Float64Array(width * width);
    const slope = weights.map((weight, k) => ridge * (origin[k] - weight));
    for (let k = 0; k < width; k += 1) curvature[k * width + k] = ridge;
    for (const sample of samples) accumulate(sample, weights, curvature, slope);
    if (!factoriseSmall(width, curvature)) break;
    const step = solveFactorised(width, curvature, slope);
    // A full step overshoots where the classes are nearly separable.
    let size = 1;
    let next = weights;
    let reached = objective;
    for (let halving = 0; halving < 20 && !(reached > objective); halving += 1, size /= 2) {
      next = weights.map((weight, k) => weight + size * step[k]);
      reached = objectiveOf(samples, next, origin);
    }
    if (!(reached > objective + 1e-6)) break;
    weights = next;
    objective = reached;
  }
  return weights.subarray(0, start.length);
}

/** Penalised log-likelihood. */
function objectiveOf(samples: readonly LogisticSample[], weights: Float64Array, origin: Float64Array): number {
  let total = weights.reduce((penalty, weight, k) => penalty - (ridge / 2) * (weight - origin[k]) ** 2, 0);
  for (const { columns, positives } of samples) {
    const logits = new Float64Array(columns[0].length).fill(weights[columns.length]);
    columns.forEach((column, k) => {
      for (let row = 0; row < logits.length; row += 1) logits[row] += weights[k] * column[row];
    });
    for (const row of positives) total += logits[row];
    for (const logit of logits) total -= Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit)));
  }
  return total;
}

function accumulate({ columns, positives }: LogisticSample, weights: Float64Array, curvature: Float64Array, slope: Float64Array): void {
  const width = weights.length;
  const isPositive = new Uint8Array(columns[0].length);
  for (const row of positives) isPositive[row] = 1;
  const values = new Float64Array(width).fill(1);
  for (let row = 0; row < isPositive.length; row += 1) {
    let logit = weights[width - 1];
    for (let k = 0; k < columns.length; k += 1) {
      values[k] = columns[k][row];
      logit += weights[k] * values[k];
    }
    const chance = 1 / (1 + Math.exp(-logit));
    const spread = chance * (1 - chance);
    for (let a = 0; a < width; a += 1) {
      slope[a] += (isPositive[row] - chance) * values[a];
      for (let b = 0; b < width; b += 1) curvature[a * width + b] += spread * values[a] * values[b];
    }
  }
}
