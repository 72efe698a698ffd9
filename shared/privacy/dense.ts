/**
 * Dense contributions, such as a neural model's weight deltas, under Skellam noise at few bits: clip, rotate, scale,
 * round at random within a norm bound, sum in integers. Paper: Agarwal, Kairouz and Liu 2021, "The Skellam mechanism"
 * (Algorithm 1); Kairouz, Liu and Steinke 2021 for the conditional rounding.
 * Sparse contributions do not need it: see `clip.ts`, which rounds without inflating the norm.
 */
import { uniform53, type RandomWords } from '../numerics/random.ts';
import { CestaError } from '../protocol/errors.ts';
import { skellamReleaseEpsilon, smallestNoise } from './accounting/skellam.ts';
import { invalid, requireDelta, requireInteger, requirePositive, requireRounds } from './checks.ts';
import { finestScale } from './grid-calibration.ts';
import { largestNoiseSteps } from './grid.ts';
import { defaultBeta, heuristicScale, roundedNormBound } from './rounding.ts';
import { paddedLength, rotate, unrotate } from './rotation.ts';

export interface DenseBounds {
  /** L2 norm no vector exceeds before rounding, in vector units. */
  readonly clipNorm: number;
  /** Grid steps per unit. */
  readonly scale: number;
  /** Public seed of the round's rotation. */
  readonly rotationSeed: number;
}

/**
 * Adds one dense vector to a sum of padded length, clipped, rotated and rounded.
 *
 * Sensitivity: the integers added have L2 norm at most {@link denseSensitivity}, checked in exact arithmetic after
 * rounding; roundings beyond it are drawn again (about 1.1 tries), and a vector that cannot be rounded within it
 * counts as zero. Given the clip, the rounding is unbiased up to the rejection.
 * Edge cases: a vector with an entry that is not finite counts as zero; clipNorm 0 is an error.
 * @throws CestaError `privacy.invalid`
 */
export function addDense(sum: Int32Array, vector: Float64Array, { clipNorm, scale, rotationSeed }: DenseBounds, random: RandomWords): void {
  requirePositive('clipNorm', clipNorm);
  requirePositive('scale', scale);
  if (sum.length !== paddedLength(vector.length)) throw invalid('sum', `a length of ${paddedLength(vector.length)}`, sum.length);
  const norm = Math.hypot(...chunkNorms(vector));
  if (!Number.isFinite(norm)) return;
  const rotated = rotate(vector, rotationSeed);
  const factor = scale * Math.min(1, norm === 0 ? 1 : clipNorm / norm);
  const bound = denseSensitivity(clipNorm, scale, vector.length).l2 ** 2;
  // Below 2^53 the square norm of integers is exact in a double.
  if (bound > Number.MAX_SAFE_INTEGER) throw invalid('scale', 'a scale at which (scale clipNorm)^2 stays below 2^53', scale);
  const rounded = new Int32Array(sum.length);
  for (let attempt = 0; attempt < 1000; attempt += 1) {
    if (roundAtRandom(rotated, factor, rounded, random) <= bound) {
      for (let i = 0; i < sum.length; i += 1) sum[i] += rounded[i];
      return;
    }
  }
}

/** Norms of stretches, so that no single call takes a million arguments. */
function chunkNorms(vector: Float64Array): number[] {
  const norms: number[] = [];
  for (let start = 0; start < vector.length; start += 4096) norms.push(Math.hypot(...vector.subarray(start, start + 4096)));
  return norms;
}

/** Rounds to a neighbouring integer with the probabilities that keep the mean; returns the squared norm. */
function roundAtRandom(values: Float64Array, factor: number, into: Int32Array, random: RandomWords): number {
  let square = 0;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] * factor;
    const floor = Math.floor(value);
    into[i] = floor + (uniform53(random) < value - floor ? 1 : 0);
    square += into[i] * into[i];
  }
  return square;
}

/** Integer sensitivities of one dense vector: L2 by the rounding bound, L1 <= min(sqrt(d) L2, L2^2). */
export function denseSensitivity(clipNorm: number, scale: number, length: number): { l2: number; l1: number } {
  const padded = paddedLength(length);
  const l2 = roundedNormBound(clipNorm * scale, padded, defaultBeta);
  return { l2, l1: Math.min(Math.sqrt(padded) * l2, l2 * l2) };
}

