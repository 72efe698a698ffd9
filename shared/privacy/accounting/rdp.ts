/**
 * Renyi accounting of any list of events: the bound that is always on and always sound. RDP adds up at a fixed
 * order; epsilon is the best order's conversion. Paper: Mironov 2017; Canonne, Kamath and Steinke 2020.
 */
import { goldenMinimum } from '../../numerics/quadrature.ts';
import { requireDelta } from '../checks.ts';
import { rdpToEpsilon } from './conversions.ts';
import { checkEvent, lostDelta, type PrivacyEvent, type PureEvent } from './events.ts';
import { laplaceRdp } from './laplace.ts';
import { sampledGaussianRdp } from './sampled-gaussian.ts';
import { skellamRdp } from './skellam.ts';
import { subsampledRdp } from './subsampled-rdp.ts';

/** RDP as a function of the order. */
export type RdpCurve = (order: number) => number;

/** The orders of common practice: 1.1 to 10.9 by tenths, 11 to 63, then powers of two to 1024. */
export const commonOrders: readonly number[] = [
  ...Array.from({ length: 99 }, (_, i) => (11 + i) / 10),
  ...Array.from({ length: 53 }, (_, i) => 11 + i),
  128, 256, 512, 1024,
];

/** Whether an event's curve is known at integer orders only. */
function integerOnly(event: PrivacyEvent): boolean {
  return event.kind === 'skellam';
}

/**
 * The RDP curve of one event, all its releases together.
 * @throws CestaError `privacy.invalid` when the event is malformed, or an integer-only curve is asked elsewhere.
 */
export function eventRdp(event: PrivacyEvent, order: number): number {
  switch (event.kind) {
    case 'gaussian':
      return event.count * sampledGaussianRdp(order, event);
    case 'laplace':
      return event.count * laplaceRdp(order, event.scale);
    case 'skellam':
      return event.count * subsampledRdp(order, event.sampling, (at) => skellamRdp(at, event));
    case 'zcdp':
      return event.count * event.rho * order;
    case 'pure':
      return event.count * pureRdp(order, event);
    default:
      return event satisfies never;
  }
}

/**
 * RDP of epsilon0-DP: that of randomised response, the worst mechanism of its epsilon (Mironov 2017).
 * A failure probability of the event is kept aside by {@link lostDelta}, not in the curve.
 */
function pureRdp(order: number, { epsilon }: PureEvent): number {
  if (epsilon === 0) return 0;
  // log of [e^(a e0) + e^((1-a) e0)] / (1 + e^e0), over a - 1.
  const log = order * epsilon + Math.log1p(Math.exp(epsilon * (1 - 2 * order))) - epsilon - Math.log1p(Math.exp(-epsilon));
  return Math.max(0, log / (order - 1));
}

/** RDP of a composition at one order. */
export function composedRdp(events: readonly PrivacyEvent[], order: number): number {
  let sum = 0;
  for (const event of events) sum += eventRdp(event, order);
  return sum;
}

export interface RdpBound {
  readonly epsilon: number;
  /** The order that gives it. */
  readonly order: number;
}

/**
 * The best epsilon over the given orders, then, unless `refine` is false, over all orders near the best one.
 * Guarantee: every list of events is (epsilon, delta)-DP, also when later events depend on earlier outputs only
 * through parameters fixed in advance. Edge cases: no events give 0; delta not above the events' own lost delta
 * gives Infinity.
 * @throws CestaError `privacy.invalid`
 */
export function rdpEpsilon(
  events: readonly PrivacyEvent[],
  delta: number,
  { orders = commonOrders, refine = true }: { orders?: readonly number[]; refine?: boolean } = {},
): RdpBound {
  requireDelta('delta', delta);
  events.forEach(checkEvent);
  const left = delta - lostDelta(events);
  if (!(left > 0)) return { epsilon: Infinity, order: orders[0] };
  const integers = events.some(integerOnly);
  const usable = integers ? orders.filter((order) => Number.isInteger(order) && order > 1) : [...orders];
  const at = (order: number): number => rdpToEpsilon(order, composedRdp(events, order), left);
  let best = { epsilon: at(usable[0]), order: usable[0] };
  let bestIndex = 0;
  usable.forEach((order, index) => {
    const epsilon = at(order);
    if (epsilon < best.epsilon) [best, bestIndex] = [{ epsilon, order }, index];
  });
  if (!refine || best.epsilon === 0) return best;
  if (bestIndex === usable.length - 1) best = climb(at, best);
  const low = bestIndex === 0 ? 1.0101 : usable[bestIndex - 1];
  const high = bestIndex === usable.length - 1 ? best.order * 2 : usable[bestIndex + 1];
  const found = integers ? integerMinimum(at, low, high) : realMinimum(at, low, high);
  return found.epsilon < best.epsilon ? found : best;
}

/** Doubles the order while that still helps: very small epsilons want orders beyond any table. */
function climb(at: (order: number) => number, start: RdpBound): RdpBound {
  let best = start;
  while (best.order < 1 << 20) {
    const order = best.order * 2;
    const epsilon = at(order);
    if (!(epsilon < best.epsilon)) break;
    best = { epsilon, order };
  }
  return best;
}

function realMinimum(at: (order: number) => number, low: number, high: number): RdpBound {
  const { at: order, value } = goldenMinimum(at, low, high, 1e-7);
  return { epsilon: value, order };
}

/** Ternary search on integers. */
function integerMinimum(at: (order: number) => number, low: number, high: number): RdpBound {
  let [a, b] = [Math.max(2, Math.ceil(low)), Math.floor(high)];
  while (b - a > 2) {
    const [left, right] = [a + Math.floor((b - a) / 3), b - Math.floor((b - a) / 3)];
    if (at(left) <= at(right)) b = right;
    else a = left;
  }
  let best = { epsilon: Infinity, order: a };
  for (let order = a; order <= b; order += 1) {
    const epsilon = at(order);
    if (epsilon < best.epsilon) best = { epsilon, order };
  }
  return best;
}
