/**
 * Lists of events whose privacy curve has a closed form: Gaussians without sampling, however many (they are one
 * Gaussian), and a single release of the sampled Gaussian or of the Laplace mechanism.
 */
import { bracketedRoot } from '../../numerics/quadrature.ts';
import type { GaussianEvent, PrivacyEvent } from './events.ts';
import { composedSigma, gaussianEpsilon } from './gaussian.ts';
import { directions, sampledGaussianLogDelta } from './sampled-gaussian.ts';

/** Rounding moves a reported value outwards. */
const roundingMargin = 1 + 1e-12;

function isGaussian(event: PrivacyEvent): event is GaussianEvent {
  return event.kind === 'gaussian';
}

/** The exact epsilon at `delta`, in the worse direction; undefined when no closed form applies. */
export function exactEpsilon(events: readonly PrivacyEvent[], delta: number): number | undefined {
  if (events.every(isGaussian) && events.every((event) => event.sampling === 1)) {
    return gaussianEpsilon({ sigma: composedSigma(events), delta });
  }
  const [event] = events;
  if (events.length !== 1 || event.count !== 1) return undefined;
  if (event.kind === 'laplace') return Math.max(0, 1 / event.scale + 2 * Math.log1p(-delta));
  return event.kind === 'gaussian' ? sampledEpsilon(event, delta) : undefined;
}

function sampledEpsilon(event: GaussianEvent, delta: number): number {
  const logDelta = Math.log(delta);
  const excess = (epsilon: number): number =>
    Math.max(-1e3, ...directions.map((direction) => sampledGaussianLogDelta(direction, epsilon, event) - logDelta));
  if (excess(0) <= 0) return 0;
  let high = 1 / event.sigma;
  while (excess(high) > 0) high *= 2;
  return bracketedRoot(excess, 0, high) * roundingMargin;
}
