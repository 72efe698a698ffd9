/**
 * What a pair's noisy sum says: of the pair itself, by the posterior mean of a normal prior around its expectation
 * whose spread is fitted by moments (Fay and Herriot 1979; Efron 2010), and of how popular its two items are.
 */
import type { Aggregate } from '../federated-model.ts';
import { clamp } from './means.ts';
import type { PairPrior } from './pair-prior.ts';
import { gridSize, popularityMoment, type PopularityPosterior } from './popularity-posterior.ts';
import type { PublicPart } from './public-part.ts';

/** Squared relative spread of sums around their expectation: at least this, and about so much before it is fitted. */
const smallestSpread = 0.1;
const usualSpread = 3;

/**
 * The posterior mean of each pair's true sum, at least 0. With expectation m, spread phi and variance v of the
 * observation y: m + phi m^2 / (phi m^2 + v) (y - m).
 */
export function pairPosterior({ sum, noiseStd }: Aggregate, { means }: PairPrior, countWeight: number): Float64Array {
  const varianceOf = (expected: number): number => noiseStd ** 2 + countWeight * expected;
  let excess = 0;
  let scale = 0;
  for (let pair = 0; pair < sum.length; pair += 1) {
    const expected = means[pair];
    const variance = varianceOf(expected);
    const weight = (expected / variance) ** 2;
    excess += weight * ((sum[pair] - expected) ** 2 - variance);
    scale += weight * expected ** 2;
  }
  const spread = scale > 0 ? Math.max(excess / scale, smallestSpread) : smallestSpread;
  return sum.map((value, pair) => {
    const priorVariance = spread * means[pair] ** 2;
    return Math.max(means[pair] + (priorVariance / (priorVariance + varianceOf(means[pair]))) * (value - means[pair]), 0);
  });
}

/**
 * Log-likelihoods of the popularity grid, one row an item, from the sums of the item's pairs: a pair of items of
 * popularity g and h is expected to sum to c (g h)^e, with e and c from the prior and h from its posterior.
 */
export function popularityEvidence({ lower, higher }: PublicPart, pairs: Aggregate, prior: PairPrior, countWeight: number, popularity: PopularityPosterior): Float64Array {
  const { logMean, grid } = popularity;
  const exponent = clamp(prior.coefficients[1], 0.3, 1.2);
  const first = popularityMoment(popularity, exponent);
  const second = popularityMoment(popularity, 2 * exponent);
  const linear = new Float64Array(logMean.length);
  const quadratic = new Float64Array(logMean.length);
  for (let pair = 0; pair < lower.length; pair += 1) {
    const [a, b, expected] = [lower[pair], higher[pair], prior.means[pair]];
    const factor = expected / Math.exp(exponent * (logMean[a] + logMean[b]));
    const variance = pairs.noiseStd ** 2 + countWeight * expected + usualSpread * expected ** 2;
    const slope = (factor * pairs.sum[pair]) / variance;
    const curve = factor ** 2 / variance;
    linear[a] += slope * first[b];
    linear[b] += slope * first[a];
    quadratic[a] += curve * second[b];
    quadratic[b] += curve * second[a];
  }
  const powers = grid.map((value) => value ** exponent);
  const evidence = new Float64Array(logMean.length * gridSize);
  for (let item = 0; item < logMean.length; item += 1) {
    for (let point = 0; point < gridSize; point += 1) {
      evidence[item * gridSize + point] = linear[item] * powers[point] - (quadratic[item] * powers[point] ** 2) / 2;
    }
  }
  return evidence;
}
