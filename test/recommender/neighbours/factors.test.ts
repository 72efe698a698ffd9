import { describe, expect, it } from 'vitest';
import { releasedFactors } from '../../../shared/recommender/neighbours/factors.ts';
import { publicPartOf } from './fixtures.ts';

const known = publicPartOf(3, [[0, 1, 0.8], [1, 2, 0.4]]);
const popularity = [8, 4, 2];
const estimates = {
  logPopularity: Float64Array.from(popularity, Math.log),
  evidence: Float64Array.of(5, 1),
  trend: Float64Array.of(1, 0.5, 1.5),
};

describe('the released factors', () => {
  const factors = releasedFactors(known, estimates);
  const directed: [pair: number, from: number, to: number][] = [[0, 0, 1], [0, 1, 0], [1, 1, 2], [1, 2, 1]];
  const spreadOf = (weightOf: (pair: number, from: number, to: number) => number): number =>
    Math.sqrt(directed.reduce((sum, [pair, from, to]) => sum + (popularity[from] / 14) * weightOf(pair, from, to) ** 2, 0));

  it('give evidence a spread of 1 and similarity one of 0.4 over items drawn by popularity', () => {
    expect(spreadOf((pair, from, to) => factors.evidence[pair] * factors.reach[from] * factors.trend[to])).toBeCloseTo(1, 6);
    expect(spreadOf((pair) => factors.similarityWeight * factors.similarity[pair])).toBeCloseTo(0.4, 6);
    expect(factors.evidence[0] / factors.evidence[1]).toBeCloseTo(5, 6);
    expect([...factors.similarity]).toEqual([204, 102]);
  });

  it('damp what goes with popular items, and order items by popularity times trend', () => {
    expect([...factors.reach]).toEqual(popularity.map((value) => expect.closeTo(value ** -0.2, 6) as number));
    expect([...factors.bias]).toEqual([1e-3, 0.25e-3, 0.375e-3].map((value) => expect.closeTo(value, 9) as number));
  });

  it('are zero where there is no evidence or no similarity', () => {
    const silent = releasedFactors(publicPartOf(3, [[0, 1, 0], [1, 2, 0]]), { ...estimates, evidence: new Float64Array(2) });
    expect([...silent.evidence, silent.similarityWeight]).toEqual([0, 0, 0]);
  });
});
