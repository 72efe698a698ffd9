/**
 * Bounds for dense vectors that are rotated and stochastically rounded: what rounding may add to a norm, and how
 * fine a grid a modulus allows. Papers: Kairouz, Liu and Steinke 2021 (equation 61 for the scale); Agarwal,
 * Kairouz and Liu 2021.
 */
import { CestaError } from '../protocol/errors.ts';
import { invalid, requireInteger, requireNonNegative, requirePositive } from './checks.ts';

/** The usual rejection parameter: a rounding is kept with probability at least 1 - e^(-1/2). */
export const defaultBeta = Math.exp(-0.5);

/**
 * Norm that a stochastically rounded vector of `length` coordinates and (scaled) norm `norm` may have, when roundings
 * beyond it are drawn again: B^2 = min((norm + sqrt d)^2, norm^2 + d/4 + sqrt(2 ln 1/beta) (norm + sqrt(d) / 2)).
 * Edge case: beta 0 gives the first term, which no rounding exceeds.
 */
export function roundedNormBound(norm: number, length: number, beta = defaultBeta): number {
  requireNonNegative('norm', norm);
  requireInteger('length', length);
  if (!(beta >= 0 && beta < 1)) throw invalid('beta', 'a number in 0..1, 1 excluded', beta);
  const root = Math.sqrt(length);
  const certain = (norm + root) ** 2;
  const likely = norm * norm + length / 4 + Math.sqrt(2 * Math.log(1 / beta)) * (norm + root / 2);
  return Math.sqrt(Math.min(certain, likely));
}

export interface ScaleRequirements {
  /** Vectors in one sum: shoppers, not participants. */
  readonly vectors: number;
  readonly clipNorm: number;
  /** Standard deviation of the noise in the sum, in vector units. */
  readonly noiseStd: number;
  /** Coordinates after padding to a power of two. */
  readonly length: number;
  /** Bits of the modulus. */
  readonly bits: number;
  /** Standard deviations of the sum that must not wrap. Default 4. */
  readonly deviations?: number;
  /** Concentration of a rotated vector's coordinates; 1 is sub-Gaussian with the norm's own variance. */
  readonly rho?: number;
}

/**
 * Grid steps per unit with which a sum of rotated vectors keeps `deviations` standard deviations within the modulus:
 * s = sqrt(2^(2b) - n k^2) / (2k sqrt(rho C^2 n^2 / d + noiseStd^2)). A wrap costs accuracy, never privacy.
 * @throws CestaError `privacy.infeasible` when even the rounding of `vectors` vectors fills the modulus.
 */
export function heuristicScale({ vectors, clipNorm, noiseStd, length, bits, deviations = 4, rho = 1 }: ScaleRequirements): number {
  requireInteger('vectors', vectors);
  requirePositive('clipNorm', clipNorm);
  requireNonNegative('noiseStd', noiseStd);
  requireInteger('length', length);
  requireInteger('bits', bits, 1, 32);
  requirePositive('deviations', deviations);
  const room = 4 ** bits - vectors * deviations * deviations;
  if (!(room > 0)) {
    throw new CestaError('privacy.infeasible', `bits: expected 2^(2 bits) above vectors deviations^2 = ${vectors * deviations ** 2}, got ${bits} bits`);
  }
  return Math.sqrt(room) / (2 * deviations * Math.sqrt((rho * clipNorm ** 2 * vectors ** 2) / length + noiseStd ** 2));
}
