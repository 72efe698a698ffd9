import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashedBelow, hashedNormal, hashedUniform, hashedWord } from '../../shared/numerics/hashed-random.ts';
import { keyedPermutation } from '../../shared/numerics/keyed-permutation.ts';
import { hashName } from '../../shared/numerics/random.ts';

const draws = 100_000;
const key = hashName(7, 'test');
const meanOf = (count: number, value: (index: number) => number): number => Array.from({ length: count }, (_, index) => value(index)).reduce((sum, x) => sum + x, 0) / count;

describe('random numbers by number', () => {
  // MurmurHash3_x86_32 of the eight bytes of two little-endian words, by the Python package mmh3 (which binds Appleby's code).
  it.each([
    [0, 0, 0, 0x63852afc],
    [1, 2, 3, 0xae160357],
    [0x9747b28c, 0x61616161, 0x61616161, 0x32326b29],
    [0xffffffff, 0xffffffff, 0xffffffff, 0xc6fd26e5],
    [7, 999_999, 1, 0x93500bbb],
    [42, 0x12345678, 0x9abcdef0, 0x34277a9a],
  ])('are MurmurHash3 under key %d of %d and %d', (seed, index, counter, expected) => {
    expect(hashedWord(seed, index, counter)).toBe(expected);
  });

  it('are spread evenly over what is below a bound', () => {
    const counts = new Array<number>(10).fill(0);
    for (let index = 0; index < draws; index += 1) counts[hashedBelow(key, index, 10)] += 1;
    for (const count of counts) expect(Math.abs(count - draws / 10)).toBeLessThan(5 * Math.sqrt(draws * 0.1 * 0.9));
  });

  it('do not follow each other: neither by index nor by counter', () => {
    const centred = (index: number, counter = 0): number => hashedUniform(key, index, counter) - 0.5;
    // The product of two independent uniforms around zero has variance 1/144.
    const bound = 5 / 12 / Math.sqrt(draws);
    expect(Math.abs(meanOf(draws, (index) => centred(index) * centred(index + 1)))).toBeLessThan(bound);
    expect(Math.abs(meanOf(draws, (index) => centred(index) * centred(index, 1)))).toBeLessThan(bound);
    expect(Math.abs(meanOf(draws, (index) => centred(index) * (hashedUniform(hashName(8, 'test'), index) - 0.5)))).toBeLessThan(bound);
  });

  it('are normal where they are asked to be', () => {
    const values = Float64Array.from({ length: draws }, (_, index) => hashedNormal(key, index));
    expect(Math.abs(meanOf(draws, (index) => values[index]))).toBeLessThan(5 / Math.sqrt(draws));
    expect(Math.abs(meanOf(draws, (index) => values[index] ** 2) - 1)).toBeLessThan(5 * Math.sqrt(2 / draws));
    // P[|X| > 1.959964] is 0.05.
    expect(Math.abs(values.filter((value) => Math.abs(value) > 1.959964).length / draws - 0.05)).toBeLessThan(5 * Math.sqrt((0.05 * 0.95) / draws));
  });
});

describe('a keyed permutation', () => {
  it('has every number once', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer(), (size, seed) => {
      const order = keyedPermutation(size, seed);
      const seen = new Uint8Array(size);
      for (let position = 0; position < size; position += 1) seen[order(position)] += 1;
      expect(seen.every((times) => times === 1)).toBe(true);
    }), { numRuns: 200 });
  });

  it('stays inside where the size is the largest there is', () => {
    const order = keyedPermutation(2 ** 32, 5);
    const values = Array.from({ length: 1000 }, (_, position) => order(2 ** 32 - 1 - position));
    expect(values.every((value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32)).toBe(true);
    expect(new Set(values).size).toBe(1000);
  });

  it.each([2, 3, 5, 8])('of %d has every pair first equally often over the keys', (size) => {
    const keys = 20_000;
    const counts = new Map<string, number>();
    for (let seed = 0; seed < keys; seed += 1) {
      const order = keyedPermutation(size, hashName(seed, 'pairs'));
      const pair = `${order(0)} ${order(1)}`;
      counts.set(pair, (counts.get(pair) ?? 0) + 1);
    }
    const pairs = size * (size - 1);
    expect(counts.size).toBe(pairs);
    for (const count of counts.values()) expect(Math.abs(count - keys / pairs)).toBeLessThan(5 * Math.sqrt((keys / pairs) * (1 - 1 / pairs)));
  });

  it('has neighbours far apart: those of the first half of a million go to both halves', () => {
    const [size, asked] = [1_000_000, 20_000];
    const order = keyedPermutation(size, key);
    const low = Array.from({ length: asked }, (_, position) => order(position)).filter((value) => value < size / 2).length;
    expect(Math.abs(low - asked / 2)).toBeLessThan(5 * Math.sqrt(asked / 4));
  });
});
