/**
 * Implicit matrix factorisation in rounds: every shopper solves for the own factor, which never leaves, and reports
 * residuals; the update takes one preconditioned Newton step of every item's factor. Papers: Hu, Koren and Volinsky
 * 2008 (implicit feedback); Rendle, Krichene, Zhang and Koren 2021 (unobserved weight and regularisation).
 *
 * Statistic: for every item a residual of `factors` numbers, r u / sqrt(s) with u the shopper's factor, r what u
 * leaves unexplained of the item and s the shopper's items; the upper triangle of u u^T; popularity 1 / sqrt(s). With
 * |u| <= 1 and 0 <= r <= 1 each of the three blocks has norm at most 1.
 */
import * as z from 'zod';
import type { Catalogue } from '../commerce/catalogue.ts';
import { distinctItems } from '../commerce/history.ts';
import { factoriseSmall, solveFactorised } from '../numerics/small-cholesky.ts';
import { CestaError } from '../protocol/errors.ts';
import type { Aggregate, FederatedModel, Reason } from './federated-model.ts';
import { requireRowTable } from './quantised-rows.ts';
import { requireTensor, vector } from './tensor-checks.ts';
import { warmStart } from './warm-start.ts';

export const alsHyperParameters = z.strictObject({
  factors: z.number().int().min(2).max(128).default(16),
  /** Weight of what a shopper did not touch. */
  unobserved: z.number().gt(0).lte(1).default(0.02),
  regularisation: z.number().gt(0).default(1),
  /** Weight of log popularity in a score. */
  popularityWeight: z.number().min(0).default(0.05),
});

export type AlsHyperParameters = z.output<typeof alsHyperParameters>;

export interface AlsParams {
  /** Items by factors, row-major. */
  readonly factors: Float32Array;
  /** Noisy weighted counts of the last round. */
  readonly popularity: Float32Array;
}

export function createAls(catalogue: Catalogue, hyperParameters: AlsHyperParameters): FederatedModel<AlsParams> {
  const items = catalogue.products.length;
  const { factors: width } = hyperParameters;
  const layout = { items, width, gram: items * width, popularity: items * width + (width * (width + 1)) / 2 };
  let start: AlsParams | null = null;
  const shopper = createShopperSolver(layout, hyperParameters);
  return {
    kind: 'als',
    hyperParameters,
    statisticLength: () => layout.popularity + items,
    entryBound: 1,
    normBound: Math.sqrt(3),
    initial: () => (start ??= { factors: warmStart(catalogue, width, 'als'), popularity: new Float32Array(items) }),
    contribute(params, history, into) {
      const touched = distinctItems(history).filter((item) => item < items);
      if (touched.length === 0) return;
      const u = bounded(shopper.solve(params, touched));
      const share = 1 / Math.sqrt(touched.length);
      for (const item of touched) {
        const residual = Math.min(1, Math.max(0, 1 - dotRow(params.factors, item, u)));
        for (let k = 0; k < width; k += 1) into.add(item * width + k, residual * u[k] * share);
        into.add(layout.popularity + item, share);
      }
      let slot = layout.gram;
      for (let a = 0; a < width; a += 1) for (let b = a; b < width; b += 1) into.add(slot++, u[a] * u[b]);
    },
    update: (params, aggregate) => step(params, aggregate, layout, hyperParameters),
    score(params, history, scores) {
      const touched = distinctItems(history).filter((item) => item < items);
      const u = touched.length === 0 ? new Float64Array(width) : shopper.solve(params, touched);
      for (let item = 0; item < items; item += 1) {
        scores[item] = dotRow(params.factors, item, u) + hyperParameters.popularityWeight * Math.log1p(Math.max(0, params.popularity[item]));
      }
    },
    explain: (params, history, item, limit) => explain(shopper, params, distinctItems(history).filter((other) => other < items), { item, limit, width }),
    rowTables: { factors: width },
    encode: ({ factors, popularity }) => ({ factors: vector(factors), popularity: vector(popularity) }),
    decode: (tensors) => ({ factors: requireRowTable(tensors, 'factors', items, width), popularity: requireTensor(tensors, 'popularity', Float32Array, items) }),
  };
}

interface Layout {
  readonly items: number;
  readonly width: number;
  /** Where the blocks start. */
  readonly gram: number;
  readonly popularity: number;
}

interface ShopperSolver {
  /** (a0 V^T V + sum v v^T + lambda I)^-1 sum v over the shopper's items. */
  solve(params: AlsParams, touched: Int32Array): Float64Array;
  /** The same system for one item alone on the right-hand side. */
  respond(params: AlsParams, touched: Int32Array, item: number): Float64Array;
}

