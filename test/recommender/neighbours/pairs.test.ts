import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../shared/numerics/random.ts';
import { expectations, fitLogLinear } from '../../../shared/recommender/neighbours/log-linear-fit.ts';
import { pairPosterior, popularityEvidence } from '../../../shared/recommender/neighbours/pair-evidence.ts';
import { fitPairPrior } from '../../../shared/recommender/neighbours/pair-prior.ts';
import { gridSize, startPopularity, sweepPopularity } from '../../../shared/recommender/neighbours/popularity-posterior.ts';
import { aggregate, publicPartOf } from './fixtures.ts';

function problemOf(rows: number, coefficients: readonly number[], noiseStd: number, collinear = false) {
  const random = seededRandom(1, 'features');
  const width = coefficients.length;
  const features = Float64Array.from({ length: rows * width }, (_, index) => (index % width === 0 ? 1 : collinear ? -0.3 : 2 * random.nextFloat() - 1));
  const problem = { features, width, targets: new Float64Array(rows), varianceAt: (expected: number) => noiseStd ** 2 + 0.2 * expected + expected ** 2 };
  const targets = expectations(problem, Float64Array.from(coefficients), -12, 8).map((value) => value + noiseStd * (random.nextFloat() - 0.5) * Math.sqrt(12));
  return { ...problem, targets };
}

describe('the log-linear fit', () => {
  it('finds the coefficients that made the targets', () => {
    const made = [0.5, 0.8, -1.5];
    const found = fitLogLinear(problemOf(500, made, 0), Float64Array.of(0, 0, 0));
    expect([...found]).toEqual(made.map((value) => expect.closeTo(value, 3) as number));
  });

  it('finds them under noise five times the targets, given many', () => {
    const found = fitLogLinear(problemOf(40_000, [0, 0.8], 5), Float64Array.of(0, 0));
    // Standard error of the slope: about 5 / sqrt(40,000 / 3), since weights are nearly equal.
    expect(Math.abs(found[1] - 0.8)).toBeLessThan(4 * 5 / Math.sqrt(40_000 / 3));
    expect(found[1]).not.toBe(0);
  });

  it('stands features that say nothing, and no targets at all', () => {
    const found = fitLogLinear(problemOf(100, [1, 0, 0], 0, true), Float64Array.of(0, 0, 0));
    expect(found.every(Number.isFinite)).toBe(true);
    expect(found[0] - 0.3 * (found[1] + found[2])).toBeCloseTo(1, 2);
    expect([...fitLogLinear(problemOf(0, [1, 0], 0), Float64Array.of(0.3, 0.2))]).toEqual([0.3, 0.2]);
  });
});

describe('the prior of pairs', () => {
  it('expects more of similar pairs of popular items when the sums say so', () => {
    const known = publicPartOf(4, [[0, 1, 0.9], [0, 2, 0.1], [1, 3, 0.5], [2, 3, 0.1]]);
    const { means } = fitPairPrior(known, aggregate([40, 10, 6, 1], 0.1), Float64Array.of(3, 3, 1, 0), 0.2);
    expect(means[0]).toBeGreaterThan(means[1]);
    expect(means[1]).toBeGreaterThan(means[3]);
  });
});

describe('the posterior of a pair', () => {
  it('weighs its sum against what was expected: two pairs against a direct computation', () => {
    const [sums, means, noiseStd, countWeight] = [[10, 1], [4, 2], 1.5, 0.5];
    const variances = means.map((m) => noiseStd ** 2 + countWeight * m);
    const weights = means.map((m, pair) => (m / variances[pair]) ** 2);
    const excess = weights.reduce((sum, w, pair) => sum + w * ((sums[pair] - means[pair]) ** 2 - variances[pair]), 0);
    const spread = excess / weights.reduce((sum, w, pair) => sum + w * means[pair] ** 2, 0);
    expect(spread).toBeGreaterThan(0.1);
    const expected = sums.map((y, pair) => means[pair] + ((spread * means[pair] ** 2) / (spread * means[pair] ** 2 + variances[pair])) * (y - means[pair]));
    const posterior = pairPosterior(aggregate(sums, noiseStd), { means: Float64Array.from(means), coefficients: new Float64Array(5) }, countWeight);
    expect([...posterior]).toEqual(expected.map((value) => expect.closeTo(value, 12) as number));
  });

  it('keeps a tenth of spread where the sums show none, and is never negative', () => {
    const prior = { means: Float64Array.of(2, 2), coefficients: new Float64Array(5) };
    const share = 0.4 / (0.4 + 1 + 0.2 * 2);
    expect([...pairPosterior(aggregate([2.1, 1.9], 1), prior, 0.2)]).toEqual([2 + 0.1 * share, 2 - 0.1 * share].map((value) => expect.closeTo(value, 12) as number));
    expect(pairPosterior(aggregate([-1000, 5], 1), prior, 0.2)[0]).toBe(0);
  });
});

describe('what pairs say of popularity', () => {
  it('is the log-likelihood of one pair, against a direct computation', () => {
    const known = publicPartOf(2, [[0, 1, 0.5]]);
    const popularity = sweepPopularity(startPopularity(aggregate([20, 10], 3), 0.2), known.graph, 2);
    const prior = { means: Float64Array.of(2), coefficients: Float64Array.of(0, 0.7, 0, 0, 0) };
    const pairs = aggregate([5], 1.5);
    const evidence = popularityEvidence(known, pairs, prior, 0.3, popularity);
    const { grid, logMean, probability } = popularity;
    const moment = (power: number): number => grid.reduce((sum, g, point) => sum + probability[gridSize + point] * g ** power, 0);
    const factor = 2 / Math.exp(0.7 * (logMean[0] + logMean[1]));
    const variance = 1.5 ** 2 + 0.3 * 2 + 3 * 2 ** 2;
    const expected = [...grid].map((g) => (factor * moment(0.7) * 5 * g ** 0.7) / variance - (factor ** 2 * moment(1.4) * g ** 1.4) / variance / 2);
    expect([...evidence.subarray(0, gridSize)]).toEqual(expected.map((value) => expect.closeTo(value, 9) as number));
  });
});
