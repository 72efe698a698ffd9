/** From the noisy sums of a round to what the model believes: post-processing of private outputs, so free of privacy cost. */
import type { Aggregate } from '../federated-model.ts';
import type { RoundSums } from './contribution.ts';
import { clamp, total } from './means.ts';
import { pairPosterior, popularityEvidence } from './pair-evidence.ts';
import { fitPairPrior } from './pair-prior.ts';
import { popularityMoment, startPopularity, sweepPopularity, withEvidence } from './popularity-posterior.ts';
import type { PublicPart } from './public-part.ts';
import { trendFactors } from './trend.ts';

export interface Estimates {
  /** Posterior mean of ln popularity, one an item. */
  readonly logPopularity: Float64Array;
  /** Posterior mean of the sum of each pair. */
  readonly evidence: Float64Array;
  /** What recent purchases multiply each item by; 1 without a period block. */
  readonly trend: Float64Array;
}

/** Popularity, then the prior of the pairs given it, then popularity again with what the pairs say, and so the pairs. */
export function estimate(known: PublicPart, { pairs, popularity: counts, period }: RoundSums): Estimates {
  const countWeight = meanEntry(counts);
  const pairWeight = meanEntry(pairs);
  const alone = sweepPopularity(startPopularity(counts, countWeight), known.graph, 15);
  const firstPrior = fitPairPrior(known, pairs, alone.logMean, pairWeight);
  const joint = sweepPopularity(withEvidence(alone, popularityEvidence(known, pairs, firstPrior, pairWeight, alone)), known.graph, 7);
  const prior = fitPairPrior(known, pairs, joint.logMean, pairWeight, firstPrior.coefficients);
  return {
    logPopularity: joint.logMean,
    evidence: pairPosterior(pairs, prior, pairWeight),
    trend: period === undefined
      ? new Float64Array(counts.sum.length).fill(1)
      : trendFactors(known.graph, period, popularityMoment(joint, 1), countWeight),
  };
}

/**
 * What one shopper adds to a coordinate on average. A shopper's c entries of 1/sqrt(c) have squares that sum to 1, so
 * shoppers over the total is the mean entry, weighted by entries.
 */
function meanEntry({ sum, shoppers }: Aggregate): number {
  return clamp(shoppers / Math.max(total(sum), 1), 0.02, 1);
}
