/**
 * How popular each item is, given noisy counts: empirical Bayes (Efron 2010, "Large-scale inference") on a grid of
 * log-popularities, with the mean of an item's like as its prior mean: a conditional autoregression on the public
 * graph (Besag 1974), solved by Jacobi sweeps. All from noisy outputs, so it costs no privacy.
 */
import type { Aggregate } from '../federated-model.ts';
import { neighbourMeans, type ItemGraph } from './item-graph.ts';
import { mean } from './means.ts';

export const gridSize = 50;

export interface PopularityPosterior {
  /** Candidate popularities, ascending, in units where a shopper with s items adds 1/sqrt(s) to each. */
  readonly grid: Float64Array;
  readonly logGrid: Float64Array;
  /** One row of `gridSize` an item: the log-likelihood of its own count. */
  readonly logLikelihood: Float64Array;
  /** One row an item, summing to 1. */
  readonly probability: Float64Array;
  /** Posterior mean of ln popularity. */
  readonly logMean: Float64Array;
}

/**
 * The posterior before any sweep.
 * @param countWeight What one purchase adds on average: with g expected, the sum varies by countWeight g besides the noise.
 */
export function startPopularity({ sum, shoppers, noiseStd }: Aggregate, countWeight: number): PopularityPosterior {
  const low = Math.log(0.1);
  const step = (Math.log(Math.max(shoppers / 8, 50)) - low) / (gridSize - 1);
  const logGrid = Float64Array.from({ length: gridSize }, (_, point) => low + step * point);
  const grid = logGrid.map(Math.exp);
  const logLikelihood = new Float64Array(sum.length * gridSize);
  for (let point = 0; point < gridSize; point += 1) {
    const variance = noiseStd ** 2 + countWeight * grid[point];
    const logScale = Math.log(variance) / 2;
    for (let item = 0; item < sum.length; item += 1) {
      logLikelihood[item * gridSize + point] = -((sum[item] - grid[point]) ** 2) / (2 * variance) - logScale;
    }
  }
  // A mean of logarithms lies below the logarithm of a mean.
  const start = Math.log(Math.max(mean(sum), 0.2)) - 0.7;
  return { grid, logGrid, logLikelihood, probability: new Float64Array(logLikelihood.length), logMean: new Float64Array(sum.length).fill(start) };
}

/** The same posterior knowing more: log-likelihoods of other evidence, one row an item, are added. */
export function withEvidence(posterior: PopularityPosterior, more: Float64Array): PopularityPosterior {
  return { ...posterior, logLikelihood: posterior.logLikelihood.map((value, index) => value + more[index]) };
}

/** `count` Jacobi sweeps; the prior of ln popularity has variance 1 around the mean of the item's like. */
export function sweepPopularity(posterior: PopularityPosterior, graph: ItemGraph, count: number): PopularityPosterior {
  const { logGrid, logLikelihood } = posterior;
  const probability = new Float64Array(logLikelihood.length);
  let { logMean } = posterior;
  for (let sweep = 0; sweep < count; sweep += 1) {
    const priorMean = neighbourMeans(graph, logMean, mean(logMean));
    logMean = logMean.map((_, item) => fillRow(item * gridSize, priorMean[item], logGrid, logLikelihood, probability));
  }
  return { ...posterior, probability, logMean };
}

/** Writes one item's posterior and returns its mean of ln popularity. */
function fillRow(start: number, priorMean: number, logGrid: Float64Array, logLikelihood: Float64Array, probability: Float64Array): number {
  let highest = -Infinity;
  for (let point = 0; point < gridSize; point += 1) {
    const value = logLikelihood[start + point] - (logGrid[point] - priorMean) ** 2 / 2;
    probability[start + point] = value;
    if (value > highest) highest = value;
  }
  let total = 0;
  for (let point = 0; point < gridSize; point += 1) {
    const value = Math.exp(probability[start + point] - highest);
    probability[start + point] = value;
    total += value;
  }
  let moment = 0;
  for (let point = 0; point < gridSize; point += 1) {
    probability[start + point] /= total;
    moment += probability[start + point] * logGrid[point];
  }
  return moment;
}

/** The posterior mean of popularity to a power, one an item. */
export function popularityMoment({ grid, probability, logMean }: PopularityPosterior, power: number): Float64Array {
  const values = grid.map((value) => value ** power);
  return logMean.map((_, item) => {
    let moment = 0;
    for (let point = 0; point < gridSize; point += 1) moment += probability[item * gridSize + point] * values[point];
    return moment;
  });
}
