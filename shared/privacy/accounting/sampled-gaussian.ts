/**
 * The Gaussian mechanism on a secret Poisson sample: moments of its privacy loss and its exact single-release
 * curve. With x drawn from N(0, sigma^2), the density ratio is r(x) = 1 - q + q exp((2x - 1) / (2 sigma^2)).
 * Papers: Mironov, Talwar and Zhang 2019 (integer orders); Trefethen and Weideman 2014 (the trapezoidal rule,
 * exponentially convergent for the analytic integrand); Balle and Wang 2018 (the single release).
 */
import { log1mExp, logAddExp, logBinomial, logSumExp } from '../../numerics/special.ts';
import { invalid, requireFraction, requireNonNegative, requirePositive } from '../checks.ts';
import { gaussianLogDelta } from './gaussian.ts';

export interface SampledGaussian {
  readonly sigma: number;
  readonly sampling: number;
}

/** Half-width of the integration range, in standard deviations: the density beyond is 1e-20 of its peak. */
export const rangeSigmas = 9.5;

/**
 * RDP at any real order above 1 of one release. Sensitivity 1 in L2; `remove` direction, which is the worse one
 * (Mironov, Talwar and Zhang 2019, Theorem 5).
 * Edge cases: rate 0 gives 0; rate 1 gives order / (2 sigma^2).
 * @throws CestaError `privacy.invalid`
 */
export function sampledGaussianRdp(order: number, mechanism: SampledGaussian): number {
  if (!(order > 1) || !Number.isFinite(order)) throw invalid('order', 'a finite number above 1', order);
  return logMoment(order, mechanism) / (order - 1);
}

/**
 * log E[r(x)^power] for x from N(0, sigma^2), any real power at or above 1 or at or below 0: the cumulant of the
 * privacy loss at power - 1 (`remove`) or -power (`add`).
 */
export function logMoment(power: number, { sigma, sampling }: SampledGaussian): number {
  requirePositive('sigma', sigma);
  requireFraction('sampling', sampling);
  if (sampling === 0 || power === 0 || power === 1) return 0;
  if (sampling === 1) return (power * (power - 1)) / (2 * sigma * sigma);
  if (Number.isInteger(power) && power > 1 && power <= largestBinomialOrder) return logAddExp(0, logExcessByBinomial(power, sigma, sampling));
  if (sigma < smallestQuadratureSigma && power > 1 && power < largestBinomialOrder) {
    // The cumulant is convex in the power: the chord between integers lies above it.
    const below = Math.floor(power);
    const [left, right] = [logMoment(below, { sigma, sampling }), logMoment(below + 1, { sigma, sampling })];
    return left + (power - below) * (right - left);
  }
  return logAddExp(0, logExcessByQuadrature(power, sigma, sampling));
}

/** Largest power summed term by term. */
const largestBinomialOrder = 4096;

/** Below it the quadrature's grid is finer than the answer deserves: an epsilon in the thousands. */
const smallestQuadratureSigma = 0.05;

/** log(E[r^n] - 1) = log sum_(i>=2) C(n,i) q^i (1-q)^(n-i) expm1((i^2 - i) / (2 sigma^2)): positive terms only. */
function logExcessByBinomial(order: number, sigma: number, sampling: number): number {
  const logIn = Math.log(sampling);
  const logOut = Math.log1p(-sampling);
  const terms = new Float64Array(order - 1);
  for (let i = 2; i <= order; i += 1) {
    const exponent = (i * i - i) / (2 * sigma * sigma);
    terms[i - 2] = logBinomial(order, i) + i * logIn + (order - i) * logOut + exponent + log1mExp(-exponent);
  }
  return logSumExp(terms);
}

/**
 * log(E[r^a] - 1) by the trapezoidal rule. Since E[r - 1] = 0, the integrand r^a - 1 - a (r - 1) has the same mean
 * and is never negative, so nothing cancels at tiny rates.
 */
