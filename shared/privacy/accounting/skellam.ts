/**
 * Renyi accounting of the Skellam mechanism: integer vectors plus the difference of two Poissons in every
 * coordinate. Paper: Agarwal, Kairouz and Liu 2021, "The Skellam mechanism for differentially
 * private federated learning".
 * The bound holds at integer orders. Sums of Skellams are Skellam, so shares of noise account as their sum;
 * it says nothing about shares that never arrived: pass the variance that did.
 */
import { bracketedRoot } from '../../numerics/quadrature.ts';
import { requireDelta, requireInteger, requirePositive, requirePowerOfTwo } from '../checks.ts';
import { epsilonAtOrders, type OrderTerms } from './integer-orders.ts';

/** Integer sensitivities of one release and the variance of its noise, all on the integer grid. */
export interface SkellamRelease {
  /** L2 sensitivity, in grid steps. */
  readonly l2: number;
  /** L1 sensitivity, in grid steps. At most l2^2 and sqrt(length) l2, since entries are integers. */
  readonly l1: number;
  /** Variance per coordinate of the noise in the sum, in squared grid steps. */
  readonly variance: number;
}

/**
 * RDP at an integer order: a l2^2 / (2 mu) + min(((2a - 1) l2^2 + 6 l1) / (4 mu^2), 3 l1 / (2 mu)), with mu the
 * variance. Unit of adjacency: one contribution added or removed.
 */
export function skellamRdp(order: number, { l2, l1, variance }: SkellamRelease): number {
  requireInteger('order', order, 2);
  requirePositive('variance', variance);
  const gaussian = (order * l2 * l2) / (2 * variance);
  const quadratic = ((2 * order - 1) * l2 * l2 + 6 * l1) / (4 * variance * variance);
  return gaussian + Math.min(quadratic, (3 * l1) / (2 * variance));
}

/** The tightest known sensitivities of integer vectors of L2 norm at most `l2` and `length` coordinates. */
export function integerSensitivity(l2: number, length: number): { l2: number; l1: number } {
  return { l2, l1: Math.min(Math.sqrt(length) * l2, l2 * l2) };
}

/**
 * Epsilon of `rounds` Skellam releases at `delta`, by RDP at the given orders.
 * Sampling below 1 is Poisson sampling of the unit, secret to the observer (Zhu and Wang 2019).
 * @returns the bound and the order that gives it; a plan that filters adaptively fixes that order.
 */
export function skellamReleaseEpsilon(
  release: SkellamRelease,
  terms: OrderTerms,
): { epsilon: number; order: number } {
  return epsilonAtOrders((order) => skellamRdp(order, release), terms);
}

/** What a plan of sparse integer contributions fixes about its sensitivity. */
export interface SkellamPlan {
  /** L2 norm no contribution exceeds, in contribution units. */
  readonly clipNorm: number;
  /** Grid steps per contribution unit: a power of two. */
  readonly gridScale: number;
  /** Coordinates of the statistic. */
  readonly length: number;
  /** Number of releases. */
  readonly rounds: number;
  /** Rate of the secret Poisson sample of every round; 1 by default. */
  readonly sampling?: number;
  /** Renyi orders to choose from: one alone where a filter fixed it in advance. */
  readonly orders?: readonly number[];
}

/**
 * Epsilon at `delta` of a plan whose sums carry Skellam noise of standard deviation `noiseStd` (contribution units).
 * Sensitivity: a contribution is clipped, scaled and rounded toward zero, so its integer norm is at most
 * gridScale clipNorm; there is no rounding inflation. Guarantee: (epsilon, delta)-DP under adding or removing one
 * contribution per round, against an observer of all sums.
 * @throws CestaError `privacy.invalid`
 */
export function skellamEpsilon(plan: SkellamPlan & { readonly noiseStd: number; readonly delta: number }): number {
  requirePositive('noiseStd', plan.noiseStd);
  return skellamReleaseEpsilon(planRelease(plan, plan.noiseStd), plan).epsilon;
}

function planRelease(plan: SkellamPlan, noiseStd: number): SkellamRelease {
  requirePositive('clipNorm', plan.clipNorm);
  requirePowerOfTwo('gridScale', plan.gridScale);
  requireInteger('length', plan.length);
  return { ...integerSensitivity(plan.gridScale * plan.clipNorm, plan.length), variance: (plan.gridScale * noiseStd) ** 2 };
}

/**
 * The smallest total noise standard deviation, **in contribution units** (those of `clipNorm`), with which
 * `rounds` Skellam releases compose to (epsilon, delta). Rounded up, so that {@link skellamEpsilon} of the result
 * never exceeds `epsilon`. Shares: k participants each add noise of result / sqrt(k).
 * @throws CestaError `privacy.invalid`
 * @example
 * const noiseStd = skellamNoiseStd({ epsilon: 1, delta: 1e-5, clipNorm: 1, gridScale: 1024, length: 50_000, rounds: 1 });
 */
export function skellamNoiseStd(plan: SkellamPlan & { readonly epsilon: number; readonly delta: number }): number {
  requirePositive('epsilon', plan.epsilon);
  requireDelta('delta', plan.delta);
  requirePositive('clipNorm', plan.clipNorm);
  return smallestNoise((noiseStd) => skellamEpsilon({ ...plan, noiseStd }), plan);
}

/**
 * Inverts a falling epsilon(noiseStd) near `clipNorm`, to the private side: a margin of 1e-9 outlasts the rounding
 * of every later sum over rounds.
 */
export function smallestNoise(epsilonAt: (noiseStd: number) => number, { epsilon, clipNorm }: { readonly epsilon: number; readonly clipNorm: number }): number {
  // Capped where epsilon is 0 or infinite: the search needs numbers.
  const excess = (logNoise: number): number => Math.min(1e6, epsilonAt(Math.exp(logNoise)) - epsilon);
  let [low, high] = [Math.log(clipNorm), Math.log(clipNorm)];
  while (excess(low) <= 0) low -= 1;
  while (excess(high) > 0) high += 1;
  let noiseStd = Math.exp(bracketedRoot(excess, low, high, 1e-12)) * (1 + 1e-9);
  while (epsilonAt(noiseStd) > epsilon) noiseStd *= 1 + 1e-9;
  return noiseStd;
}
