import { describe, expect, it } from 'vitest';
import { secureRandom, seededRandom, type SecureRandom } from '../../shared/numerics/random.ts';
import { addClipped, emptySum } from '../../shared/privacy/clip.ts';
import { addNoise, createNoisePool, simulateNoise, withoutNoise } from '../../shared/privacy/noise.ts';
import { skellamSampler } from '../../shared/privacy/skellam-sampler.ts';
import type { Clipped } from '../../shared/privacy/vectors.ts';
import { createSparseVector } from '../../shared/numerics/sparse-vector.ts';
import { chiSquareDeviation, isPlausible, skellamDeviations, skellamProbability } from './statistics.ts';

/** A secure stream that tests can repeat; its kind is a lie that only a test may tell. */
function repeatableSecure(name: string): SecureRandom {
  const words = seededRandom(5, name);
  return secureRandom((bytes) => {
    const view = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    for (let i = 0; i < view.length; i += 1) view[i] = words.nextUint32();
  });
}

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

  it('only secure streams make private noise, only seeded ones make simulated noise', () => {
    const seeded = seededRandom(1, 'types');
    const secure = repeatableSecure('types');
    // @ts-expect-error a seeded stream protects nobody
    addNoise(emptySum(1), sampler, seeded);
    // @ts-expect-error experiments are reproducible or not experiments
    simulateNoise(emptySum(1), sampler, secure);
    // @ts-expect-error an unclipped vector has no sensitivity
    addNoise(new Int32Array(1), sampler, secure);
    expect([...simulateNoise(emptySum(4), sampler, seededRandom(1, 'same'))]).toEqual([...simulateNoise(emptySum(4), sampler, seededRandom(1, 'same'))]);
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

describe('a pool of noise', () => {
  it('gives each value once, refuses when it is dry, and can be refilled', () => {
    let next = 0;
    const counting = { fill: (into: Int32Array) => { for (let i = 0; i < into.length; i += 1) into[i] = next += 1; } };
    const pool = createNoisePool(5, counting, repeatableSecure('pool'));
    const seen = [...pool.addTo(emptySum(2)), ...pool.addTo(emptySum(3))];
    expect(new Set(seen).size).toBe(5);
    expect(seen).not.toContain(0);
    expect(pool.available).toBe(0);
    expect(() => pool.addTo(emptySum(1))).toThrow('pool: expected at least 1 unused noise values, got 0');
    pool.refill();
    expect(pool.available).toBe(5);
    expect(Math.min(...pool.addTo(emptySum(5)))).toBe(6);
  });

  it('has the law of its sampler', () => {
    const pool = createNoisePool(200_000, sampler, repeatableSecure('pool law'));
    const noised = pool.addTo(emptySum(200_000));
    expect(isPlausible(chiSquareDeviation(noised, skellamProbability(6.25), 30))).toBe(true);
  });

  it('refuses a capacity below 1', () => {
    expect(() => createNoisePool(0, sampler, repeatableSecure('none'))).toThrow('capacity');
  });
});
