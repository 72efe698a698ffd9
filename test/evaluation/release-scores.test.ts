import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ShopperHistory } from '../../shared/commerce/history.ts';
import { evaluateModel } from '../../shared/evaluation/evaluate-model.ts';
import { decideGate } from '../../shared/evaluation/gate-rule.ts';
import { createReleaseScores, readReleaseScores, scaleWeight, type ReleaseScores, type ScoredRelease, type ScoredReleases } from '../../shared/evaluation/release-scores.ts';
import { splitHistories } from '../../shared/evaluation/splits.ts';
import { createSparseVector } from '../../shared/numerics/sparse-vector.ts';
import { createPopularity } from '../../shared/recommender/popularity.ts';
import { anyHistory, codeOf, entriesOf, teaCatalogue, visits } from '../recommender/fixtures.ts';

const items = 6;
const catalogue = teaCatalogue(items);
const model = createPopularity(catalogue);
/** A release that ranks the items in this order for everybody. */
const ranking = (...order: number[]): ScoredRelease => ({ model, params: { popularity: Float32Array.from({ length: items }, (_, item) => items - order.indexOf(item)), shoppers: 1, noiseStd: 0 } });
const [up, down, odd] = [ranking(0, 1, 2, 3, 4, 5), ranking(5, 4, 3, 2, 1, 0), ranking(1, 3, 5, 0, 2, 4)];
const [a, b, c] = ['a', 'b', 'c'].map((digit) => digit.repeat(64));
const ofTwo = createReleaseScores(catalogue, { k: 10, candidate: a, served: b, previous: null });
const ofThree = createReleaseScores(catalogue, { k: 10, candidate: a, served: b, previous: c });
const two: ScoredReleases = { candidate: up, served: down, previous: null };
const three: ScoredReleases = { candidate: up, served: down, previous: odd };

function contributionTo(statistic: typeof ofThree, releases: ScoredReleases, history: ShopperHistory): [number, number][] {
  const into = createSparseVector(1);
  statistic.contribute(releases, history, into);
  return entriesOf(into);
}

function sumOf(statistic: typeof ofThree, releases: ScoredReleases, histories: readonly ShopperHistory[]): Float64Array {
  const sum = new Float64Array(statistic.statisticLength());
  for (const history of histories) for (const [index, value] of contributionTo(statistic, releases, history)) sum[index] += value;
  return sum;
}

