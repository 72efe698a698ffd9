import { describe, expect, it } from 'vitest';
import { createSparseVector } from '../../shared/numerics/sparse-vector.ts';
import { seededRandom } from '../../shared/numerics/random.ts';
import { findCanaries, makeCanaries, provableEpsilon } from '../../shared/privacy/canaries.ts';
import { addClipped, emptySum } from '../../shared/privacy/clip.ts';
import { testNoise } from '../../shared/privacy/noise-test.ts';
import { skellamSampler } from '../../shared/privacy/skellam-sampler.ts';

describe('canaries', () => {
  const bounds = { norm: 2, rowCap: 0.8 };
  const clip = { clipNorm: bounds.norm, rowCap: bounds.rowCap, gridScale: 2 ** 20 };
  const contributionOf = (canaries: ReturnType<typeof makeCanaries>, index: number) => {
    const contribution = createSparseVector();
    canaries.contribute(index, contribution);
    return contribution;
  };

  it('stand at the row cap on so many coordinates of their own that the norm clip must bite', () => {
    const canaries = makeCanaries({ count: 5, length: 1000, ...bounds });
    expect(canaries.width).toBe(100);
    expect(canaries.overshoot).toBeCloseTo(4, 12);
    const touched = new Set<number>();
    for (let index = 0; index < 5; index += 1) {
      const contribution = contributionOf(canaries, index);
      for (let entry = 0; entry < contribution.size; entry += 1) {
        expect(contribution.valueAt(entry)).toBe(0.8);
        touched.add(contribution.indexAt(entry));
      }
    }
    expect(touched.size).toBe(500);
  });

  it('score 1 in a clipped sum that holds them, 0 in one that does not, and 4 where the clip does nothing', () => {
    const canaries = makeCanaries({ count: 3, length: 300, ...bounds });
    const scoresUnder = (clipNorm: number) => {
      const sum = emptySum(300);
      addClipped(sum, contributionOf(canaries, 1), { ...clip, clipNorm });
      return [...canaries.scores(Float64Array.from(sum, (steps) => steps / clip.gridScale))].map((score) => Math.round(score * 1e4) / 1e4);
    };
    expect(scoresUnder(bounds.norm)).toEqual([0, 1, 0]);
    expect(scoresUnder(Infinity)).toEqual([0, 4, 0]);
  });

  it('are as wide as there is room for, and never so narrow that they miss the clip norm', () => {
    expect(makeCanaries({ count: 5, length: 50, ...bounds })).toMatchObject({ width: 10 });
    const narrowest = makeCanaries({ count: 7, length: 50, ...bounds });
    expect(narrowest.width).toBe(7);
    expect(narrowest.overshoot).toBeGreaterThanOrEqual(1);
    expect(narrowest.overshoot).toBeLessThan(1.1);
  });

  it('prove more in larger numbers only while their number times delta is small', () => {
    const provable = [1000, 8000, 32_000].map((count) => provableEpsilon(count, 1e-5));
    expect(provable[1]).toBeGreaterThan(provable[0] + 1);
    expect(provable[2]).toBeLessThan(provable[1]);
    // A claim of 8 at this delta is beyond all of them.
    expect(Math.max(...provable)).toBeLessThan(6.5);
    expect(provableEpsilon(32_000, 0)).toBeGreaterThan(8);
  });

  it('refuses more than fit beside each other', () => {
    expect(() => makeCanaries({ count: 10, length: 25, norm: 2, rowCap: 1 })).toThrow('canaries: expected at most 6 for a statistic of 25 coordinates, got 10');
  });

  it('are found when nothing hides them, and not by guessing blindly', () => {
    const random = seededRandom(4, 'canaries');
    const included = Array.from({ length: 8000 }, () => random.nextFloat() < 0.5);
    const plain = Float64Array.from(included, (isIn) => (isIn ? 1 : 0));
    expect(findCanaries(plain, included, 1e-5).epsilonLowerBound).toBeGreaterThan(5);
    const blind = Float64Array.from(included, () => random.nextFloat());
    expect(findCanaries(blind, included, 1e-5).epsilonLowerBound).toBeLessThan(0.5);
  });
});

describe('the test of noise', () => {
  const noise = (variance: number, name: string): Int32Array => {
    const samples = new Int32Array(100_000);
    skellamSampler({ variance, kind: 'strict' }).fill(samples, seededRandom(7, name));
    return samples;
  };

  it('passes the planned noise, at any variance', () => {
    for (const variance of [6.25, 400, 1e6]) expect(testNoise(noise(variance, `planned ${variance}`), variance).pass).toBe(true);
  });

  it('finds half of the noise missing, five percent too much of it, a bias, and noise used twice', () => {
    expect(testNoise(noise(200, 'half'), 400)).toMatchObject({ pass: false });
    expect(testNoise(noise(420, 'more'), 400).pass).toBe(false);
    expect(testNoise(noise(400, 'bias').map((value) => value + 1), 400).pass).toBe(false);
    const repeated = noise(400, 'twice');
    for (let i = 1; i < repeated.length; i += 2) repeated[i] = repeated[i - 1];
    expect(testNoise(repeated, 400)).toMatchObject({ pass: false });
    expect(Math.abs(testNoise(repeated, 400).lag)).toBeGreaterThan(50);
  });

  it('refuses too few samples and a variance that is none', () => {
    expect(() => testNoise(new Int32Array(10), 1)).toThrow('samples');
    expect(() => testNoise(new Int32Array(1000), 0)).toThrow('variance');
  });
});
