/**
 * New item factors from a sum of reports: the minimum of
 * sum c [ sum over touched (1 - u v)^2 + a0 sum over all (u v)^2 ] + sum over items lambda_i |v - p|^2,
 * with lambda_i = lambda (popularity + a0 shoppers)^power and p the item's public start, to which it stays the nearer the
 * less is known of it. `equations` jump to the minimum of this round's user factors; `gradients` take one Newton step of an
 * upper bound of the curvature, which never goes too far.
 */
import { factoriseSmall, solveFactorised } from '../../numerics/small-cholesky.ts';
import type { Aggregate } from '../federated-model.ts';
import type { AlsParams } from './release.ts';
import { requireFactorised } from './shopper.ts';
import type { AlsLayout } from './statistic.ts';

/** How many times less than `startNorm` noise alone may move a row from its start; chosen like the defaults of the model. */
const noiseDistrust = 3;

export interface ItemTerms {
  readonly startNorm: number;
  readonly unobserved: number;
  readonly regularisation: number;
  readonly frequencyPower: number;
}

/** @param start the public rows that an item of which nothing is known keeps */
export function updateItems(layout: AlsLayout, terms: ItemTerms, start: Float32Array, params: AlsParams, aggregate: Aggregate): AlsParams {
  return {
    factors: Float32Array.from(solveItems(layout, terms, start, params.factors, aggregate)),
    popularity: Float32Array.from(popularityOf(layout, aggregate)),
    similar: params.similar,
  };
}

function popularityOf({ popularity, items }: AlsLayout, { sum }: Aggregate): Float64Array {
  return sum.subarray(popularity, popularity + items);
}

/** Rows of the items, before a release rounds them. */
export function solveItems(layout: AlsLayout, terms: ItemTerms, start: Float32Array, factors: Float32Array, aggregate: Aggregate): Float64Array {
  const { items, width } = layout;
  const { sum, shoppers, noiseStd } = aggregate;
  const popularity = popularityOf(layout, aggregate);
  const gram = new Float64Array(width * width);
  readTriangle(sum, layout.gram, width, gram);
  // Then no curvature of a gradient step is negative, whatever the noise.
  if (!isPositive(width, gram)) dominate(width, gram);
  const solve = layout.report === 'equations' ? equationSolver(layout, terms, sum, gram) : gradientSolver(layout, terms, sum, gram, factors);
  const noiseRidge = (noiseDistrust * noiseStd * Math.sqrt(width)) / terms.startNorm;
  const solved = new Float64Array(items * width);
  for (let item = 0; item < items; item += 1) {
    const ridge = noiseRidge + terms.regularisation * (Math.max(0, popularity[item]) + terms.unobserved * shoppers) ** terms.frequencyPower;
    const rows = item * width;
    solved.set(solve(item, ridge, start.subarray(rows, rows + width)), rows);
  }
  return solved;
}

/** The new row of an item, valid until the next call. */
type ItemSolver = (item: number, ridge: number, start: Float32Array) => Float64Array;

/** (a0 S + sum c u u^T + ridge) v = sum c u + ridge p, with S the sum of c u u^T over all shoppers. */
function equationSolver({ width, triangle, triangles }: AlsLayout, { unobserved }: ItemTerms, sum: Float64Array, gram: Float64Array): ItemSolver {
  const system = new Float64Array(width * width);
  const row = new Float64Array(width);
  const assemble = (item: number, ridge: number): void => {
    readTriangle(sum, triangles + item * triangle, width, system);
    for (let at = 0; at < system.length; at += 1) system[at] += unobserved * gram[at];
    addRidge(system, width, ridge);
  };
  return (item, ridge, start) => {
    assemble(item, ridge);
    if (!factoriseSmall(width, system)) {
      assemble(item, ridge);
      dominate(width, system);
      requireFactorised(width, system);
    }
    for (let k = 0; k < width; k += 1) row[k] = sum[item * width + k] + ridge * start[k];
    return solveFactorised(width, system, row);
  };
}

/**
 * H (v' - v) = residuals - a0 S v - ridge (v - p) with H = (a0 + 1/2) S + ridge. An item's own curvature is at most
 * (a0 + 1) S + ridge, since those who touched it are some of all shoppers; a step with at least half of it descends.
 */
function gradientSolver({ width }: AlsLayout, { unobserved }: ItemTerms, sum: Float64Array, gram: Float64Array, factors: Float32Array): ItemSolver {
  const system = new Float64Array(width * width);
  const row = new Float64Array(width);
  return (item, ridge, start) => {
    for (let at = 0; at < system.length; at += 1) system[at] = (unobserved + 0.5) * gram[at];
    addRidge(system, width, ridge);
    requireFactorised(width, system);
    const rows = item * width;
    for (let k = 0; k < width; k += 1) {
      let slope = sum[rows + k] - ridge * (factors[rows + k] - start[k]);
      for (let other = 0, at = k * width; other < width; other += 1, at += 1) slope -= unobserved * gram[at] * factors[rows + other];
      row[k] = slope;
    }
    solveFactorised(width, system, row);
    for (let k = 0; k < width; k += 1) row[k] += factors[rows + k];
    return row;
  };
}

function addRidge(matrix: Float64Array, width: number, ridge: number): void {
  for (let k = 0; k < width; k += 1) matrix[k * width + k] += ridge;
}

/** An upper triangle as a full matrix. */
function readTriangle(sum: Float64Array, start: number, width: number, matrix: Float64Array): void {
  let slot = start;
  for (let a = 0; a < width; a += 1) {
    for (let b = a; b < width; b += 1) {
      matrix[a * width + b] = sum[slot];
      matrix[b * width + a] = sum[slot];
      slot += 1;
    }
  }
}

/** Up to rounding: a sum of few outer products has directions without curvature. */
function isPositive(width: number, matrix: Float64Array): boolean {
  const trial = matrix.slice();
  for (let k = 0; k < width; k += 1) trial[k * width + k] += 1e-6 * (1 + Math.abs(matrix[k * width + k]));
  return factoriseSmall(width, trial);
}

/** Noise may push a diagonal below zero: raised until every row dominates its other entries, and no pivot fails. */
function dominate(width: number, matrix: Float64Array): void {
  for (let a = 0; a < width; a += 1) {
    let others = Number.MIN_VALUE;
    for (let b = 0; b < width; b += 1) if (a !== b) others += Math.abs(matrix[a * width + b]);
    matrix[a * width + a] = Math.max(matrix[a * width + a], others * (1 + 1e-6));
  }
}
