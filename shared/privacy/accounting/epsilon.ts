/**
 * The one entry of the accountant: the smallest epsilon that a sound engine can show for a list of events. Renyi
 * accounting always bounds; closed forms, the contour integral and the loss distribution are tight where they apply,
 * and check each other.
 */
import { CestaError } from '../../protocol/errors.ts';
import { requireDelta } from '../checks.ts';
import { rdpToEpsilon } from './conversions.ts';
import { contourEpsilon } from './contour.ts';
import { checkEvent, lostDelta, type PrivacyEvent } from './events.ts';
import { exactEpsilon } from './exact.ts';
import { isDistributed, logDistributionMoment, type DistributedEvent } from './loss-distribution.ts';
import { isTransformable, type TransformableEvent } from './loss-transform.ts';
import { pldEpsilon, type PldResult } from './pld.ts';
import { rdpEpsilon, type RdpBound } from './rdp.ts';

/** Margin on the contour integral, which is accurate but not certified. */
const contourMargin = 1 + 1e-6;

/** The tight engines may differ by this much, relatively. */
const largestDisagreement = 1e-3;

export type Engine = 'exact' | 'contour' | 'pld' | 'rdp';

export interface EpsilonReport {
  /** What is reported: the least of the sound bounds. */
  readonly epsilon: number;
  /** The engine that gave it. */
  readonly engine: Engine;
  readonly rdp: number;
  /** Order of the Renyi bound: what a filter fixes in advance. */
  readonly order: number;
  /** Closed form or contour integral, margin included; undefined where neither applies. */
  readonly tight: number | undefined;
  /** Loss-distribution bound; undefined where it does not apply or was not asked for. */
  readonly pld: number | undefined;
}

/**
 * Epsilon at `delta` of a composition of events under adding or removing one unit, the worse direction of the two.
 *
 * Guarantee: the composition is (epsilon, delta)-DP. Renyi composition holds always; the tight engines assume that
 * no event's parameters were chosen after seeing an output. Sampling counts only if it is secret and Poisson.
 * Edge cases: no events, or a sampling rate of 0, give 0; a delta that the events lose outright gives Infinity.
 * @param options `crossCheck`, by default true: run the second tight engine beside the first one; costs about a second for
 *   a million releases
 * @throws CestaError `privacy.invalid` on malformed events, or when the two tight engines differ by more than 0.1 %.
 * @example
 * epsilonOf([{ kind: 'gaussian', sigma: 1, sampling: 0.01, count: 1000 }], 1e-5).epsilon; // 1.82824
 */
export function epsilonOf(events: readonly PrivacyEvent[], delta: number, { crossCheck = true }: { crossCheck?: boolean } = {}): EpsilonReport {
  requireDelta('delta', delta);
  events.forEach(checkEvent);
  const active = events.filter((event) => !('sampling' in event) || event.sampling > 0);
  if (active.length === 0) return { epsilon: 0, engine: 'exact', rdp: 0, order: 2, tight: 0, pld: undefined };
  const bound = rdpEpsilon(active, delta);
  const left = delta - lostDelta(active);
  const report = (engine: Engine, tight?: number, pld?: number): EpsilonReport => {
    const value = tight ?? pld ?? Infinity;
    return value < bound.epsilon
      ? { epsilon: value, engine, rdp: bound.epsilon, order: bound.order, tight, pld }
      : { epsilon: bound.epsilon, engine: 'rdp', rdp: bound.epsilon, order: bound.order, tight, pld };
  };
  if (!(left > 0)) return report('rdp');
  const exact = exactEpsilon(active, left);
  if (exact !== undefined) return report('exact', exact);
  if (bound.epsilon === 0 || !active.every(isDistributed)) return report('rdp');
  const contour = active.every(isTransformable) ? contourBound(active, left, bound) : undefined;
  if (contour !== undefined && !crossCheck) return report('contour', contour);
  const pld = pldBound(active, left, bound.epsilon);
  if (contour === undefined) return report('pld', undefined, pld.epsilon);
  requireAgreement(contour, pld);
  return report('contour', contour, pld.epsilon);
}

/** The contour integral in the worse direction, margin included; undefined where it is not worth its cost. */
function contourBound(events: readonly TransformableEvent[], delta: number, start: RdpBound): number | undefined {
  const removed = contourEpsilon(events, 'remove', delta, start);
  if (removed === undefined) return undefined;
  if (addIsDominated(events, delta, removed)) return removed * contourMargin;
  const added = contourEpsilon(events, 'add', delta, start);
  return added === undefined ? undefined : Math.max(removed, added) * contourMargin;
}

function pldBound(events: readonly DistributedEvent[], delta: number, bound: number): PldResult {
  const removed = pldEpsilon(events, 'remove', delta, bound);
  if (addIsDominated(events, delta, removed.estimate)) return removed;
  const added = pldEpsilon(events, 'add', delta, bound);
  return {
    epsilon: Math.max(removed.epsilon, added.epsilon),
    estimate: Math.max(removed.estimate, added.estimate),
    coarse: removed.coarse || added.coarse,
  };
}

/**
 * Whether the `add` direction is already covered at `epsilon`: by symmetry, or by its own Renyi bound. It mostly is,
 * but that is no theorem under composition (Lebeda, Regehr, Kamath and Steinke 2024), so it is checked every time.
 */
function addIsDominated(events: readonly DistributedEvent[], delta: number, epsilon: number): boolean {
  if (events.every((event) => event.kind !== 'gaussian' || event.sampling === 1)) return true;
  for (let c = 0.25; c < 3000; c *= 1.3) {
    const cumulant = events.reduce((sum, event) => sum + logDistributionMoment(event, 'add', c), 0);
    if (rdpToEpsilon(c + 1, cumulant / c, delta) <= epsilon) return true;
  }
  return false;
}

function requireAgreement(contour: number, pld: PldResult): void {
  const tooLow = pld.epsilon < contour * (1 - largestDisagreement);
  // A grid coarser than wanted still bounds from above, but says nothing from below.
  const tooHigh = !pld.coarse && pld.estimate > contour * (1 + largestDisagreement);
  if (tooLow || tooHigh) {
    throw new CestaError('privacy.invalid', `epsilon: expected two engines to agree within 0.1 %, got ${contour} and ${pld.epsilon}`);
  }
}
