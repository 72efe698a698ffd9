/**
 * Between Renyi differential privacy, zero-concentrated DP and (epsilon, delta).
 * Papers: Canonne, Kamath and Steinke 2020 (Proposition 12), Bun and Steinke 2016, Mironov 2017.
 * None of this is tight for a known mechanism: use the mechanism's own engine where there is one.
 */
import { bracketedRoot } from '../../numerics/quadrature.ts';
import { invalid, requireDelta, requireNonNegative } from '../checks.ts';
import { gaussianEpsilon } from './gaussian.ts';

/** Orders at or below this give only the additive bound of Mironov 2017. */
const smallestConvertedOrder = 1.01;

/**
 * Epsilon of one Renyi order.
 * Guarantee: `(order, rdp)`-RDP implies `(result, delta)`-DP (Canonne, Kamath and Steinke 2020, Proposition 12).
 * Zero when delta already covers the divergence by the Bretagnolle-Huber inequality.
 */
export function rdpToEpsilon(order: number, rdp: number, delta: number): number {
  if (!(order > 1)) throw invalid('order', 'a number above 1', order);
  if (Number.isNaN(rdp)) throw invalid('rdp', 'a number', rdp);
  requireDelta('delta', delta);
  if (delta * delta + Math.expm1(-rdp) > 0) return 0;
  if (order <= smallestConvertedOrder) return Infinity;
  return Math.max(0, rdp + Math.log1p(-1 / order) - Math.log(delta * order) / (order - 1));
}

/** log delta of one Renyi order at a given epsilon: the inverse of {@link rdpToEpsilon}. */
export function rdpToLogDelta(order: number, rdp: number, epsilon: number): number {
  if (!(order > 1)) throw invalid('order', 'a number above 1', order);
  return Math.min(0, (order - 1) * (rdp - epsilon + Math.log1p(-1 / order)) - Math.log(order));
}

/** Epsilon of a rho-zCDP release by the closed form rho + 2 sqrt(rho log(1 / delta)) (Bun and Steinke 2016): loose. */
export function zcdpEpsilonSimple(rho: number, delta: number): number {
  requireNonNegative('rho', rho);
  requireDelta('delta', delta);
  return rho + 2 * Math.sqrt(rho * Math.log(1 / delta));
}

/**
 * Epsilon of any rho-zCDP release: the conversion of Canonne, Kamath and Steinke 2020 at the best real order.
 * Edge cases: rho 0 gives 0.
 */
export function zcdpEpsilon(rho: number, delta: number): number {
  requireNonNegative('rho', rho);
  requireDelta('delta', delta);
  if (rho === 0) return 0;
  // Stationary point of rho*a + log1p(-1/a) - log(delta*a)/(a-1), multiplied by (a-1)^2.
  const slope = (order: number): number => rho * (order - 1) ** 2 + Math.log(delta * order);
  const low = smallestConvertedOrder * (1 + 1e-9);
  let high = 2;
  while (slope(high) < 0) high *= 2;
  const order = slope(low) >= 0 ? low : bracketedRoot(slope, low, high, 1e-13);
  // The order is kept above 1.01, where the closed form can be better for an enormous rho.
  return Math.min(rdpToEpsilon(order, rho * order, delta), zcdpEpsilonSimple(rho, delta));
}

/** Epsilon of a release that is exactly Gaussian with privacy loss rho: the exact curve at sigma = 1 / sqrt(2 rho). */
export function zcdpGaussianEpsilon(rho: number, delta: number): number {
  requireNonNegative('rho', rho);
  return rho === 0 ? 0 : gaussianEpsilon({ sigma: 1 / Math.sqrt(2 * rho), delta });
}