function logExcessByQuadrature(power: number, sigma: number, sampling: number): number {
  const step = Math.min(sigma / 16, (sigma * sigma) / 2.5);
  const low = Math.min(0, power) - rangeSigmas * sigma;
  const high = Math.max(0, power) + rangeSigmas * sigma;
  const nodes = Math.ceil((high - low) / step) + 1;
  // Orders this far out are never the best one; Infinity is the sound answer that costs nothing.
  if (nodes > 2_000_000) return Infinity;
  const terms = new Float64Array(nodes);
  for (let i = 0; i < nodes; i += 1) {
    const x = low + i * step;
    terms[i] = -(x * x) / (2 * sigma * sigma) + logConvexity(power, (2 * x - 1) / (2 * sigma * sigma), sampling);
  }
  return logSumExp(terms) + Math.log(step / (sigma * Math.sqrt(2 * Math.PI)));
}

/** log(r^a - 1 - a (r - 1)) for r = 1 - q + q e^y. */
function logConvexity(power: number, y: number, sampling: number): number {
  if (y > 30) return logFarConvexity(power, logAddExp(Math.log1p(-sampling), Math.log(sampling) + y));
  const change = sampling * Math.expm1(y);
  if (Math.abs(power * change) < 0.02 && Math.abs(change) < 0.02) return Math.log(convexSeries(power, change));
  return logNearConvexity(power, change, Math.log1p(change));
}

function logNearConvexity(power: number, change: number, log: number): number {
  const exponent = power * log;
  return exponent > 600
    ? exponent + Math.log1p(-(1 + power * change) * Math.exp(-exponent))
    : Math.log(Math.expm1(exponent) - power * change);
}

/** The same where r itself may overflow: relative to the larger of r^a and r. */
function logFarConvexity(power: number, log: number): number {
  if (power < 0) {
    // r^a - 1 + |a| (r - 1), relative to r.
    return log + Math.log(-power * -Math.expm1(-log) + Math.exp((power - 1) * log) - Math.exp(-log));
  }
  if (power * log < 30) return logNearConvexity(power, Math.expm1(log), log);
  const least = Math.exp(-power * log);
  return power * log + Math.log1p(-least - power * (Math.exp((1 - power) * log) - least));
}

/** sum_(j>=2) C(a, j) u^j for small u. */
function convexSeries(power: number, change: number): number {
  let term = (power * (power - 1) * change * change) / 2;
  let sum = term;
  for (let j = 2; j < 12; j += 1) {
    term *= ((power - j) / (j + 1)) * change;
    sum += term;
  }
  return sum;
}

/**
 * log delta of one release at `epsilon`, exactly, in one direction. The curve of the sampled mechanism is that of
 * the Gaussian at a larger epsilon, scaled.
 * `remove`: q delta_G(log(1 + (e^epsilon - 1) / q)). `add`: (1 - (1-q) e^epsilon) delta_G(-log(1 - (1 - e^-epsilon) / q)).
 */
export function sampledGaussianLogDelta(direction: Direction, epsilon: number, { sigma, sampling }: SampledGaussian): number {
  requirePositive('sigma', sigma);
  requireFraction('sampling', sampling);
  requireNonNegative('epsilon', epsilon);
  if (sampling === 0) return -Infinity;
  if (direction === 'remove') {
    return Math.log(sampling) + gaussianLogDelta({ sigma, epsilon: Math.log1p(Math.expm1(epsilon) / sampling) });
  }
  const kept = Math.expm1(-epsilon) / sampling;
  if (kept <= -1) return -Infinity;
  return epsilon + Math.log(sampling) + Math.log1p(kept) + gaussianLogDelta({ sigma, epsilon: -Math.log1p(kept) });
}

/** Which neighbour the observer tests against: with the unit removed, or with it added. */
export type Direction = 'remove' | 'add';
export const directions: readonly Direction[] = ['remove', 'add'];
