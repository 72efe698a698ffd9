/**
 * The Laplace mechanism for L1 sensitivity 1 and noise of scale b, so that epsilon0 = 1 / b.
 * Paper: Mironov 2017 (Section VI) for the Renyi curve; Dwork et al. 2006 for the mechanism.
 */
import { requirePositive, invalid } from '../checks.ts';

/**
 * RDP at a real order of at least 1 (order 1 is the Kullback-Leibler divergence):
 * e0 + log1p((a - 1) expm1(e0 (1 - 2a)) / (2a - 1)) / (a - 1).
 */
export function laplaceRdp(order: number, scale: number): number {
  requirePositive('scale', scale);
  if (!(order >= 1) || !Number.isFinite(order)) throw invalid('order', 'a finite number of at least 1', order);
  const pure = 1 / scale;
  const slope = Math.expm1(pure * (1 - 2 * order)) / (2 * order - 1);
  return order === 1 ? pure + slope : pure + Math.log1p((order - 1) * slope) / (order - 1);
}

/** delta of one release: 1 - exp((epsilon - 1/b) / 2), and 0 at or above 1/b. */
export function laplaceDelta(epsilon: number, scale: number): number {
  return Math.max(0, -Math.expm1((epsilon - 1 / requirePositive('scale', scale)) / 2));
}