describe('the score of releases', () => {
  it('is the difference of their NDCG on the last basket, new items only, by hand', () => {
    // Shown 0 and 1; of the last basket only 2 is new. `up` ranks 2, 3, 4, 5: first. `down` ranks 5, 4, 3, 2: fourth.
    const [[, testable], [, served], [, gain], [, servedGain]] = contributionTo(ofThree, three, visits([0], [1], [1, 2]));
    const [first, third, fourth] = [1, 1 / Math.log2(4), 1 / Math.log2(5)];
    expect([testable, served]).toEqual([scaleWeight, scaleWeight * fourth]);
    expect(gain).toBeCloseTo(first - fourth, 12);
    // `odd` ranks 3, 5, 2, 4.
    expect(servedGain).toBeCloseTo(fourth - third, 12);
  });

  it('is nothing for shoppers with fewer than two baskets, or nothing new in the last', () => {
    for (const history of [visits(), visits([0, 1]), visits([0, 1], [1]), visits([0], [1], [0, 1])]) expect(contributionTo(ofThree, three, history)).toEqual([]);
  });

  it('adds up to what the evaluation of the same shoppers says', () => {
    fc.assert(fc.property(fc.array(anyHistory(items), { minLength: 1, maxLength: 8 }), (histories) => {
      // With somebody who had everything in training, all items are rankable.
      const split = splitHistories('last-basket', [...histories, visits(Array.from({ length: items }, (_, item) => item))], items);
      const total = ({ model: of, params }: ScoredRelease): number => evaluateModel(of, params as never, split).perShopper.ndcg10.reduce((sum, value) => sum + value, 0);
      const scores = readReleaseScores({ sum: sumOf(ofThree, three, histories), noiseStd: 0 });
      expect(scores.testable).toBe(split.tests.length);
      expect(scores.served).toBeCloseTo(total(down), 9);
      expect(scores.gain).toBeCloseTo(total(up) - total(down), 9);
      expect(scores.servedGain).toBeCloseTo(total(down) - total(odd), 9);
    }), { numRuns: 50 });
  });

  it.each([['two', ofTwo, two], ['three', ofThree, three]] as const)('of %s keeps every contribution within its bounds', (_, statistic, releases) => {
    fc.assert(fc.property(anyHistory(items), (history) => {
      const entries = contributionTo(statistic, releases, history);
      expect(Math.hypot(...entries.map(([, value]) => value))).toBeLessThanOrEqual(statistic.normBound);
      for (const [index, value] of entries) {
        expect(Math.abs(value)).toBeLessThanOrEqual(statistic.entryBound);
        expect(index).toBeLessThan(statistic.statisticLength());
      }
    }));
  });

  it('reaches its norm bound for some shopper: the bound is not slack', () => {
    const perfect: ScoredReleases = { candidate: up, served: ranking(5, 0, 1, 2, 3, 4), previous: up };
    const statistic = createReleaseScores(catalogue, { k: 1, candidate: a, served: b, previous: c });
    const entries = contributionTo(statistic, perfect, visits([0], [5]));
    expect(Math.hypot(...entries.map(([, value]) => value))).toBeCloseTo(statistic.normBound, 12);
  });

  it('is of named, different releases', () => {
    for (const lie of [{ candidate: b }, { previous: b }, { candidate: 'latest' }, { k: 0 }, { surprise: 1 }]) {
      expect(codeOf(() => createReleaseScores(catalogue, { k: 10, candidate: a, served: b, previous: null, ...lie }))).toBe('config.invalid');
    }
  });
});

describe('the gate', () => {
  const scores = (changes: Partial<ReleaseScores>): ReleaseScores => ({ testable: 1000, served: 100, gain: 0, servedGain: null, noiseStd: 0, ...changes });

  it('lets through what is as good within the tolerance, and refuses what is not, without noise exactly', () => {
    expect(decideGate(scores({ gain: -5 }), 0.05)).toBe('promote');
    expect(decideGate(scores({ gain: -5.01 }), 0.05)).toBe('refuse');
    expect(decideGate(scores({ gain: -0.01 }), 0)).toBe('refuse');
    expect(decideGate(scores({ gain: 30 }), 0.05)).toBe('promote');
  });

  it('asks for more than two standard deviations of the noise in the figure it looks at', () => {
    // gain + 0.5 served: 4 is the share of a served score that carries four times the noise.
    const limit = -50 - 2 * 3 * Math.hypot(1, 2);
    expect(decideGate(scores({ gain: limit + 0.01, noiseStd: 3 }), 0.5)).toBe('promote');
    expect(decideGate(scores({ gain: limit - 0.01, noiseStd: 3 }), 0.5)).toBe('refuse');
  });

  it('rolls back only when the candidate is refused and the served release falls short, too', () => {
    // The one before had 120: served is short by a sixth.
    expect(decideGate(scores({ gain: -50, servedGain: -20 }), 0.05)).toBe('rollback');
    expect(decideGate(scores({ gain: -50, servedGain: -5 }), 0.05)).toBe('refuse');
    expect(decideGate(scores({ gain: 0, servedGain: -20 }), 0.05)).toBe('promote');
    const limit = (-0.05 * 100 - 2 * 3 * Math.hypot(0.95, 0.2)) / 0.95;
    expect(decideGate(scores({ gain: -50, noiseStd: 3, servedGain: limit + 0.01 }), 0.05)).toBe('refuse');
    expect(decideGate(scores({ gain: -50, noiseStd: 3, servedGain: limit - 0.01 }), 0.05)).toBe('rollback');
  });
});
