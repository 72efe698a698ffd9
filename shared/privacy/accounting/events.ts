/**
 * What a ledger remembers of a release: enough to recompute its cost under any accountant, today's or a later
 * one. Adjacency is adding or removing one unit; `count` equal releases are one event.
 */
import * as z from 'zod';
import { invalid, requireDelta, requireFraction, requireInteger, requireNonNegative, requirePositive } from '../checks.ts';

/** Gaussian noise on a Poisson sample of rate `sampling`, secret to the observer. */
export interface GaussianEvent {
  readonly kind: 'gaussian';
  /** Noise standard deviation over L2 sensitivity. */
  readonly sigma: number;
  /** Rate of the secret Poisson sample; 1 is no sampling. */
  readonly sampling: number;
  readonly count: number;
}

/** Laplace noise, unsampled. */
export interface LaplaceEvent {
  readonly kind: 'laplace';
  /** Noise scale over L1 sensitivity. */
  readonly scale: number;
  readonly count: number;
}

/** Skellam noise on the integer grid. */
export interface SkellamEvent {
  readonly kind: 'skellam';
  /** L2 and L1 sensitivity in grid steps. */
  readonly l2: number;
  readonly l1: number;
  /** Variance per coordinate of the noise in the sum, in squared grid steps. */
  readonly variance: number;
  readonly sampling: number;
  readonly count: number;
}

/** Any rho-zCDP release. */
export interface ZcdpEvent {
  readonly kind: 'zcdp';
  readonly rho: number;
  readonly count: number;
}

/** Any (epsilon, delta)-DP release. */
export interface PureEvent {
  readonly kind: 'pure';
  readonly epsilon: number;
  /** Failure probability of one release; 0 is pure DP. */
  readonly delta: number;
  readonly count: number;
}

export type PrivacyEvent = GaussianEvent | LaplaceEvent | SkellamEvent | ZcdpEvent | PureEvent;

const positive = z.number().finite().positive();
const fraction = z.number().min(0).max(1);
const many = z.number().int().positive();

/** Events as a ledger stores them: a disk is outside, too. */
export const privacyEventsSchema: z.ZodType<readonly PrivacyEvent[]> = z.array(z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('gaussian'), sigma: positive, sampling: fraction, count: many }),
  z.strictObject({ kind: z.literal('laplace'), scale: positive, count: many }),
  z.strictObject({ kind: z.literal('skellam'), l2: positive, l1: positive, variance: positive, sampling: fraction, count: many }),
  z.strictObject({ kind: z.literal('zcdp'), rho: z.number().nonnegative(), count: many }),
  z.strictObject({ kind: z.literal('pure'), epsilon: z.number().nonnegative(), delta: z.number().min(0).lt(1), count: many }),
]));

/**
 * Checks every number of an event.
 * @throws CestaError `privacy.invalid` with the field, the expected range and what came.
 */
export function checkEvent(event: PrivacyEvent): void {
  requireInteger('count', event.count);
  switch (event.kind) {
    case 'gaussian':
      requirePositive('sigma', event.sigma);
      requireFraction('sampling', event.sampling);
      return;
    case 'laplace':
      requirePositive('scale', event.scale);
      return;
    case 'skellam':
      requirePositive('l2', event.l2);
      requirePositive('l1', event.l1);
      requirePositive('variance', event.variance);
      requireFraction('sampling', event.sampling);
      return;
    case 'zcdp':
      requireNonNegative('rho', event.rho);
      return;
    case 'pure':
      requireNonNegative('epsilon', event.epsilon);
      if (event.delta !== 0) requireDelta('delta', event.delta);
      return;
    default:
      throw invalid('kind', 'a known kind of event', (event satisfies never as PrivacyEvent).kind);
  }
}

/** delta the events lose outright: 1 - prod (1 - delta_i), kept aside by every accountant. */
export function lostDelta(events: readonly PrivacyEvent[]): number {
  let log = 0;
  for (const event of events) if (event.kind === 'pure') log += event.count * Math.log1p(-event.delta);
  return -Math.expm1(log);
}
