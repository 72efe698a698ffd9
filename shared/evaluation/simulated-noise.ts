/**
 * Noise of simulated rounds, repeatable: what shops add (Skellam), and two kinds that only a trusted centre could
 * (Gaussian; correlated over rounds), to compare with. Experiments only: a seed undoes all of it.
 */
import { noiseMultiplierFor } from '../privacy/accounting/calibration.ts';
import { gaussianSigma } from '../privacy/accounting/gaussian.ts';
import { inverseStrategy, toeplitzSensitivitySquared } from '../privacy/accounting/toeplitz.ts';
import { bltCoefficients, bltStrategy, correlatedSensitivity, nextCorrelatedNoise, startCorrelatedNoise, type CorrelatedState } from '../privacy/correlated-noise.ts';
import { discreteGaussianSampler, largestGaussianVariance } from '../privacy/discrete-gaussian-sampler.ts';
import { largestVariance, samplingDelta, skellamSampler, type SkellamSampler } from '../privacy/skellam-sampler.ts';
import { sharesIn } from '../federation/noise-shares.ts';
import { planSensitivity } from '../federation/plan-cost.ts';
import { totalNoiseStd, type Plan } from '../federation/plan.ts';
import { sessionCohort } from '../federation/session-cohort.ts';
import type { SeededRandom } from '../numerics/random.ts';
import { CestaError } from '../protocol/errors.ts';
import { addWords } from '../secagg/ring.ts';

/**
 * `skellam`: the product's. `gaussian`: discrete Gaussian on the same grid, accounted by the exact curve.
 * `correlated`: Gaussian, with later noise cancelling earlier noise (BLT); every shopper is in one round only.
 */
export const noiseKinds = ['skellam', 'gaussian', 'correlated'] as const;
export type NoiseKind = (typeof noiseKinds)[number];

/** The noise of one training, round after round. */
export interface SimulatedNoise {
  /**
   * Noise that one participant adds in the next round, in grid steps; null in mode `none`.
   * @param participants on the roster of a sum to which each adds a share; by default as many as the plan wants in one
   * @param dropped of them: what is left of the removable noise of each of the others makes up for these
   */
  next(plan: Plan, random: SeededRandom, participants?: number, dropped?: number): Int32Array | null;
  /** Standard deviation in the sum of `participants`, in contribution units. */
  noiseStd(plan: Plan, participants: number): number;
  /** What the sampler's distance from the exact law adds to the plan's delta, over all its rounds; 0 for exact ones. */
  samplerDelta(plan: Plan): number;
}

/** @throws CestaError `privacy.invalid` for a kind that the plan's mode does not know. */
export function simulatedNoise(kind: NoiseKind): SimulatedNoise {
  switch (kind) {
    case 'skellam':
      return { next: drawSkellam, noiseStd: (plan, participants) => totalNoiseStd(plan.privacy, participants), samplerDelta: fastSamplerDelta };
    case 'gaussian':
      return {
        next: (plan, random) => drawGaussian(plan, gaussianVariance(plan), random),
        noiseStd: (plan) => Math.sqrt(gaussianVariance(plan)) / plan.bounds.gridScale,
        samplerDelta: () => 0,
      };
    case 'correlated':
      return correlatedNoise();
    default:
      throw new CestaError('privacy.invalid', `noise: expected one of ${noiseKinds.join(', ')}, got ${String(kind satisfies never)}`);
  }
}

function drawSkellam(plan: Plan, random: SeededRandom, participants?: number, dropped?: number): Int32Array | null {
  const share = shareOf(plan, participants, dropped);
  if (share === null) return null;
  const noise = new Int32Array(plan.statisticLength);
  fastSampler(share.variance).fill(noise, random);
  return noise;
}

/** Participants up to whom each draws its own share: as many draws as the sum of all of them takes, and then no more. */
const mostOwnDraws = 64;

/**
 * The noise in a sum of reports, in grid steps; null in mode `none`.
 *
 * Skellam laws are infinitely divisible: independent Skellam(v_i) noise adds up to Skellam(sum of v_i) exactly, in integers
 * (Skellam 1946; Agarwal, Kairouz and Liu 2021). So beyond some 64 participants it is drawn for the sum, in as many
 * parts as the sampler's largest variance asks for. Up to there each participant draws its own from its own stream. Of the
 * removable noise of mode `distributed` every survivor has left what `noiseShares` of privacy/xnoise.ts says for so many
 * dropouts, base and components, whose sum is a Skellam draw again.
 * @param randomOf stream of a participant, by its place among the reports; of the first one, where all is drawn for the sum
 */
