/**
 * The Gaussian mechanism, exactly: the privacy curve of Balle and Wang 2018 (Theorem 8), evaluated in logs.
 * It does not cover sampling; and it speaks of real-valued noise, so only a release whose noise is added on
 * the integer grid may use it (as a discrete Gaussian or a Skellam, with their own accountants).
 */
import { gaussLegendre, bracketedRoot, integrate } from '../../numerics/quadrature.ts';
import { log1mExp, logNormalCdf, logNormalDensity, millsRatio } from '../../numerics/special.ts';
import { invalid, requireDelta, requireNonNegative, requirePositive } from '../checks.ts';

/** Reported values are moved outwards by this factor, so that rounding never under-reports. */
const roundingMargin = 1 + 1e-12;

const rule = gaussLegendre(12);

/**
 * log delta of the Gaussian mechanism at `epsilon`, for L2 sensitivity 1 and noise of standard deviation `sigma`.
 * With t = epsilon sigma - 1/(2 sigma) and M the Mills ratio, delta = phi(t) (M(t) - M(t + 1/sigma)); the
 * difference is integrated where it would cancel, since M' = t M - 1.
 */
export function gaussianLogDelta({ sigma, epsilon }: { sigma: number; epsilon: number }): number {
  requirePositive('sigma', sigma);
  requireNonNegative('epsilon', epsilon);
  const gap = 1 / sigma;
  const t = epsilon * sigma - gap / 2;
  if (t < -6) {
    const first = logNormalCdf(-t);
    return first + log1mExp(Math.min(0, epsilon + logNormalCdf(-t - gap) - first));
  }
  const difference = gap < 0.25
    ? integrate(rule, t, t + gap, (z) => 1 - z * millsRatio(z))
    : millsRatio(t) - millsRatio(t + gap);
  return logNormalDensity(t) + Math.log(difference);
}

/** delta of the Gaussian mechanism; see {@link gaussianLogDelta}. Underflows to 0 below 1e-308. */
export function gaussianDelta(parameters: { sigma: number; epsilon: number }): number {
  return Math.exp(gaussianLogDelta(parameters));
}

/**
 * The smallest epsilon for which the Gaussian mechanism of L2 sensitivity 1 is (epsilon, delta)-DP.
 * Compositions of T_j releases at sigma_j are one release at (sum_j T_j / sigma_j^2)^(-1/2).
 * Edge cases: delta at or above the curve's value at 0 gives 0; sigma 0, NaN or Infinity is an error.
 * @throws CestaError `privacy.invalid`
 * @example
 * gaussianEpsilon({ sigma: 1, delta: 1e-5 }); // 4.37718
 */
export function gaussianEpsilon({ sigma, delta }: { sigma: number; delta: number }): number {
  requirePositive('sigma', sigma);
  requireDelta('delta', delta);
  const logDelta = Math.log(delta);
  const excess = (epsilon: number): number => gaussianLogDelta({ sigma, epsilon }) - logDelta;
  if (excess(0) <= 0) return 0;
  let high = 1 / sigma;
  while (excess(high) > 0) high *= 2;
  return bracketedRoot(excess, 0, high) * roundingMargin;
}

/**
 * The smallest standard deviation with which the Gaussian mechanism of L2 sensitivity 1 is (epsilon, delta)-DP.
 * The classical sqrt(2 log(1.25 / delta)) / epsilon is loose below epsilon 1 and wrong above it; this is exact.
 * @throws CestaError `privacy.invalid`
 */
export function gaussianSigma({ epsilon, delta }: { epsilon: number; delta: number }): number {
  requireNonNegative('epsilon', epsilon);
  requireDelta('delta', delta);
  const logDelta = Math.log(delta);
  const excess = (sigma: number): number => gaussianLogDelta({ sigma, epsilon }) - logDelta;
  let [low, high] = [1, 1];
  while (excess(low) < 0) low /= 2;
  while (excess(high) > 0) high *= 2;
  return (low === high ? low : bracketedRoot(excess, low, high)) * roundingMargin;
}

/** The one Gaussian release equal to a composition of unsampled ones. */
export function composedSigma(releases: readonly { readonly sigma: number; readonly count: number }[]): number {
  if (releases.length === 0) throw invalid('releases', 'at least one release', 'none');
  let precision = 0;
  for (const { sigma, count } of releases) precision += requirePositive('count', count) / requirePositive('sigma', sigma) ** 2;
  return 1 / Math.sqrt(precision);
}
