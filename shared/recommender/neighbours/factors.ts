/**
 * From estimates to the factors of a release. Evidence and similarity are each divided by the spread that they alone
 * give to scores, so that their balance is the same for every catalogue, noise and number of shoppers.
 */
import { itemIndexes } from '../tensor-checks.ts';
import type { Estimates } from './estimate.ts';
import type { PublicPart } from './public-part.ts';
import { similaritySteps, type ReleasedFactors } from './release.ts';

/** What goes with an item of popularity p counts p^-0.2. */
const damping = 0.2;
/** Of similarity beside evidence, each in units of its own spread. */
const similarityWeight = 0.4;
/** Below what any one neighbour adds to a score, but for rounding. */
const largestBias = 1e-3;

export function releasedFactors({ pairs, lower, higher }: PublicPart, { logPopularity, evidence, trend }: Estimates): ReleasedFactors {
  const partners = itemIndexes(higher.length, pairs.items);
  partners.set(higher);
  const reach = logPopularity.map((value) => Math.exp(-damping * value));
  const similarity = Uint8Array.from(pairs.similarity, (value) => Math.round(value * similaritySteps));
  const spread = (weightOf: (pair: number, from: number, to: number) => number): number => scoreSpread(lower, higher, logPopularity, weightOf);
  const evidenceSpread = spread((pair, from, to) => evidence[pair] * reach[from] * trend[to]);
  const similaritySpread = spread((pair) => similarity[pair]);
  const liking = logPopularity.map((value, item) => Math.exp(value) * trend[item]);
  const highest = liking.reduce((high, value) => Math.max(high, value), 0);
  return {
    rows: { starts: pairs.starts, partners },
    evidence: Float32Array.from(evidence, (value) => value * inverse(evidenceSpread)),
    similarity,
    similarityWeight: Math.fround(similarityWeight * inverse(similaritySpread)),
    reach: Float32Array.from(reach),
    trend: Float32Array.from(trend),
    bias: Float32Array.from(liking, (value) => value * largestBias * inverse(highest)),
  };
}

/** Root of the expected sum of squared scores that one item of a history gives, with the item drawn by popularity. */
function scoreSpread(lower: Int32Array, higher: Int32Array, logPopularity: Float64Array, weightOf: (pair: number, from: number, to: number) => number): number {
  const popularity = logPopularity.map(Math.exp);
  let squares = 0;
  for (let pair = 0; pair < lower.length; pair += 1) {
    const [low, high] = [lower[pair], higher[pair]];
    squares += popularity[low] * weightOf(pair, low, high) ** 2 + popularity[high] * weightOf(pair, high, low) ** 2;
  }
  return Math.sqrt(squares / popularity.reduce((sum, value) => sum + value, 0));
}

function inverse(value: number): number {
  return value > 0 ? 1 / value : 0;
}