/** A decoded sum in vector units: modulo 2^bits into the centred range, unscaled, unrotated. */
export function decodeDense(sum: Int32Array, { scale, rotationSeed }: Pick<DenseBounds, 'scale' | 'rotationSeed'>, bits: number, length: number): Float64Array {
  requireInteger('bits', bits, 1, 32);
  const values = Float64Array.from(sum, (value) => ((value << (32 - bits)) >> (32 - bits)) / scale);
  return unrotate(values, rotationSeed, length);
}

export interface DenseRequirements {
  readonly epsilon: number;
  readonly delta: number;
  readonly rounds: number;
  readonly clipNorm: number;
  /** Coordinates of the vector, before padding. */
  readonly length: number;
  /** Vectors in one sum: shoppers, not participants. */
  readonly maxShoppers: number;
  /** Participants in one sum, at most, and how many of them the guarantee counts on for noise. Default 1 and 1. */
  readonly maxParticipants?: number;
  readonly honestShares?: number;
  /** Rate of the secret Poisson sample of every round; 1 by default. */
  readonly sampling?: number;
  /** Renyi orders to choose from: one alone where a filter fixed it in advance. */
  readonly orders?: readonly number[];
  /** Noise may exceed the central Gaussian's by this factor. Default 1.05. */
  readonly largestInflation?: number;
  /** Fewest bits to try. Default 8. */
  readonly bits?: number;
}

export interface DensePlan {
  readonly bits: number;
  /** Grid steps per unit: a power of two. */
  readonly scale: number;
  /** Noise in the sum, in vector units. */
  readonly noiseStd: number;
  /** noiseStd over what an unquantised Gaussian with the same Renyi accounting needs. */
  readonly inflation: number;
}

/**
 * The fewest bits, with their scale and noise, at which `rounds` sums are (epsilon, delta)-DP for one shopper with
 * at most `largestInflation` times the noise that no quantisation would need.
 * @throws CestaError `privacy.infeasible` when 32 bits do not do; `privacy.invalid` on arguments out of range.
 */
export function solveDense(requirements: DenseRequirements): DensePlan {
  const { epsilon, delta, rounds, clipNorm, length, maxShoppers, largestInflation = 1.05, bits: fewest = 8 } = requirements;
  requirePositive('epsilon', epsilon);
  requireDelta('delta', delta);
  requireRounds('rounds', rounds);
  requirePositive('clipNorm', clipNorm);
  requireInteger('maxShoppers', maxShoppers);
  const fine = noiseAtScale(requirements, finestScale(clipNorm));
  for (let bits = fewest; bits <= 32; bits += 1) {
    const plan = planAtBits(requirements, bits, fine);
    if (plan !== undefined && plan.noiseStd <= largestInflation * fine) return { bits, ...plan, inflation: plan.noiseStd / fine };
  }
  throw new CestaError('privacy.infeasible', `bits: expected at most 32 for ${maxShoppers} shoppers and ${length} coordinates, got none that keeps the noise within ${largestInflation} times the least`);
}

/** Scale and noise depend on each other: starts from the least noise there is and iterates until the scale settles. */
function planAtBits(requirements: DenseRequirements, bits: number, leastNoise: number): { scale: number; noiseStd: number } | undefined {
  const { clipNorm, length, maxShoppers, maxParticipants = 1, honestShares = 1 } = requirements;
  if (4 ** bits <= 16 * maxShoppers) return undefined;
  let noiseStd = leastNoise;
  for (let step = 0; step < 30; step += 1) {
    const localNoiseStd = noiseStd / Math.sqrt(honestShares);
    const sumNoiseStd = localNoiseStd * Math.sqrt(maxParticipants);
    const roomiest = heuristicScale({ vectors: maxShoppers, clipNorm, noiseStd: sumNoiseStd, length: paddedLength(length), bits });
    const scale = 2 ** Math.floor(Math.log2(Math.min(roomiest, largestNoiseSteps / localNoiseStd)));
    const needed = noiseAtScale(requirements, scale);
    // A grid this coarse needs more noise than the data has room for: it would only grow from here.
    if (!(needed < 1e3 * leastNoise)) return undefined;
    // Noise for a coarser grid than it asks for is sound: stop once it no longer grows.
    if (needed <= noiseStd * (1 + 1e-9)) return { scale, noiseStd: Math.max(noiseStd, needed) };
    noiseStd = needed;
  }
  return undefined;
}

function noiseAtScale({ epsilon, clipNorm, length, ...terms }: DenseRequirements, scale: number): number {
  const sensitivity = denseSensitivity(clipNorm, scale, length);
  return smallestNoise((noiseStd) => skellamReleaseEpsilon({ ...sensitivity, variance: (scale * noiseStd) ** 2 }, terms).epsilon, { epsilon, clipNorm });
}
