/**
 * Rounds over the same task measure the same thing again, each with its own noise. Their sums are put on the scale
 * of the newest round's shoppers and combined by inverse variance, the best linear unbiased estimate: a budget spent
 * in many rounds buys what one large round would have bought. A noiseless round says everything; it replaces.
 *
 * Where shoppers go on buying between rounds, older sums are also older news. A forgetting factor, as recursive least squares
 * have it (Haykin, "Adaptive Filter Theory"), has them count for less with every round than their noise alone would.
 */
import type { Aggregate } from './federated-model.ts';

/** @param forgettingFactor 0..1: what the precision of earlier rounds counts for beside that of the newest; 1 forgets nothing */
export function combineRounds(previous: Aggregate | undefined, newest: Aggregate, forgettingFactor = 1): Aggregate {
  if (previous === undefined || newest.noiseStd === 0) return newest;
  const scale = newest.shoppers / previous.shoppers;
  const previousVariance = (previous.noiseStd * scale) ** 2;
  const newestVariance = newest.noiseStd ** 2;
  const newestShare = previousVariance / (previousVariance + forgettingFactor * newestVariance);
  return {
    sum: newest.sum.map((value, index) => newestShare * value + (1 - newestShare) * scale * previous.sum[index]),
    shoppers: newest.shoppers,
    noiseStd: Math.hypot(newestShare * newest.noiseStd, (1 - newestShare) * previous.noiseStd * scale),
  };
}
