import { describe, expect, it } from 'vitest';
import { createGraph } from '../../../shared/recommender/neighbours/item-graph.ts';
import { gridSize, popularityMoment, startPopularity, sweepPopularity, withEvidence } from '../../../shared/recommender/neighbours/popularity-posterior.ts';
import { aggregate } from './fixtures.ts';

const lonely = (items: number) => createGraph(items, new Int32Array(0), new Int32Array(0), new Float64Array(0));

describe('the popularity posterior', () => {
  it('is Bayes over the grid: one item against a direct computation', () => {
    const [count, noiseStd, countWeight, shoppers] = [30, 4, 0.2, 4000];
    const grid = Array.from({ length: 50 }, (_, point) => 0.1 * (500 / 0.1) ** (point / 49));
    const priorMean = Math.log(count) - 0.7;
    const weights = grid.map((g) => {
      const variance = noiseStd ** 2 + countWeight * g;
      return Math.exp(-((count - g) ** 2) / (2 * variance)) / Math.sqrt(variance) * Math.exp(-((Math.log(g) - priorMean) ** 2) / 2);
    });
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const expected = weights.reduce((sum, weight, point) => sum + weight * Math.log(grid[point]), 0) / total;
    const posterior = sweepPopularity(startPopularity(aggregate([count], noiseStd, shoppers), countWeight), lonely(1), 1);
    expect(posterior.grid[49]).toBeCloseTo(500, 9);
    expect(posterior.logMean[0]).toBeCloseTo(expected, 10);
    expect([...posterior.probability]).toEqual(weights.map((weight) => expect.closeTo(weight / total, 10) as number));
    expect(popularityMoment(posterior, 1)[0]).toBeCloseTo(weights.reduce((sum, weight, point) => sum + weight * grid[point], 0) / total, 8);
  });

  it('believes a count without noise, and its like where noise drowns the count', () => {
    const pair = createGraph(3, Int32Array.of(0), Int32Array.of(1), Float64Array.of(1));
    const sure = sweepPopularity(startPopularity(aggregate([100, 2, 2], 0), 0.1), pair, 15);
    expect(sure.logMean[0]).toBeCloseTo(Math.log(100), 1);
    const blind = sweepPopularity(startPopularity(aggregate([100, 2, 2], 1000), 0.1), pair, 15);
    expect(Math.abs(blind.logMean[0] - blind.logMean[1])).toBeLessThan(0.2);
    const mixed = sweepPopularity(startPopularity(aggregate([100, 2, 2], 10), 0.1), pair, 15);
    expect(mixed.logMean[1]).toBeGreaterThan(mixed.logMean[2] + 0.3);
  });

  it('moves towards further evidence', () => {
    const start = startPopularity(aggregate([10], 10), 0.2);
    const towardsMost = Float64Array.from({ length: gridSize }, (_, point) => point);
    const plain = sweepPopularity(start, lonely(1), 3);
    expect(sweepPopularity(withEvidence(start, towardsMost), lonely(1), 3).logMean[0]).toBeGreaterThan(plain.logMean[0] + 0.5);
  });
});
