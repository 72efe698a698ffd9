/**
 * Which items are on the rise: the share of purchases that are recent less the share that are not, of each item,
 * shrunk towards that of its like on the public graph (conditional autoregression, Besag 1974).
 */
import type { Aggregate } from '../federated-model.ts';
import { neighbourMeans, type ItemGraph } from './item-graph.ts';
import { clamp, total } from './means.ts';

const sweeps = 12;
/** Items differ from their like by a standard deviation of 0.3. */
const priorVariance = 0.3 ** 2;

/**
 * A factor for each item in 0.05..1.95: 1 where as many bought it recently as before.
 * @param period Recent less earlier purchases of each item.
 * @param popularity Posterior mean of all purchases of each item, in the same units, above 0.
 * @param countWeight What one purchase adds on average.
 */
export function trendFactors(graph: ItemGraph, period: Aggregate, popularity: Float64Array, countWeight: number): Float64Array {
  const { sum, noiseStd } = period;
  const overall = popularity.length === 0 ? 0 : clamp(total(sum) / total(popularity), -0.8, 0.8);
  let slopes = new Float64Array(sum.length).fill(overall);
  for (let sweep = 0; sweep < sweeps; sweep += 1) {
    const priorMeans = neighbourMeans(graph, slopes, overall);
    slopes = priorMeans.map((priorMean, item) => {
      const count = popularity[item];
      const gain = (priorVariance * count) / (priorVariance * count ** 2 + noiseStd ** 2 + countWeight * count);
      return priorMean + gain * (sum[item] - count * priorMean);
    });
  }
  return slopes.map((slope) => 1 + clamp(slope, -0.95, 0.95));
}
