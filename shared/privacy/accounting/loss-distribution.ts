/**
 * Privacy-loss distributions of single releases, as masses of intervals: under P, from which the loss is drawn, and
 * under Q, the other neighbour. Masses are differences of normal tails taken on the tail's own side, so that an
 * interval of mass 1e-40 keeps its digits.
 */
import { logNormalCdf, logNormalInterval } from '../../numerics/special.ts';
import type { GaussianEvent, LaplaceEvent, PrivacyEvent, PureEvent } from './events.ts';
import { logLossMoment } from './loss-transform.ts';
import type { Direction } from './sampled-gaussian.ts';

/** Events whose loss distribution is known. */
export type DistributedEvent = GaussianEvent | LaplaceEvent | PureEvent;

export function isDistributed(event: PrivacyEvent): event is DistributedEvent {
  return event.kind === 'gaussian' || event.kind === 'laplace' || event.kind === 'pure';
}

export interface LossDistribution {
  /** Loss below which at most exp(logTail) of P lies; that mass counts at this loss, which is pessimistic. */
  readonly low: number;
  /** Loss above which at most exp(logTail) of P lies; that mass counts as lost outright. */
  readonly high: number;
  /** Masses of the losses in (from, to] under P and under Q. */
  mass(from: number, to: number): { readonly p: number; readonly q: number };
  /** P-mass above `high`. */
  readonly lost: number;
}

/** The loss distribution of one release of an event. */
export function lossDistribution(event: DistributedEvent, direction: Direction, logTail: number): LossDistribution {
  switch (event.kind) {
    case 'gaussian':
      return direction === 'remove' ? removeLoss(event, logTail) : addLoss(event, logTail);
    case 'laplace':
      return laplaceLoss(event);
    case 'pure':
      return pureLoss(event);
    default:
      return event satisfies never;
  }
}

/** log E_P[e^(cL)] of all releases of an event, for real c > 0. */
export function logDistributionMoment(event: DistributedEvent, direction: Direction, c: number): number {
  if (event.kind !== 'pure') return logLossMoment(event, direction, c);
  const { epsilon, count } = event;
  return count * (c * epsilon + Math.log1p(Math.exp(-(2 * c + 1) * epsilon)) - Math.log1p(Math.exp(-epsilon)));
}

/** The z below which a standard normal has mass exp(logTail); slightly further out. */
function tailPoint(logTail: number): number {
  let z = -1;
  while (logNormalCdf(z) > logTail) z -= 0.25;
  return z;
}

/** x at which log r(x) = loss: sigma^2 log((e^loss - 1 + q) / q) + 1/2; -Infinity at and below log(1 - q). */
function lossPoint(loss: number, { sigma, sampling }: GaussianEvent): number {
  if (sampling === 1) return sigma * sigma * loss + 0.5;
  if (loss > 40) return sigma * sigma * (loss - Math.log(sampling) + Math.log1p(-(1 - sampling) * Math.exp(-loss))) + 0.5;
  const ratio = Math.expm1(loss) / sampling;
  return ratio <= -1 ? -Infinity : sigma * sigma * Math.log1p(ratio) + 0.5;
}

/** log r(x). */
function lossAt(x: number, { sigma, sampling }: GaussianEvent): number {
  const y = (2 * x - 1) / (2 * sigma * sigma);
  if (sampling === 1) return y;
  return y > 40 ? y + Math.log(sampling) + Math.log1p(((1 - sampling) / sampling) * Math.exp(-y)) : Math.log1p(sampling * Math.expm1(y));
}

/** Masses of x in (from, to] under N(0, sigma^2) and under its mixture with N(1, sigma^2). */
function gaussianMasses(from: number, to: number, { sigma, sampling }: GaussianEvent): { plain: number; mixed: number } {
  const plain = Math.exp(logNormalInterval(from / sigma, to / sigma));
  const shifted = Math.exp(logNormalInterval((from - 1) / sigma, (to - 1) / sigma));
  return { plain, mixed: (1 - sampling) * plain + sampling * shifted };
}

/** P is the mixture, Q is N(0, sigma^2): the loss rises with x. */
function removeLoss(event: GaussianEvent, logTail: number): LossDistribution {
  const reach = -tailPoint(logTail) * event.sigma;
  const top = 1 + reach;
  return {
    low: lossAt(-reach, event),
    high: lossAt(top, event),
    lost: gaussianMasses(top, Infinity, event).mixed,
    mass(from, to) {
      const { plain, mixed } = gaussianMasses(lossPoint(from, event), lossPoint(to, event), event);
      return { p: mixed, q: plain };
    },
  };
}

/** P is N(0, sigma^2), Q is the mixture: the loss -log r falls with x. */
function addLoss(event: GaussianEvent, logTail: number): LossDistribution {
  const reach = -tailPoint(logTail) * event.sigma;
  return {
    low: -lossAt(reach, event),
    high: -lossAt(-reach, event),
    lost: gaussianMasses(-Infinity, -reach, event).plain,
    mass(from, to) {
      const { plain, mixed } = gaussianMasses(lossPoint(-to, event), lossPoint(-from, event), event);
      return { p: plain, q: mixed };
    },
  };
}

/** P[L > l] = 1 - exp((l - e0) / 2) / 2 for l in [-e0, e0): atoms of P at both ends, a density between. */
function laplaceLoss({ scale }: LaplaceEvent): LossDistribution {
  const pure = 1 / scale;
  // Distribution functions of the loss under P and, since the mechanism is symmetric, under Q.
  const underP = (loss: number): number => (loss < -pure ? 0 : loss >= pure ? 1 : 0.5 * Math.exp((loss - pure) / 2));
  const underQ = (loss: number): number => (loss < -pure ? 0 : loss >= pure ? 1 : 1 - 0.5 * Math.exp(-(loss + pure) / 2));
  return {
    low: -pure,
    high: pure,
    lost: 0,
    mass: (from, to) => ({ p: underP(to) - underP(from), q: underQ(to) - underQ(from) }),
  };
}

/** Randomised response: losses of +-epsilon alone, the worst mechanism of its epsilon (Kairouz, Oh and Viswanath 2015). */
function pureLoss({ epsilon }: PureEvent): LossDistribution {
  const up = 1 / (1 + Math.exp(-epsilon));
  const down = Math.exp(-epsilon) * up;
  const within = (loss: number, from: number, to: number): number => (loss > from && loss <= to ? 1 : 0);
  return {
    low: -epsilon,
    high: epsilon,
    lost: 0,
    mass: (from, to) => ({
      p: up * within(epsilon, from, to) + down * within(-epsilon, from, to),
      q: down * within(epsilon, from, to) + up * within(-epsilon, from, to),
    }),
  };
}