export function noiseOfSum(plan: Plan, { roster, reports }: { readonly roster: number; readonly reports: number }, randomOf: (place: number) => SeededRandom): Int32Array | null {
  const share = shareOf(plan, roster, roster - reports);
  if (share === null) return null;
  const { variance, draws } = divided(share.variance, reports);
  const total = new Int32Array(plan.statisticLength);
  const noise = new Int32Array(plan.statisticLength);
  const sampler = fastSampler(variance);
  const forSum = draws === reports ? null : randomOf(0);
  for (let place = 0; place < draws; place += 1) {
    sampler.fill(noise, forSum ?? randomOf(place));
    addWords(total, noise, 1);
  }
  return total;
}

function divided(share: number, participants: number): { readonly variance: number; readonly draws: number } {
  const fewest = Math.ceil((share * participants) / largestVariance);
  if (participants <= mostOwnDraws || fewest >= participants) return { variance: share, draws: participants };
  return { variance: (share * participants) / fewest, draws: fewest };
}

/** What one participant's noise has left in a sum, and how many such shares a promise rests on. */
function shareOf(plan: Plan, participants = sessionCohort(plan).targetParticipants, dropped = 0): { readonly variance: number; readonly shares: number } | null {
  const { privacy, bounds } = plan;
  switch (privacy.mode) {
    case 'none':
      return null;
    case 'local':
      return { variance: (privacy.noiseStd * bounds.gridScale) ** 2, shares: 1 };
    case 'distributed':
      return { variance: keptVariance(sharesIn(plan, participants), dropped, privacy.dropoutStep), shares: participants };
    default:
      return privacy satisfies never;
  }
}

function keptVariance({ base, components }: ReturnType<typeof sharesIn>, dropped: number, dropoutStep = 1): number {
  return components.slice(0, Math.ceil(dropped / dropoutStep)).reduce((sum, variance) => sum + variance, base);
}

/** The last one: its table takes longer to make than a short vector to fill. */
let lastSampler: SkellamSampler | null = null;

/** Simulations draw from the alias table: its small distance from the exact law is charged, not ignored. */
function fastSampler(variance: number): SkellamSampler {
  if (lastSampler?.variance !== variance) lastSampler = skellamSampler({ variance, kind: 'fast' });
  return lastSampler;
}

function fastSamplerDelta(plan: Plan): number {
  const { privacy, statisticLength } = plan;
  const share = shareOf(plan);
  if (privacy.mode === 'none' || share === null) return 0;
  return samplingDelta(fastSampler(share.variance), statisticLength * privacy.rounds * share.shares, privacy.epsilon);
}

/** Variance in squared grid steps, by the exact Gaussian curve. The discrete law is as private at whole steps. */
function gaussianVariance(plan: Plan): number {
  const { privacy } = plan;
  if (privacy.mode === 'none') return 0;
  const { l2 } = planSensitivity(plan);
  return requireVariance(Math.ceil((noiseMultiplierFor(privacy) * l2) ** 2));
}

function drawGaussian({ statisticLength }: Plan, variance: number, random: SeededRandom): Int32Array | null {
  if (variance === 0) return null;
  const noise = new Int32Array(statisticLength);
  discreteGaussianSampler({ variance }).fill(noise, random);
  return noise;
}

function correlatedNoise(): SimulatedNoise {
  let state: CorrelatedState | null = null;
  return {
    next(plan, random) {
      const base = drawGaussian(plan, correlatedTerms(plan).variance, random);
      if (base === null) return null;
      const step = nextCorrelatedNoise(state ?? startCorrelatedNoise(bltStrategy(roundsOf(plan)), base.length), base);
      state = step.state;
      return step.noise;
    },
    noiseStd(plan) {
      const { variance, coefficients } = correlatedTerms(plan);
      // Of the last round; earlier ones have less.
      const spread = inverseStrategy(coefficients).reduce((square, value) => square + value * value, 0);
      return Math.sqrt(variance * spread) / plan.bounds.gridScale;
    },
    samplerDelta: () => 0,
  };
}

function roundsOf({ privacy }: Plan): number {
  return privacy.mode === 'none' ? 1 : privacy.rounds;
}

/** One Gaussian release of all rounds together, for shoppers that take part once. */
function correlatedTerms(plan: Plan): { variance: number; coefficients: Float64Array } {
  const { privacy, bounds: { gridScale }, statisticLength } = plan;
  const rounds = roundsOf(plan);
  const coefficients = bltCoefficients(bltStrategy(rounds), rounds);
  if (privacy.mode === 'none') return { variance: 0, coefficients };
  const sensitivity = Math.sqrt(toeplitzSensitivitySquared(coefficients, { period: rounds, maxParticipations: 1 }));
  const steps = correlatedSensitivity({ gridScale, clipNorm: planSensitivity(plan).l2 / gridScale, sensitivity, rounds, length: statisticLength });
  return { variance: requireVariance(Math.ceil((gaussianSigma(privacy) * steps) ** 2)), coefficients };
}

function requireVariance(variance: number): number {
  if (variance > largestGaussianVariance) throw new CestaError('privacy.infeasible', `noise: expected at most ${largestGaussianVariance} squared grid steps, got ${variance}`);
  return variance;
}
