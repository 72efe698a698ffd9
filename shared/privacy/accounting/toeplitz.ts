/**
 * Matrix mechanisms for prefix sums with a lower-triangular Toeplitz strategy C: the noise of round t is (C^-1 z)_t,
 * so that later noise cancels earlier noise. Papers: Fichtenberger, Henzinger and Upadhyay 2023 (the square-root
 * strategy); Choquette-Choo et al. 2023 ("(Amplified) banded matrix
 * factorization", sensitivity); McMahan et
 * al. 2024 (BLT). The release is Gaussian, so its epsilon is exact at sigma / sensitivity.
 */
import { invalid, requireInteger } from '../checks.ts';

/** Coefficients of 1 / sqrt(1 - x): c_0 = 1, c_k = c_(k-1) (2k - 1) / (2k); zero from `bands` on. */
export function squareRootStrategy(rounds: number, bands = rounds): Float64Array {
  requireInteger('rounds', rounds, 1, 1 << 24);
  requireInteger('bands', bands, 1, rounds);
  const coefficients = new Float64Array(rounds);
  coefficients[0] = 1;
  for (let k = 1; k < bands; k += 1) coefficients[k] = (coefficients[k - 1] * (2 * k - 1)) / (2 * k);
  return coefficients;
}

/** Coefficients of C^-1: the power series of 1 / c. */
export function inverseStrategy(coefficients: Float64Array): Float64Array {
  const inverse = new Float64Array(coefficients.length);
  inverse[0] = 1 / coefficients[0];
  for (let t = 1; t < inverse.length; t += 1) {
    let sum = 0;
    for (let j = 1; j <= t; j += 1) sum += coefficients[j] * inverse[t - j];
    inverse[t] = -sum / coefficients[0];
  }
  return inverse;
}

/**
 * Squared L2 sensitivity of C when one shopper takes part in at most `maxParticipations` rounds that are at least
 * `period` rounds apart, with contributions of norm 1: || sum_j shift_(j period)(c) ||^2.
 * Exact for coefficients that are non-negative and non-increasing; others are refused.
 * @throws CestaError `privacy.invalid`
 */
export function toeplitzSensitivitySquared(
  coefficients: Float64Array,
  { period, maxParticipations }: { period: number; maxParticipations: number },
): number {
  requireInteger('period', period);
  requireInteger('maxParticipations', maxParticipations);
  for (let k = 0; k < coefficients.length; k += 1) {
    if (!(coefficients[k] >= 0) || (k > 0 && coefficients[k] > coefficients[k - 1])) {
      throw invalid('coefficients', 'non-negative and non-increasing', `${coefficients[k]} at ${k}`);
    }
  }
  let total = 0;
  for (let t = 0; t < coefficients.length; t += 1) {
    let sum = 0;
    for (let j = 0; j < maxParticipations && j * period <= t; j += 1) sum += coefficients[t - j * period];
    total += sum * sum;
  }
  return total;
}

export interface PrefixError {
  /** Largest and mean squared error over rounds of a prefix sum, for base noise of standard deviation 1. */
  readonly maxSquared: number;
  readonly meanSquared: number;
}

/** Error of all prefix sums: row t of A C^-1 holds the first t + 1 prefix sums of C^-1's coefficients. */
export function prefixError(coefficients: Float64Array): PrefixError {
  const inverse = inverseStrategy(coefficients);
  let [prefix, row, total] = [0, 0, 0];
  for (const coefficient of inverse) {
    prefix += coefficient;
    row += prefix * prefix;
    total += row;
  }
  return { maxSquared: row, meanSquared: total / inverse.length };
}