function createShopperSolver({ items, width }: Layout, { unobserved, regularisation }: AlsHyperParameters): ShopperSolver {
  // V^T V is the same for every shopper of a round.
  const grams = new WeakMap<AlsParams, Float64Array>();
  const gramOf = (params: AlsParams): Float64Array => {
    const known = grams.get(params);
    if (known !== undefined) return known;
    const gram = new Float64Array(width * width);
    for (let item = 0; item < items; item += 1) addOuter(gram, params.factors, item, width);
    grams.set(params, gram);
    return gram;
  };
  const factorOf = (params: AlsParams, touched: Int32Array): Float64Array => {
    const matrix = gramOf(params).map((value) => unobserved * value);
    for (const item of touched) addOuter(matrix, params.factors, item, width);
    for (let k = 0; k < width; k += 1) matrix[k * width + k] += regularisation;
    return factorised(width, matrix);
  };
  return {
    solve(params, touched) {
      const right = new Float64Array(width);
      for (const item of touched) for (let k = 0; k < width; k += 1) right[k] += params.factors[item * width + k];
      return solveFactorised(width, factorOf(params, touched), right);
    },
    respond: (params, touched, item) => solveFactorised(width, factorOf(params, touched), Float64Array.from(params.factors.subarray(item * width, (item + 1) * width))),
  };
}

/** One Newton step of every item: H v' = H v + (residuals - a0 S v - lambda v), with S the sum of u u^T. */
function step(params: AlsParams, { sum, shoppers, noiseStd }: Aggregate, layout: Layout, { unobserved, regularisation }: AlsHyperParameters): AlsParams {
  const { items, width } = layout;
  const gram = symmetricGram(sum, layout);
  const factors = new Float32Array(params.factors.length);
  const popularity = Float32Array.from(sum.subarray(layout.popularity, layout.popularity + items));
  const row = new Float64Array(width);
  for (let item = 0; item < items; item += 1) {
    // What noise hides is not believed: the ridge grows with its standard deviation.
    const ridge = regularisation + noiseStd;
    const curvature = Math.max(0, popularity[item]) / shoppers + unobserved;
    const matrix = gram.map((value) => curvature * value);
    for (let k = 0; k < width; k += 1) {
      matrix[k * width + k] += ridge;
      let slope = sum[item * width + k] - regularisation * params.factors[item * width + k];
      for (let other = 0; other < width; other += 1) slope -= unobserved * gram[k * width + other] * params.factors[item * width + other];
      row[k] = slope;
    }
    solveFactorised(width, factorised(width, matrix), row);
    for (let k = 0; k < width; k += 1) factors[item * width + k] = params.factors[item * width + k] + row[k];
  }
  return { factors, popularity };
}

/** The noisy sum of u u^T, kept positive: noise may push its diagonal below zero. */
function symmetricGram(sum: Float64Array, { gram: start, width }: Layout): Float64Array {
  const gram = new Float64Array(width * width);
  let slot = start;
  for (let a = 0; a < width; a += 1) {
    for (let b = a; b < width; b += 1) {
      gram[a * width + b] = sum[slot];
      gram[b * width + a] = sum[slot];
      slot += 1;
    }
  }
  return diagonallyDominant(gram, width);
}

/** Raises the diagonal until every row dominates its other entries, where it does not: then no pivot fails. */
function diagonallyDominant(gram: Float64Array, width: number): Float64Array {
  const trial = gram.slice();
  for (let k = 0; k < width; k += 1) trial[k * width + k] += 1e-6 * (1 + Math.abs(gram[k * width + k]));
  if (factoriseSmall(width, trial)) return gram;
  for (let a = 0; a < width; a += 1) {
    let others = 0;
    for (let b = 0; b < width; b += 1) if (a !== b) others += Math.abs(gram[a * width + b]);
    gram[a * width + a] = Math.max(gram[a * width + a], others);
  }
  return gram;
}

/** The factor of a matrix that a ridge makes positive definite. @throws CestaError `model.unusable` when numbers overflowed. */
function factorised(width: number, matrix: Float64Array): Float64Array {
  if (!factoriseSmall(width, matrix)) throw new CestaError('model.unusable', 'als: expected finite factors and sums, got others');
  return matrix;
}

/** v_j^T (...)^-1 v_i is what item i of the history adds to the score of item j. */
function explain(solver: ShopperSolver, params: AlsParams, touched: Int32Array, { item, limit, width }: { item: number; limit: number; width: number }): Reason[] {
  if (touched.length === 0) return [];
  const response = solver.respond(params, touched, item);
  return Array.from(touched)
    .map((other): Reason => ({ item: other, weight: dotRow(params.factors.subarray(0, (other + 1) * width), other, response) }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight || a.item - b.item)
    .slice(0, limit);
}

function bounded(u: Float64Array): Float64Array {
  const norm = Math.sqrt(u.reduce((square, value) => square + value * value, 0));
  return norm > 1 ? u.map((value) => value / norm) : u;
}

function dotRow(rows: Float32Array, row: number, u: Float64Array): number {
  let product = 0;
  for (let k = 0; k < u.length; k += 1) product += rows[row * u.length + k] * u[k];
  return product;
}

function addOuter(matrix: Float64Array, rows: Float32Array, row: number, width: number): void {
  for (let a = 0; a < width; a += 1) {
    const value = rows[row * width + a];
    for (let b = 0; b <= a; b += 1) {
      matrix[a * width + b] += value * rows[row * width + b];
      if (a !== b) matrix[b * width + a] += value * rows[row * width + b];
    }
  }
}
