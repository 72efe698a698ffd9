/**
 * One participant's noise: all of the plan's in mode `local`, a share of it in mode `distributed`. A share has a base
 * that always stays in and components, each for one tolerated dropout or a few, that the survivors let the coordinator remove where
 * they turned out unnecessary: what is left in the sum has at least the planned variance. Scheme and excess: `privacy/xnoise.ts`.
 */
import type { SecureRandom } from '../numerics/random.ts';
import { drawNoiseBlock, type NoiseBlock } from '../privacy/noise.ts';
import { skellamSampler, type SkellamSampler } from '../privacy/skellam-sampler.ts';
import { noiseShares, type NoiseShares } from '../privacy/xnoise.ts';
import { CestaError } from '../protocol/errors.ts';
import type { SecaggCrypto } from '../secagg/crypto.ts';
import type { NoiseOf } from '../secagg/noise-chain.ts';
import { seededWords } from '../secagg/prg.ts';
import type { Plan, PrivacyPlan } from './plan.ts';

type DistributedPrivacy = Extract<PrivacyPlan, { mode: 'distributed' }>;

/** Variances, in squared grid steps, of one share in a round of `participants`. */
export function sharesIn(plan: Pick<Plan, 'privacy' | 'bounds'>, participants: number): NoiseShares {
  const { noiseStd, tolerated, colluding, dropoutStep } = requireDistributed(plan);
  // Planned for so many fewer, the shares of the others carry all of the noise.
  return noiseShares({ participants: participants - colluding, tolerated, dropoutStep, centralVariance: (noiseStd * plan.bounds.gridScale) ** 2 });
}

/**
 * This participant's noise, drawn before its data is touched; in mode `distributed` its base share. Null in mode `none`.
 * @param participants on the roster of the round
 */
export function drawNoise(plan: Plan, participants: number, random: SecureRandom): NoiseBlock | null {
  const { privacy, bounds, statisticLength } = plan;
  switch (privacy.mode) {
    case 'none':
      return null;
    case 'local':
      return drawNoiseBlock(statisticLength, samplerOf((privacy.noiseStd * bounds.gridScale) ** 2), random);
    case 'distributed':
      return drawNoiseBlock(statisticLength, samplerOf(sharesIn(plan, participants).base), random);
    default:
      return privacy satisfies never;
  }
}

/** Draws a removable component from its seed: the participant adds it, and the coordinator, told the seed, takes it off. */
export function componentNoise(plan: Plan, crypto: SecaggCrypto): NoiseOf {
  return async (seed, { component, participants }) => {
    const variance = sharesIn(plan, participants).components[component - 1];
    const noise = new Int32Array(plan.statisticLength);
    samplerOf(variance).fill(noise, await seededWords(crypto, seed, expectedWords(plan.statisticLength)));
    return noise;
  };
}

/** A draw takes two words for the magnitude and one for the sign, and rarely more. */
function expectedWords(length: number): number {
  return Math.ceil(length * 3.02) + 64;
}

/** Tables of the last variances: building one takes longer than drawing a statistic, and rounds of a task share it. */
const samplers = new Map<number, SkellamSampler>();
const keptSamplers = 32;

function samplerOf(variance: number): SkellamSampler {
  const kept = samplers.get(variance);
  if (kept !== undefined) return kept;
  const sampler = skellamSampler({ variance, kind: 'strict' });
  const oldest = samplers.keys().next();
  if (samplers.size === keptSamplers && oldest.done !== true) samplers.delete(oldest.value);
  samplers.set(variance, sampler);
  return sampler;
}

function requireDistributed({ privacy }: Pick<Plan, 'privacy'>): DistributedPrivacy {
  if (privacy.mode !== 'distributed') throw new CestaError('internal', `noise: expected shares in mode distributed, got ${privacy.mode}`);
  return privacy;
}
