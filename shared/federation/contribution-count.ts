/** How many contributions a sum is divided by, from what is public: the noisy count slot and the number of reports. */
import { logNormalDensity, logNormalInterval } from '../numerics/special.ts';
import type { Plan } from './plan.ts';

/** What the count slot of a sum says, in contributions of weight 1. */
export interface CountedSum {
  readonly noisyCount: number;
  /** Standard deviation of the noise in it; 0 without noise. */
  readonly noiseStd: number;
  readonly participants: number;
}

/**
 * The count that a sum is divided by, and that goes with it where sums are added up.
 *
 * | unit, weights | count |
 * |---|---|
 * | shopper | the count slot; the divisor is at least 1, or with weights and no noise at least one smallest weight |
 * | shop | the number of reports: who takes part is public, so noise need not be asked |
 * | shop, weighted | the expected sum of weights given the noisy one, if it is somewhere between 0 and the number of reports |
 */
export function contributionCount(plan: Pick<Plan, 'unit' | 'weightedUpTo'>, { noisyCount, noiseStd, participants }: CountedSum): { readonly count: number; readonly divisor: number } {
  const { unit, weightedUpTo } = plan;
  const least = weightedUpTo === undefined || noiseStd > 0 ? 1 : 1 / weightedUpTo;
  if (unit === undefined) return { count: noisyCount, divisor: noisyCount > 0 ? Math.max(least, noisyCount) : 1 };
  const count = weightedUpTo === undefined ? participants : expectedWithin(noisyCount, noiseStd, participants);
  return { count, divisor: count > 0 ? count : 1 };
}

/** E[w | w + N(0, std^2) = seen] for w uniform on 0..most: the mean of a truncated normal; without noise what was seen. */
function expectedWithin(seen: number, std: number, most: number): number {
  if (std === 0) return Math.min(most, Math.max(0, seen));
  const [low, high] = [-seen / std, (most - seen) / std];
  const logMass = logNormalInterval(low, high);
  const mean = seen + std * (Math.exp(logNormalDensity(low) - logMass) - Math.exp(logNormalDensity(high) - logMass));
  // Far outside, the difference of two nearly equal terms may leave the interval by rounding.
  return Math.min(most, Math.max(most * 1e-6, mean));
}
