/**
 * Rounds over the same task measure the same thing again, each with its own noise. Their sums are put on the scale
 * of the newest round's shoppers and combined by inverse variance, the best linear unbiased estimate: a budget spent
 * in many rounds buys what one large round would have bought. A noiseless round says everything; it replaces.
 */
import type { Aggregate } from './federated-model.ts';

export function combineRounds(previous: Aggregate | undefined, newest: Aggregate): Aggregate {
  if (previous === undefined || newest.noiseStd === 0) return newest;
  const scale = newest.shoppers / previous.shoppers;
  const previousVariance = (previous.noiseStd * scale) ** 2;
  const newestVariance = newest.noiseStd ** 2;
  const newestShare = previousVariance / (previousVariance + newestVariance);
  return {
    sum: newest.sum.map((value, index) => newestShare * value + (1 - newestShare) * scale * previous.sum[index]),
    shoppers: newest.shoppers,
    noiseStd: Math.sqrt(newestShare * newestVariance),
  };
}
