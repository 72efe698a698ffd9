/**
 * The exact discrete Gaussian by rejection from a discrete Laplace, in integers throughout.
 * Paper: Canonne, Kamath and Steinke 2020, "The discrete Gaussian for differential privacy" (Algorithms 1 to 3).
 * Its running time depends on the values drawn: draw in bulk, before data is seen.
 */
import { uniformBelow, type RandomWords } from '../numerics/random.ts';
import { requireInteger } from './checks.ts';

export interface DiscreteGaussianSampler {
  /** The parameter sigma^2: the variance is this to within 1e-7 from 1 up, and below it always. */
  readonly variance: number;
  /** Overwrites `into` with independent draws. */
  fill(into: Int32Array, random: RandomWords): void;
}

/** Parameters for which every comparison fits the integers of a double: 2 variance t^2 < 2^53 with t about sigma. */
export const largestGaussianVariance = 1 << 25;

/**
 * A sampler of integers x with probability proportional to exp(-x^2 / (2 variance)); exact under ideal random words.
 * Guarantee: adding it to an integer sum of integer L2 sensitivity D is D^2 / (2 variance)-zCDP.
 * Edge cases: a variance that is no integer in 1..2^25 is an error; round it up, which only adds privacy.
 * @throws CestaError `privacy.invalid`
 */
export function discreteGaussianSampler({ variance }: { variance: number }): DiscreteGaussianSampler {
  requireInteger('variance', variance, 1, largestGaussianVariance);
  const scale = Math.floor(Math.sqrt(variance)) + 1;
  return {
    variance,
    fill(into, random) {
      for (let i = 0; i < into.length; i += 1) into[i] = draw(variance, scale, random);
    },
  };
}

function draw(variance: number, scale: number, random: RandomWords): number {
  for (;;) {
    const candidate = discreteLaplace(scale, random);
    // Accept with probability exp(-(|y| - variance / t)^2 / (2 variance)) = exp(-(|y| t - variance)^2 / (2 variance t^2)).
    const distance = Math.abs(candidate) * scale - variance;
    if (bernoulliExp(distance, 2 * variance * scale * scale, random)) return candidate;
  }
}

/** Integers with probability proportional to exp(-|y| / scale). */
function discreteLaplace(scale: number, random: RandomWords): number {
  for (;;) {
    const fraction = below(scale, random);
    if (!bernoulliExpFraction(fraction, scale, random)) continue;
    let whole = 0;
    while (bernoulliExpFraction(1, 1, random)) whole += 1;
    const magnitude = fraction + scale * whole;
    const negative = (random.nextUint32() & 1) === 1;
    // Zero would be drawn with both signs.
    if (!(negative && magnitude === 0)) return negative ? -magnitude : magnitude;
  }
}

/** True with probability exp(-distance^2 / denominator). The square of a far candidate needs more than 53 bits. */
function bernoulliExp(distance: number, denominator: number, random: RandomWords): boolean {
  const size = Math.abs(distance);
  if (size < 94_906_265) return bernoulliExpRatio(size * size, denominator, random);
  const square = BigInt(size) * BigInt(size);
  const wholes = square / BigInt(denominator);
  // exp(-2^20) is drawn as well, one unit at a time, but stops at the first failure.
  for (let unit = 0n; unit < wholes; unit += 1n) if (!bernoulliExpFraction(1, 1, random)) return false;
  return bernoulliExpFraction(Number(square % BigInt(denominator)), denominator, random);
}

/** True with probability exp(-numerator / denominator), any ratio. */
function bernoulliExpRatio(numerator: number, denominator: number, random: RandomWords): boolean {
  let rest = numerator;
  while (rest >= denominator) {
    if (!bernoulliExpFraction(1, 1, random)) return false;
    rest -= denominator;
  }
  return bernoulliExpFraction(rest, denominator, random);
}

/** True with probability exp(-numerator / denominator) for a ratio of at most 1: the parity of a run of coin flips. */
function bernoulliExpFraction(numerator: number, denominator: number, random: RandomWords): boolean {
  let k = 1;
  // A coin of numerator / (denominator k) is two independent ones, so no product overflows.
  while (below(k, random) === 0 && below(denominator, random) < numerator) k += 1;
  return k % 2 === 1;
}

/** Uniform in 0..bound-1, bounds up to 2^53, by rejection. */
function below(bound: number, random: RandomWords): number {
  if (bound === 1) return 0;
  if (bound <= 4_294_967_296) return uniformBelow(random, bound);
  const limit = 2 ** 53 - (2 ** 53 % bound);
  for (;;) {
    const value = (random.nextUint32() >>> 11) * 4_294_967_296 + random.nextUint32();
    if (value < limit) return value % bound;
  }
}
