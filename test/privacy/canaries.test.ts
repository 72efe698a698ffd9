import { describe, expect, it } from 'vitest';
import { createSparseVector } from '../../shared/numerics/sparse-vector.ts';
import { seededRandom } from '../../shared/numerics/random.ts';
import { findCanaries, makeCanaries } from '../../shared/privacy/canaries.ts';
import { testNoise } from '../../shared/privacy/noise-test.ts';
import { skellamSampler } from '../../shared/privacy/skellam-sampler.ts';

describe('canaries', () => {
  it('have the full norm within the row cap, on coordinates of their own', () => {
    const canaries = makeCanaries({ count: 5, length: 50, norm: 2, rowCap: 0.8 });
    const touched = new Set<number>();
    for (let index = 0; index < 5; index += 1) {
      const contribution = createSparseVector();
      canaries.contribute(index, contribution);
      let square = 0;
      for (let entry = 0; entry < contribution.size; entry += 1) {
        square += contribution.valueAt(entry) ** 2;
        expect(contribution.valueAt(entry)).toBeLessThanOrEqual(0.8);
        touched.add(contribution.indexAt(entry));
      }
      expect(square).toBeCloseTo(4, 12);
    }
    expect(touched.size).toBe(5 * canaries.width);
  });

  it('score 1 in a sum that holds them and 0 in one that does not', () => {
    const canaries = makeCanaries({ count: 3, length: 9, norm: 1.5, rowCap: 1 });
    const unexplained = new Float64Array(9);
    const contribution = createSparseVector();
    canaries.contribute(1, contribution);
    for (let entry = 0; entry < contribution.size; entry += 1) unexplained[contribution.indexAt(entry)] = contribution.valueAt(entry);
    expect([...canaries.scores(unexplained)].map((score) => Math.round(score * 1e9) / 1e9)).toEqual([0, 1, 0]);
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
