/**
 * The factor of one shopper, solved exactly from the items touched and the item factors of a release:
 * u = argmin sum w (1 - u v)^2 + a0 |V u|^2 + lambda (sum w + a0 items)^power |u|^2 (Hu, Koren and Volinsky 2008; the ridge
 * scaled by frequency as in Rendle, Krichene, Zhang and Koren 2021, "Revisiting the performance of iALS on item
 * recommendation benchmarks"). Memory is reserved once and reused: what a call returns is valid until the next one.
 */
import { factoriseSmall, solveFactorised } from '../../numerics/small-cholesky.ts';
import { CestaError } from '../../protocol/errors.ts';
import type { AlsParams } from './release.ts';

export interface ShopperTerms {
  readonly items: number;
  readonly width: number;
  readonly unobserved: number;
  readonly regularisation: number;
  readonly frequencyPower: number;
}

export interface ShopperSolver {
  /** The factor. `weights` has one number for each touched item; null: every item counts 1. */
  solve(params: AlsParams, touched: Int32Array, weights: Float64Array | null): Float64Array;
  /** The factor among those of norm at most 1: what may be reported. */
  solveWithin(params: AlsParams, touched: Int32Array): Float64Array;
  /** The same system with one item alone on the right-hand side: its product with w v is what v adds to that item's score. */
  respond(params: AlsParams, touched: Int32Array, weights: Float64Array | null, item: number): Float64Array;
}

/** Newton's method on the multiplier of |u| <= 1 converges quadratically; what is left after so many steps is scaled away. */
const mostBoundSteps = 12;

export function createShopperSolver(terms: ShopperTerms): ShopperSolver {
  const { items, width, unobserved, regularisation, frequencyPower } = terms;
  const gramOf = cachedGrams(width);
  const system = new Float64Array(width * width);
  const right = new Float64Array(width);
  const sensitivity = new Float64Array(width);

  /** Leaves the factorised system in `system`. */
  function factorise(params: AlsParams, touched: Int32Array, weights: Float64Array | null, multiplier: number): void {
    const gram = gramOf(params);
    for (let at = 0; at < system.length; at += 1) system[at] = unobserved * gram[at];
    let total = 0;
    for (let position = 0; position < touched.length; position += 1) {
      const weight = weights === null ? 1 : weights[position];
      addOuter(system, params.factors, touched[position], { width, weight });
      total += weight;
    }
    const ridge = regularisation * (total + unobserved * items) ** frequencyPower + multiplier;
    for (let k = 0; k < width; k += 1) system[k * width + k] += ridge;
    requireFactorised(width, system);
  }

  /** The right-hand side sum w v, solved in place. */
  function solveFor(params: AlsParams, touched: Int32Array, weights: Float64Array | null): Float64Array {
    right.fill(0);
    for (let position = 0; position < touched.length; position += 1) {
      const weight = weights === null ? 1 : weights[position];
      const row = touched[position] * width;
      for (let k = 0; k < width; k += 1) right[k] += weight * params.factors[row + k];
    }
    return solveFactorised(width, system, right);
  }

  return {
    solve(params, touched, weights) {
      factorise(params, touched, weights, 0);
      return solveFor(params, touched, weights);
    },
    solveWithin(params, touched) {
      let multiplier = 0;
      for (let step = 0; ; step += 1) {
        factorise(params, touched, null, multiplier);
        solveFor(params, touched, null);
        const norm = Math.sqrt(dot(right, right));
        if (norm <= 1) return right;
        if (step === mostBoundSteps || norm <= 1 + 1e-12) return scale(right, 1 / norm);
        // Newton on 1 / |u(multiplier)| = 1, which is concave: no step goes too far (Conn, Gould and Toint 2000, section 7.3).
        sensitivity.set(right);
        solveFactorised(width, system, sensitivity);
        multiplier += ((norm - 1) * norm ** 2) / dot(right, sensitivity);
      }
    },
    respond(params, touched, weights, item) {
      factorise(params, touched, weights, 0);
      for (let k = 0; k < width; k += 1) right[k] = params.factors[item * width + k];
      return solveFactorised(width, system, right);
    },
  };
}

/** Lower triangles of V^T V, the same for every shopper of a round. */
function cachedGrams(width: number): (params: AlsParams) => Float64Array {
  const grams = new WeakMap<AlsParams, Float64Array>();
  return (params) => {
    const known = grams.get(params);
    if (known !== undefined) return known;
    const gram = new Float64Array(width * width);
    for (let item = 0; item * width < params.factors.length; item += 1) addOuter(gram, params.factors, item, { width, weight: 1 });
    grams.set(params, gram);
    return gram;
  };
}

/** Adds w v v^T, lower triangle alone. */
function addOuter(matrix: Float64Array, rows: Float32Array, row: number, { width, weight }: { readonly width: number; readonly weight: number }): void {
  const start = row * width;
  for (let a = 0; a < width; a += 1) {
    const value = weight * rows[start + a];
    for (let b = 0, at = a * width; b <= a; b += 1, at += 1) matrix[at] += value * rows[start + b];
  }
}

/** Factorises in place a matrix that a ridge makes positive definite. @throws CestaError `model.unusable` when numbers overflowed. */
export function requireFactorised(width: number, matrix: Float64Array): void {
  if (!factoriseSmall(width, matrix)) throw new CestaError('model.unusable', 'als: expected finite factors and sums, got others');
}

function dot(a: Float64Array, b: Float64Array): number {
  let product = 0;
  for (let k = 0; k < a.length; k += 1) product += a[k] * b[k];
  return product;
}

function scale(u: Float64Array, factor: number): Float64Array {
  for (let k = 0; k < u.length; k += 1) u[k] *= factor;
  return u;
}
