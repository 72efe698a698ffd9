/**
 * How much noise is left in a combined row. Assumes rows that differ by independent normal noise alone, and rules that
 * choose rows without looking at it. Where shops differ by more than the noise, a median has the noise of the few rows that
 * it lies between, which is more than this says; where noise decides what is chosen, less of it is left.
 */
import { bracketedRoot } from '../../numerics/quadrature.ts';
import { logNormalDensity, normalCdf } from '../../numerics/special.ts';
import type { Combination } from './combine-rows.ts';

/**
 * Standard deviation of the noise in every coordinate of the combined row.
 *
 * | combination | noise |
 * |---|---|
 * | weights w | sqrt(sum_i w_i^2 s_i^2) |
 * | median | sqrt(pi n / 2) / sum_i (1 / s_i), for large n: of equal rows, pi / 2 times the variance of their mean |
 * | trimmed | sqrt(sum_i V_i) / (n - 2 cut), V_i the variance of a row's noise X limited to +-q (Huber, "Robust Statistics", 1981, 3.3) |
 * | near the median | the same with V_i the variance of X within +-q, and 0 beyond, plus sign(X) q f(q) / f(0): the window moves with the median |
 *
 * Beyond +-q go 2 cut numbers of n; f is the mean of the rows' densities. Both for large n.
 *
 * @param stds of the noise in each row: all 0, or all positive
 */
export function combinedNoiseStd(combination: Combination, stds: readonly number[]): number {
  if (stds.every((std) => std === 0)) return 0;
  switch (combination.kind) {
    case 'weights':
      return Math.hypot(...stds.map((std, i) => combination.weights[i] * std));
    case 'median':
      return Math.sqrt((Math.PI * stds.length) / 2) / stds.reduce((sum, std) => sum + 1 / std, 0);
    case 'trimmed':
      return trimmedStd(stds, combination.cut, limitedVariance);
    case 'near-median':
      return trimmedStd(combination.chosen.map((i) => stds[i]), combination.cut, windowVariance);
    default:
      return combination satisfies never;
  }
}

/** @param varianceOf what a row with noise of `std` adds, of rows of `stds` */
function trimmedStd(stds: readonly number[], cut: number, varianceOf: (q: number, std: number, stds: readonly number[]) => number): number {
  const most = Math.max(...stds);
  const beyond = (x: number): number => stds.reduce((sum, std) => sum + normalCdf((-x * most) / std), 0);
  const q = bracketedRoot((x) => beyond(x) - cut, 0, 40) * most;
  return Math.sqrt(stds.reduce((sum, std) => sum + varianceOf(q, std, stds), 0)) / (stds.length - 2 * cut);
}

function limitedVariance(q: number, std: number): number {
  return squareWithin(q, std) + 2 * normalCdf(-q / std) * q ** 2;
}

function windowVariance(q: number, std: number, stds: readonly number[]): number {
  const densityAt = (x: number): number => stds.reduce((sum, each) => sum + density(x / each) / each, 0);
  const moves = (q * densityAt(q)) / densityAt(0);
  const meanAbsolute = 2 * std * (density(0) - density(q / std));
  return squareWithin(q, std) + 2 * moves * meanAbsolute + moves ** 2;
}

/** E[X^2] over |X| <= q, of a normal X. */
function squareWithin(q: number, std: number): number {
  const z = q / std;
  return std ** 2 * (1 - 2 * normalCdf(-z) - 2 * z * density(z));
}

function density(z: number): number {
  return Math.exp(logNormalDensity(z));
}
