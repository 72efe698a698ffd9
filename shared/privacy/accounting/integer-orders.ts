/**
 * From an RDP curve that holds at integer orders to epsilon, with or without secret Poisson sampling: shared by the
 * Skellam and the distributed discrete Gaussian mechanism. Sampling: Zhu and Wang 2019.
 */
import { requireDelta, requireFraction, requireRounds } from '../checks.ts';
import { rdpToEpsilon } from './conversions.ts';
import { subsampledRdp } from './subsampled-rdp.ts';

/** Orders at which the bound is evaluated: every integer to 128, then 5 % apart. */
export const integerOrders: readonly number[] = ordersTo(1 << 20);

/** Orders above it are not tried under sampling: a curve at order a costs a terms. */
const largestSampledOrder = 4096;

function ordersTo(limit: number): number[] {
  const orders: number[] = [];
  for (let order = 2; order <= limit; order = order < 128 ? order + 1 : Math.ceil(order * 1.05)) orders.push(order);
  return orders;
}

export interface OrderTerms {
  /** Equal releases: RDP adds up, so that 1 / share of them is a whole promise of which one takes a share. */
  readonly rounds: number;
  readonly delta: number;
  /** Rate of secret Poisson sampling; 1 by default. */
  readonly sampling?: number;
  readonly orders?: readonly number[];
}

/** The least epsilon over the orders, and the order that gives it. @throws CestaError `privacy.invalid` */
export function epsilonAtOrders(rdp: (order: number) => number, { rounds, delta, sampling = 1, orders = integerOrders }: OrderTerms): { epsilon: number; order: number } {
  requireRounds('rounds', rounds);
  requireDelta('delta', delta);
  requireFraction('sampling', sampling);
  let best = { epsilon: Infinity, order: orders[0] };
  for (const order of orders) {
    if (sampling < 1 && order > largestSampledOrder) break;
    const epsilon = rdpToEpsilon(order, rounds * subsampledRdp(order, sampling, rdp), delta);
    if (epsilon < best.epsilon) best = { epsilon, order };
  }
  return best;
}
