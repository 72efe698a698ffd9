import { describe, expect, it } from 'vitest';
import { secureRandom, seededRandom, type SecureRandom } from '../../shared/numerics/random.ts';
import { addClipped, emptySum } from '../../shared/privacy/clip.ts';
import { addNoiseBlock, drawNoiseBlock, withoutNoise, type IntegerSampler } from '../../shared/privacy/noise.ts';
import { skellamSampler } from '../../shared/privacy/skellam-sampler.ts';
import type { Clipped } from '../../shared/privacy/vectors.ts';
import { createSparseVector } from '../../shared/numerics/sparse-vector.ts';
import { chiSquareDeviation, isPlausible, skellamDeviations } from '../../shared/privacy/noise-test.ts';
import { skellamProbability } from './skellam-law.ts';

/** A secure stream that tests can repeat; its kind is a lie that only a test may tell. */
function repeatableSecure(name: string): SecureRandom {
  const words = seededRandom(5, name);
  return secureRandom((bytes) => {
    const view = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    for (let i = 0; i < view.length; i += 1) view[i] = words.nextUint32();
  });
}

const addNoise = (sum: Clipped, from: IntegerSampler, random: SecureRandom) => addNoiseBlock(sum, drawNoiseBlock(sum.length, from, random));
const sampler = skellamSampler({ variance: 6.25, kind: 'strict' });

function sumOf(values: readonly number[]): Clipped {
  return Int32Array.from(values) as Clipped;
}

describe('noise', () => {
  it('adds the sampler\'s law to every coordinate and leaves the sum alone', () => {
    const sum = emptySum(300_000);
    sum.fill(1000);
    const noised = addNoise(sum, sampler, repeatableSecure('law'));
    const noise = noised.map((value) => value - 1000);
    expect(sum.every((value) => value === 1000)).toBe(true);
    expect(isPlausible(skellamDeviations(noise, 6.25).variance)).toBe(true);
    expect(isPlausible(chiSquareDeviation(noise, skellamProbability(6.25), 30))).toBe(true);
  });

  it('a release on zero inputs shows the planned variance, and half of the shares missing does not', () => {
    const share = skellamSampler({ variance: 50, kind: 'fast' });
    const total = new Int32Array(100_000);
    for (let participant = 0; participant < 8; participant += 1) {
      addNoise(emptySum(total.length), share, repeatableSecure(`share ${participant}`)).forEach((value, i) => { total[i] += value; });
      if (participant === 3) expect(isPlausible(skellamDeviations(total, 400).variance)).toBe(false);
    }
    expect(isPlausible(skellamDeviations(total, 400).variance)).toBe(true);
    expect(isPlausible(skellamDeviations(total, 400).fourth)).toBe(true);
  });

  it('wraps modulo 2^32 instead of saturating', () => {
    const constant = { fill: (into: Int32Array) => { into.fill(3); } };
    expect([...addNoise(sumOf([2_147_483_647, -5]), constant, repeatableSecure('wrap'))]).toEqual([-2_147_483_646, -2]);
  });

  it('draws all of the noise before it reads the sum', () => {
    const order: string[] = [];
    const watched = new Proxy(emptySum(2), {
      get: (target, key) => {
        if (key === '0' || key === '1') order.push('read');
        return Reflect.get(target, key, target) as unknown;
      },
    });
    addNoise(watched, { fill: () => { order.push('draw'); } }, repeatableSecure('order'));
    expect(order).toEqual(['draw', 'read', 'read']);
  });

  it('only secure streams make private noise, only clipped sums take it', () => {
    const secure = repeatableSecure('types');
    // @ts-expect-error a seeded stream protects nobody
    drawNoiseBlock(1, sampler, seededRandom(1, 'types'));
    // @ts-expect-error an unclipped vector has no sensitivity
    addNoiseBlock(new Int32Array(1), drawNoiseBlock(1, sampler, secure));
    // @ts-expect-error a vector that anybody may have seen is no noise
    expect(addNoiseBlock(emptySum(1), new Int32Array(1))).toHaveLength(1);
  });

  it('two neighbours under the same noise differ by what clipping allows', () => {
    const bounds = { clipNorm: 1, rowCap: 1, gridScale: 256 };
    const contribution = createSparseVector();
    contribution.add(1, 5);
    contribution.add(2, -12);
    const other = emptySum(4);
    addClipped(other, contribution, bounds);
    const a = addNoise(emptySum(4), sampler, repeatableSecure('pair'));
    const b = addNoise(other, sampler, repeatableSecure('pair'));
    expect(Math.hypot(...a.map((value, i) => value - b[i]))).toBeLessThanOrEqual(256);
  });

  it('mode none passes a copy', () => {
    const sum = sumOf([1, 2]);
    const noised = withoutNoise(sum);
    expect([...noised]).toEqual([1, 2]);
    expect(noised).not.toBe(sum);
  });
});

describe('noise drawn ahead of the data', () => {
  it('has the law of its sampler, is used once and leaves nothing behind', () => {
    const block = drawNoiseBlock(200_000, sampler, repeatableSecure('block'));
    const copy = block.slice();
    const noised = addNoiseBlock(emptySum(200_000), block);
    expect(isPlausible(chiSquareDeviation(noised, skellamProbability(6.25), 30))).toBe(true);
    expect([...noised.subarray(0, 100)]).toEqual([...copy.subarray(0, 100)]);
    expect(block.every((value) => value === 0)).toBe(true);
  });

  it('refuses a sum of another length', () => {
    expect(() => addNoiseBlock(emptySum(3), drawNoiseBlock(2, sampler, repeatableSecure('short')))).toThrow('noise: expected 3 values, got 2');
  });
});
