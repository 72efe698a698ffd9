/**
 * Draws from the Dirichlet distribution, for the making of uneven federations. Gamma variables by rejection:
 * Marsaglia and Tsang 2000, "A simple method for generating gamma variables", ACM Transactions on Mathematical
 * Software 26(3), doi:10.1145/358407.358414. Seeded randomness only: this protects nobody.
 */
import { requireNumber } from '../protocol/errors.ts';
import type { SeededRandom } from '../numerics/random.ts';

/**
 * The logarithm of a Gamma(shape, 1) variable. In logarithms, because for a small shape the variable itself
 * is often below the smallest double.
 * @throws CestaError `config.invalid` unless `shape` is in 10^-6..10^6.
 */
export function logGamma(shape: number, random: SeededRandom): number {
  requireNumber('shape', shape, 1e-6, 1e6);
  // Section 6 of the paper: Gamma(a) is Gamma(a + 1) times U^(1/a).
  if (shape < 1) return logGamma(shape + 1, random) + Math.log(1 - random.nextFloat()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = standardNormal(random);
    const v = (1 + c * x) ** 3;
    // 1 - nextFloat() is in (0, 1], where the logarithm is finite.
    if (v > 0 && Math.log(1 - random.nextFloat()) < (x * x) / 2 + d - d * v + d * Math.log(v)) return Math.log(d * v);
  }
}

/**
 * Shares of `count` parts that sum to 1; even for a large `alpha`, nearly all in one part for a small one.
 * @example
 * dirichlet(0.5, 3, seededRandom(7)); // three shares
 */
export function dirichletShares(alpha: number, count: number, random: SeededRandom): Float64Array {
  return unevenShares(new Float64Array(count).fill(alpha), random);
}

/** Shares of as many parts as there are weights, about in proportion to the weights: the more, the larger their sum is. */
export function unevenShares(weights: Float64Array, random: SeededRandom): Float64Array {
  const logs = weights.map((weight) => logGamma(weight, random));
  const largest = logs.reduce((most, value) => Math.max(most, value), -Infinity);
  const parts = logs.map((value) => Math.exp(value - largest));
  const sum = parts.reduce((total, value) => total + value, 0);
  return parts.map((value) => value / sum);
}

/** Marsaglia's polar method, one of its two values. */
function standardNormal(random: SeededRandom): number {
  for (;;) {
    const x = 2 * random.nextFloat() - 1;
    const y = 2 * random.nextFloat() - 1;
    const square = x * x + y * y;
    if (square > 0 && square < 1) return x * Math.sqrt((-2 * Math.log(square)) / square);
  }
}
