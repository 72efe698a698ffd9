/**
 * What to expect of a pair's sum before looking at it: log-linear in the popularity of both items, the similarity
 * of their titles and the gap between their prices, with coefficients fitted to all noisy sums at once: the
 * regression of empirical Bayes with covariates (Fay and Herriot 1979).
 */
import type { Aggregate } from '../federated-model.ts';
import { expectations, fitLogLinear } from './log-linear-fit.ts';
import { mean } from './means.ts';
import { usualPriceGap, type PublicPart } from './public-part.ts';

export interface PairPrior {
  /** Expected sum of each pair. */
  readonly means: Float64Array;
  /** Of 1, joint log-popularity, similarity, its square, price gap. */
  readonly coefficients: Float64Array;
}

/** Of candidate pairs, about: centred features are easier to tell apart. */
const usualSimilarity = 0.3;
const width = 5;

/**
 * @param countWeight What one shopper adds to a pair on average.
 * @param start Coefficients to start from; without them, all pairs alike.
 */
export function fitPairPrior(known: PublicPart, { sum, noiseStd }: Aggregate, logPopularity: Float64Array, countWeight: number, start?: Float64Array): PairPrior {
  const problem = {
    features: pairFeatures(known, logPopularity),
    width,
    targets: sum,
    varianceAt: (expected: number) => noiseStd ** 2 + countWeight * expected + expected ** 2,
  };
  const coefficients = fitLogLinear(problem, start ?? Float64Array.of(Math.log(Math.max(mean(sum), 0.001)), 0, 0, 0, 0));
  return { means: expectations(problem, coefficients, -12, 6), coefficients };
}

function pairFeatures({ pairs, lower, higher, priceGaps }: PublicPart, logPopularity: Float64Array): Float64Array {
  const features = new Float64Array(lower.length * width);
  for (let pair = 0; pair < lower.length; pair += 1) {
    const similarity = pairs.similarity[pair] - usualSimilarity;
    features[pair * width] = 1;
    features[pair * width + 1] = logPopularity[lower[pair]] + logPopularity[higher[pair]];
    features[pair * width + 2] = similarity;
    features[pair * width + 3] = similarity ** 2;
    features[pair * width + 4] = priceGaps[pair] - usualPriceGap;
  }
  return features;
}
