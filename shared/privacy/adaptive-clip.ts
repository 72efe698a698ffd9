/**
 * Adaptive clipping: the clip norm follows a quantile of the contributions' norms, learned from one private bit per
 * contributor. Paper: Andrew, Thakkar, McMahan and Ramaswamy 2021, "Differentially private learning with adaptive
 * clipping" (Algorithm 1, Theorem 1).
 */
import { CestaError } from '../protocol/errors.ts';
import { requireInteger, requirePositive, requireFraction } from './checks.ts';

/** Noise inflation above which adapting the clip norm costs more than it gains. */
export const largestInflation = 1.1;

/**
 * Noise multiplier left for the vector when the bit's sum gets noise of standard deviation `countStd`, so that both
 * together are one release of multiplier `noiseMultiplier`: (z^-2 - (2 countStd)^-2)^(-1/2). The bit is b - 1/2, of
 * sensitivity 1/2.
 * @throws CestaError `privacy.infeasible` unless noiseMultiplier < 2 countStd.
 */
export function valueNoiseMultiplier({ noiseMultiplier, countStd }: { noiseMultiplier: number; countStd: number }): number {
  requirePositive('noiseMultiplier', noiseMultiplier);
  requirePositive('countStd', countStd);
  if (!(noiseMultiplier < 2 * countStd)) {
    throw new CestaError('privacy.infeasible', `countStd: expected above noiseMultiplier / 2 = ${noiseMultiplier / 2}, got ${countStd}`);
  }
  return (noiseMultiplier ** -2 - (2 * countStd) ** -2) ** -0.5;
}

export interface AdaptiveClipPlan {
  /** Noise of the bit's sum, in contributors. */
  readonly countStd: number;
  /** Noise multiplier of the vector. */
  readonly valueNoiseMultiplier: number;
  /** What the bit costs: valueNoiseMultiplier / noiseMultiplier. */
  readonly inflation: number;
}

/**
 * Splits a noise multiplier between vector and bit for a cohort of this size; the bit's noise is a twentieth of the
 * cohort, as in the paper.
 * @throws CestaError `privacy.infeasible` when the cohort is too small: more than 10 % more noise, or none possible.
 */
export function planAdaptiveClip({ noiseMultiplier, cohort }: { noiseMultiplier: number; cohort: number }): AdaptiveClipPlan {
  requireInteger('cohort', cohort);
  const countStd = cohort / 20;
  const value = valueNoiseMultiplier({ noiseMultiplier, countStd });
  const inflation = value / noiseMultiplier;
  if (inflation > largestInflation) {
    throw new CestaError('privacy.infeasible', `cohort: expected enough contributors for at most ${largestInflation} times the noise, got ${inflation.toFixed(2)} times at ${cohort}; fix the clip norm instead`);
  }
  return { countStd, valueNoiseMultiplier: value, inflation };
}

/** The next clip norm: C exp(-rate (fraction - quantile)), for the noisy fraction of contributions that were within C. */
export function nextClipNorm({ clipNorm, noisyFraction, quantile, rate }: { clipNorm: number; noisyFraction: number; quantile: number; rate: number }): number {
  requirePositive('clipNorm', clipNorm);
  requireFraction('quantile', quantile);
  requirePositive('rate', rate);
  if (!Number.isFinite(noisyFraction)) throw new CestaError('privacy.invalid', `noisyFraction: expected a finite number, got ${noisyFraction}`);
  return clipNorm * Math.exp(-rate * (noisyFraction - quantile));
}

/**
 * The coordinate that carries the bit inside the vector's own sum: (b - 1/2) valueNoise C / countStd. With it, noise
 * of one standard deviation serves every coordinate, and the joint L2 sensitivity is valueNoise C / noiseMultiplier.
 */
export function clipBitCoordinate({ within, clipNorm, countStd, valueNoise }: { within: boolean; clipNorm: number; countStd: number; valueNoise: number }): number {
  return ((within ? 0.5 : -0.5) * valueNoise * clipNorm) / countStd;
}

/** The noisy fraction from the summed coordinate: undo the scale and the -1/2 of every contributor. */
export function clipBitFraction({ coordinate, contributors, clipNorm, countStd, valueNoise }: { coordinate: number; contributors: number; clipNorm: number; countStd: number; valueNoise: number }): number {
  return (coordinate * countStd) / (valueNoise * clipNorm) / contributors + 0.5;
}
