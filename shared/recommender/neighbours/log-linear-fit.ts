/**
 * Weighted least squares of y on exp(b.f) by Levenberg-Marquardt (Levenberg 1944; Marquardt 1963), weights recomputed
 * from each iterate. Noise in y that is independent of the features averages out, which is what lets a fit on noisy
 * sums tell what their expectation is.
 */
import { factoriseSmall, solveFactorised } from '../../numerics/small-cholesky.ts';

export interface LogLinearProblem {
  /** Row-major, one row of `width` a target; the first feature is the constant 1. */
  readonly features: Float64Array;
  readonly width: number;
  readonly targets: Float64Array;
  /** Variance of a target around its expectation. */
  readonly varianceAt: (expected: number) => number;
}

/** Draws the coefficients, but not the constant, towards the start: near-copies among the features do no harm. */
const ridge = 1e-3;
const iterations = 60;
const attempts = 12;
const smallestDamping = 1e-6;
const tolerance = 1e-5;

/** Coefficients and what they expect of each target. */
interface Fit {
  readonly coefficients: Float64Array;
  readonly expected: Float64Array;
}

/** @returns The coefficients; those of the start where no step lowers the cost. */
export function fitLogLinear(problem: LogLinearProblem, start: Float64Array): Float64Array {
  let fit = fitOf(problem, start);
  let damping = 1;
  for (let iteration = 0; iteration < iterations; iteration += 1) {
    const weights = fit.expected.map((value) => 1 / problem.varianceAt(value));
    const { normal, gradient } = linearise(problem, fit, start, weights);
    const cost = costOf(problem, fit, start, weights);
    let next: Fit | undefined;
    for (let attempt = 0; attempt < attempts && next === undefined; attempt += 1) {
      const tried = step(fit.coefficients, normal, gradient, damping);
      const triedFit = tried && fitOf(problem, tried);
      if (triedFit !== undefined && costOf(problem, triedFit, start, weights) < cost) next = triedFit;
      else damping *= 4;
    }
    if (next === undefined) break;
    damping = Math.max(damping / 4, smallestDamping);
    const { coefficients } = fit;
    const change = next.coefficients.reduce((largest, value, index) => Math.max(largest, Math.abs(value - coefficients[index])), 0);
    fit = next;
    if (change < tolerance) break;
  }
  return fit.coefficients;
}

function fitOf(problem: LogLinearProblem, coefficients: Float64Array): Fit {
  return { coefficients, expected: expectations(problem, coefficients, -12, 8) };
}

/** exp(b.f) of every row, with the exponent cut to low..high. */
export function expectations({ features, width, targets }: LogLinearProblem, coefficients: Float64Array, low: number, high: number): Float64Array {
  const values = new Float64Array(targets.length);
  for (let row = 0; row < values.length; row += 1) {
    let exponent = 0;
    for (let feature = 0; feature < width; feature += 1) exponent += coefficients[feature] * features[row * width + feature];
    values[row] = Math.exp(Math.min(Math.max(exponent, low), high));
  }
  return values;
}

function costOf({ targets }: LogLinearProblem, { coefficients, expected }: Fit, start: Float64Array, weights: Float64Array): number {
  let cost = 0;
  for (let row = 0; row < expected.length; row += 1) cost += weights[row] * (targets[row] - expected[row]) ** 2;
  for (let feature = 1; feature < coefficients.length; feature += 1) cost += ridge * (coefficients[feature] - start[feature]) ** 2;
  return cost;
}

/** J^T W J and J^T W (y - m) less the pull of the ridge, with J the derivative of the expectations. */
function linearise({ features, width, targets }: LogLinearProblem, { coefficients, expected }: Fit, start: Float64Array, weights: Float64Array): { normal: Float64Array; gradient: Float64Array } {
  const normal = new Float64Array(width * width);
  const gradient = new Float64Array(width);
  for (let row = 0; row < expected.length; row += 1) {
    const derivative = weights[row] * expected[row];
    const residual = targets[row] - expected[row];
    for (let first = 0; first < width; first += 1) {
      const weighted = derivative * features[row * width + first];
      gradient[first] += weighted * residual;
      for (let second = 0; second <= first; second += 1) normal[first * width + second] += weighted * expected[row] * features[row * width + second];
    }
  }
  for (let feature = 1; feature < width; feature += 1) gradient[feature] -= ridge * (coefficients[feature] - start[feature]);
  return { normal, gradient };
}

/** The damped step, or nothing where the damped matrix is not positive definite. */
function step(coefficients: Float64Array, normal: Float64Array, gradient: Float64Array, damping: number): Float64Array | undefined {
  const width = coefficients.length;
  const damped = normal.slice();
  for (let index = 0; index < width; index += 1) damped[index * width + index] += damping * (normal[index * width + index] + 1e-9) + ridge;
  if (!factoriseSmall(width, damped)) return undefined;
  return solveFactorised(width, damped, gradient.slice()).map((change, index) => coefficients[index] + change);
}
