/**
 * The discrete Gaussian: integers with probability proportional to exp(-x^2 / (2 sigma^2)).
 * Papers: Canonne, Kamath and Steinke 2020 (one party); Kairouz, Liu and Steinke 2021 (sums of many parties' noise,
 * which are not discrete Gaussians themselves).
 */
import { requireInteger, requireNonNegative, requirePositive } from '../checks.ts';
import { epsilonAtOrders, type OrderTerms } from './integer-orders.ts';

/** Sum over all integers of exp(-x^2 / (2 sigma^2)). */
export function discreteGaussianNormaliser(variance: number): number {
  return latticeSum(variance, () => 1);
}

/** Variance of the discrete Gaussian of parameter `variance`: never larger. */
export function discreteGaussianVariance(variance: number): number {
  return latticeSum(variance, (x) => x * x) / discreteGaussianNormaliser(variance);
}

function latticeSum(variance: number, f: (x: number) => number): number {
  requirePositive('variance', variance);
  const reach = Math.ceil(40 * Math.sqrt(variance)) + 1;
  let sum = f(0);
  for (let x = reach; x >= 1; x -= 1) sum += 2 * f(x) * Math.exp(-(x * x) / (2 * variance));
  return sum;
}

/** rho of one release of an integer query of L2 sensitivity `sensitivity`: sensitivity^2 / (2 variance). */
export function discreteGaussianRho(sensitivity: number, variance: number): number {
  return requireNonNegative('sensitivity', sensitivity) ** 2 / (2 * requirePositive('variance', variance));
}

/**
 * delta of one release of one integer of integer sensitivity, exactly (Canonne, Kamath and Steinke 2020, Theorem 7):
 * P[X > eps var / D - D / 2] - e^eps P[X > eps var / D + D / 2].
 */
export function discreteGaussianDelta({ variance, sensitivity, epsilon }: { variance: number; sensitivity: number; epsilon: number }): number {
  requireInteger('sensitivity', sensitivity);
  requireNonNegative('epsilon', epsilon);
  const normaliser = discreteGaussianNormaliser(variance);
  const threshold = (epsilon * variance) / sensitivity;
  const first = Math.floor(threshold - sensitivity / 2) + 1;
  const reach = Math.ceil(first + 40 * Math.sqrt(variance)) + sensitivity;
  let sum = 0;
  // Term by term, P(x) - e^eps P(x + D) at the same rank is never negative: no cancellation of large sums.
  for (let x = reach; x >= first; x -= 1) {
    const gain = Math.exp(-(x * x) / (2 * variance));
    const loss = epsilon - ((x + sensitivity) ** 2 - x * x) / (2 * variance);
    sum += gain * -Math.expm1(loss);
  }
  return sum / normaliser;
}

/** A sum of `parties` independent discrete Gaussians and the sensitivities of one contribution, on the integer grid. */
export interface DistributedDiscreteGaussian {
  readonly parties: number;
  /** Parameter sigma^2 of each party's noise. */
  readonly localVariance: number;
  readonly l2: number;
  readonly l1: number;
  readonly length: number;
}

/** tau = 10 sum_(k<n) exp(-2 pi^2 sigma^2 k / (k + 1)): how far the sum is from a discrete Gaussian, per coordinate. */
export function discreteGaussianSumGap(parties: number, localVariance: number): number {
  requireInteger('parties', parties);
  requirePositive('localVariance', localVariance);
  let sum = 0;
  for (let k = 1; k < parties; k += 1) sum += Math.exp((-2 * Math.PI * Math.PI * localVariance * k) / (k + 1));
  return 10 * sum;
}

/**
 * RDP of the sum (Kairouz, Liu and Steinke 2021): the least of
 * a/2 D2^2/s^2 + tau d, a/2 (D2^2/s^2 + 2 (D1/s) tau + tau^2 d) and a/2 (D2/s + sqrt(d) tau)^2, with s^2 = n sigma^2.
 */
export function distributedDiscreteGaussianRdp(order: number, { parties, localVariance, l2, l1, length }: DistributedDiscreteGaussian): number {
  const tau = discreteGaussianSumGap(parties, localVariance);
  const std = Math.sqrt(parties * localVariance);
  const gaussian = (l2 / std) ** 2;
  return Math.min(
    (order / 2) * gaussian + tau * length,
    (order / 2) * (gaussian + 2 * (l1 / std) * tau + tau * tau * length),
    (order / 2) * (l2 / std + Math.sqrt(length) * tau) ** 2,
  );
}

/** Epsilon of `rounds` such sums; sampling is Poisson and secret (Zhu and Wang 2019). */
export function distributedDiscreteGaussianEpsilon(
  mechanism: DistributedDiscreteGaussian,
  terms: OrderTerms,
): { epsilon: number; order: number } {
  return epsilonAtOrders((order) => distributedDiscreteGaussianRdp(order, mechanism), terms);
}
