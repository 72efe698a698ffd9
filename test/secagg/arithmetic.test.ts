/** Shares, thresholds, graphs, the ring, labels and the chain of noise keys. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { membersOf, bitmapOf } from '../../shared/secagg/bytes.ts';
import { sharesOf } from '../../shared/secagg/aggregator-blame.ts';
import type { Revealed } from '../../shared/secagg/aggregator-state.ts';
import { completeGraph, graphParameters, hararyGraph, neighboursOf, placeAmongNeighbours, pointsOf } from '../../shared/secagg/graph.ts';
import { labelledHash, statement } from '../../shared/secagg/labels.ts';
import { chainEnd, chainKeys, noiseSeed } from '../../shared/secagg/noise-chain.ts';
import { addPacked, addWords, bytesPerCoordinate, packVector, requirePacked, signExtend } from '../../shared/secagg/ring.ts';
import { slotName } from '../../shared/secagg/sealed-share.ts';
import { combineShares, divide, multiply, splitSecret } from '../../shared/secagg/shamir.ts';
import { softwareCrypto } from '../../shared/secagg/software-crypto.ts';
import { completeThreshold, hararyParameters } from '../../shared/secagg/thresholds.ts';
import { random } from './session.ts';

/** Multiplication in GF(2^16) bit by bit, the way the field is defined. */
function slowly(a: number, b: number): number {
  let product = 0;
  for (let bit = 0; bit < 16; bit += 1) if (((b >>> bit) & 1) === 1) product ^= a << bit;
  for (let bit = 30; bit >= 16; bit -= 1) if (((product >>> bit) & 1) === 1) product ^= 0x1100b << (bit - 16);
  return product;
}

function* subsetsOf(size: number, of: number, from = 0): Generator<number[]> {
  if (size === 0) yield [];
  else for (let first = from; first <= of - size; first += 1) for (const rest of subsetsOf(size - 1, of, first + 1)) yield [first, ...rest];
}

describe('GF(2^16)', () => {
  it('multiplies as its polynomial says, and divides back', () => {
    expect(multiply(2, 0x8000)).toBe(0x100b);
    fc.assert(fc.property(fc.nat(65_535), fc.integer({ min: 1, max: 65_535 }), (a, b) => {
      expect([multiply(a, b), divide(multiply(a, b), b)]).toEqual([slowly(a, b), a]);
    }));
  });
});

describe('Shamir shares', () => {
  const secret = Uint8Array.from({ length: 32 }, (_, i) => 255 - 5 * i);

  it('are values of the polynomial: by hand, 1 + 2 x at 1, 2, 3 and 0x8000', () => {
    const one = new Uint8Array(32);
    one[0] = 1;
    const shares = splitSecret(one, 2, [1, 2, 3, 0x8000], { kind: 'secure', nextUint32: () => 2 });
    expect(shares.map((share) => share[0] | (share[1] << 8))).toEqual([3, 5, 7, 0x100b ^ 1]);
  });

  it('give the secret back from any threshold of them', () => {
    for (const [count, threshold] of [[4, 3], [5, 4], [7, 5], [9, 2]] as const) {
      const points = Array.from({ length: count }, (_, i) => (i === 0 ? 65_535 : 97 * i));
      const shares = splitSecret(secret, threshold, points, random);
      for (const subset of subsetsOf(threshold, count)) expect(combineShares(subset.map((i) => ({ x: points[i], bytes: shares[i] })))).toEqual(secret);
      for (const subset of subsetsOf(threshold - 1, count)) expect(combineShares(subset.map((i) => ({ x: points[i], bytes: shares[i] })))).not.toEqual(secret);
    }
  });

  it('below the threshold are compatible with every secret: one last share for each', () => {
    const points = [1, 4, 9];
    const [first, second] = splitSecret(secret, 3, points, random).map((bytes) => Uint8Array.from({ length: 32 }, (_, i) => bytes[i % 2]));
    const reached = new Set<number>();
    for (let start = 0; start < 65_536; start += 16) {
      const last = new Uint8Array(Uint16Array.from({ length: 16 }, (_, i) => start + i).buffer);
      const found = combineShares([first, second, last].map((bytes, i) => ({ x: points[i], bytes })));
      for (let i = 0; i < 32; i += 2) reached.add(found[i] | (found[i + 1] << 8));
    }
    expect(reached.size).toBe(65_536);
  });

  it('are refused for thresholds and points that make no sense', () => {
    for (const [threshold, points] of [[0, [1, 2]], [3, [1, 2]], [1.5, [1, 2]], [2, [1, 1]], [1, [0]], [1, [65_536]]] as const) expect(() => splitSecret(secret, threshold, points, random)).toThrow(/expected/);
    expect(() => splitSecret(secret.slice(1), 1, [1], random)).toThrow('secret: expected 32 bytes, got 31');
    expect(() => combineShares([{ x: 1, bytes: secret }, { x: 1, bytes: secret }])).toThrow('distinct points');
  });
});

describe('thresholds', () => {
  it('of a complete graph are more than two thirds, so that two sets of them share an honest member', () => {
    expect([5, 10, 50, 200].map(completeThreshold)).toEqual([4, 7, 34, 134]);
    for (let n = 4; n <= 400; n += 1) expect(2 * completeThreshold(n)).toBeGreaterThan(n + Math.ceil(n / 3) - 1);
  });

  const sizes = [50, 100, 200, 500, 1000, 10_000] as const;
  const table = [
    ['lying', 0.05, 0.1, [[14, 9], [26, 16], [42, 27], [66, 44], [78, 52], [96, 64]]],
    ['lying', 0.1, 0.1, [[16, 11], [32, 22], [56, 39], [82, 57], [96, 67], [122, 85]]],
    ['lying', 0.2, 0.1, [[22, 17], [42, 32], [76, 57], [116, 86], [140, 104], [184, 136]]],
    ['lying', 0.2, 0.2, [[32, 22], [62, 42], [118, 80], [220, 150], [302, 206], [482, 328]]],
    ['lying', 0.2, 0.3, [[42, 27], [82, 52], [162, 102], [376, 239], [642, 409], [1790, 1140]]],
    ['curious', 0.1, 0.1, [[12, 6], [22, 11], [34, 19], [42, 24], [48, 27], [54, 31]]],
    ['curious', 0.2, 0.1, [[16, 11], [32, 21], [46, 30], [60, 39], [68, 44], [80, 51]]],
    ['curious', 0.2, 0.3, [[26, 11], [48, 21], [80, 38], [120, 57], [140, 67], [182, 87]]],
  ] as const;

  it.each(table)('of a Harary graph against a %s coordinator, %f corrupt and %f away, are those of the published search', (coordinator, corruptFraction, dropoutFraction, expected) => {
    const found = sizes.map((participants) => hararyParameters({ participants, corruptFraction, dropoutFraction, coordinator, securityBits: 40 }));
    expect(found.map(({ degree, threshold }) => [degree, threshold])).toEqual(expected);
  });

  it('of 100,000 participants too', () => {
    const at = (coordinator: 'lying' | 'curious', corruptFraction: number): unknown => hararyParameters({ participants: 100_000, corruptFraction, dropoutFraction: 0.1, coordinator, securityBits: 40 });
    expect([at('lying', 0.05), at('lying', 0.1), at('lying', 0.2), at('curious', 0.1), at('curious', 0.2)]).toEqual([
      { degree: 106, threshold: 70 }, { degree: 134, threshold: 93 }, { degree: 204, threshold: 150 }, { degree: 58, threshold: 33 }, { degree: 88, threshold: 55 },
    ]);
  });

  it('of a complete graph end with the field of its shares', () => {
    expect(graphParameters({ graph: { kind: 'complete' } }, 65_535)).toEqual({ degree: 65_534, threshold: 43_691 });
    expect(() => graphParameters({ graph: { kind: 'complete' } }, 65_536)).toThrow('participants: expected at most 65535 in a complete graph, got 65536');
    // Of neighbours there are few, however many members there are.
    expect(graphParameters({ graph: { kind: 'harary', corruptFraction: 0.1, dropoutFraction: 0.1, securityBits: 40 } }, 1 << 20)).toEqual({ degree: 146, threshold: 101 });
  });

  it('are refused where the load is too high or the cohort too small', () => {
    expect(() => hararyParameters({ participants: 100, corruptFraction: 0.31, dropoutFraction: 0.3, coordinator: 'lying', securityBits: 40 })).toThrow('load of at most 0.9');
    expect(() => hararyParameters({ participants: 10, corruptFraction: 0.05, dropoutFraction: 0.4, coordinator: 'lying', securityBits: 40 })).toThrow('use the complete graph');
    expect(() => hararyParameters({ participants: 2, corruptFraction: 0, dropoutFraction: 0, coordinator: 'lying', securityBits: 40 })).toThrow('at least 3');
  });

  it('belong to a graph in which being neighbours is mutual and everybody has the same number', async () => {
    const graph = await hararyGraph(softwareCrypto, 31, { degree: 8, threshold: 6 }, new Uint8Array(32).fill(5));
    for (let member = 0; member < 31; member += 1) {
      const neighbours = neighboursOf(graph, member);
      expect([new Set(neighbours).size, neighbours.includes(member)]).toEqual([8, false]);
      for (const other of neighbours) expect([neighboursOf(graph, other).includes(member), neighboursOf(graph, other)[placeAmongNeighbours(graph, other, member)]]).toEqual([true, member]);
    }
  });
});

describe('the shares of a member with neighbours', () => {
  it('are at the numbers of those who hold them', async () => {
    const graph = await hararyGraph(softwareCrypto, 31, { degree: 8, threshold: 6 }, new Uint8Array(32).fill(5));
    expect(pointsOf(graph, neighboursOf(graph, 3))).toEqual(neighboursOf(graph, 3).map((neighbour) => neighbour + 1));
    expect(pointsOf(completeGraph(4), [0, 1, 3])).toEqual([1, 2, 4]);
  });

  it('are in the field among more members than that has points', async () => {
    const graph = await hararyGraph(softwareCrypto, 70_000, { degree: 8, threshold: 6 }, new Uint8Array(32).fill(5));
    for (const dealer of [0, 40_000, 69_999]) {
      const holders = neighboursOf(graph, dealer);
      expect(Math.max(...holders)).toBeGreaterThan(8);
      const points = pointsOf(graph, holders);
      expect(points).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      const secret = new Uint8Array(32).fill(dealer & 255);
      const shares = splitSecret(secret, 6, points, random).map((bytes, place) => ({ x: points[place], bytes }));
      expect(combineShares(shares.slice(2))).toEqual(secret);
      expect(combineShares(shares.slice(0, 5))).not.toEqual(secret);
    }
  });

  it('are put together again at the points that they were dealt at, in whatever order they arrive', async () => {
    const graph = await hararyGraph(softwareCrypto, 66_000, { degree: 8, threshold: 6 }, new Uint8Array(32).fill(9));
    const dealer = 65_999;
    const secret = Uint8Array.from({ length: 32 }, (_, i) => 7 * i);
    const holders = neighboursOf(graph, dealer);
    const shares = splitSecret(secret, 6, pointsOf(graph, holders), random);
    const reveal = ([holder, bytes]: readonly [number, Uint8Array]): [number, Revealed] => [holder, { seed: null, noiseKey: null, shares: new Map([[slotName(dealer, 0), bytes]]) }];
    // Two of them left, and somebody who is no neighbour speaks for the dealer as well.
    const revealed = new Map([[1, shares[0]] as const, ...holders.map((holder, place) => [holder, shares[place]] as const).slice(2).reverse()].filter(([holder]) => holder !== dealer).map(reveal));
    const found = sharesOf({ revealed, session: { graph } }, dealer, 0);
    expect(found.map(({ x }) => x)).toEqual([3, 4, 5, 6, 7, 8]);
    expect(combineShares(found)).toEqual(secret);
  });
});

describe.each(Array.from({ length: 17 }, (_, i) => 16 + i))('the ring of %i bits', (bits) => {
  const top = 2 ** (bits - 1);
  const values = Int32Array.of(0, 1, -1, top - 1, -top, 12_345, -12_345);

  it('gives packed vectors and their sums back, modulo 2^b', () => {
    const packed = packVector(values, bits);
    expect(packed).toHaveLength(values.length * Math.ceil(bits / 8));
    expect(() => requirePacked(packed, values.length, bits)).not.toThrow();
    const sum = new Int32Array(values.length);
    addPacked(sum, packed, bits);
    expect(signExtend(sum.slice(), bits)).toEqual(values);
    addPacked(sum, packed, bits);
    expect([...signExtend(sum, bits)]).toEqual([...values].map((value) => Number(BigInt.asIntN(bits, 2n * BigInt(value)))));
  });

  it('has one wire form for each vector, and refuses what lies outside', () => {
    const width = bytesPerCoordinate(bits);
    for (let bit = bits; bit < 8 * width; bit += 1) {
      const packed = packVector(values, bits);
      packed[2 * width + (bit >>> 3)] |= 1 << (bit & 7);
      // -1 has all its bits set: the spare ones alone are what is wrong.
      expect(() => requirePacked(packed, values.length, bits)).toThrow('vector[2]: expected a number below');
    }
    expect(() => requirePacked(new Uint8Array(width), 2, bits)).toThrow('expected');
  });
});

describe('small parts', () => {
  it('adds and subtracts words of one length only', () => {
    expect(() => addWords(new Int32Array(2), new Int32Array(3), 1)).toThrow('words: expected 2 words, got 3');
  });

  it('gives bitmaps back, and refuses other lengths and members beyond the end', () => {
    fc.assert(fc.property(fc.uniqueArray(fc.nat(40), { maxLength: 20 }), (members) => {
      expect(membersOf('set', 41, bitmapOf(41, members))).toEqual([...members].sort((a, b) => a - b));
    }));
    expect(() => membersOf('set', 8, new Uint8Array(2))).toThrow('set: expected 1 bytes, got 2');
    expect(() => membersOf('set', 7, Uint8Array.of(128))).toThrow('set: expected members below 7, got 7');
  });

  it('puts no two lists of parts, and no two labels, under one statement', () => {
    const words = fc.array(fc.string({ maxLength: 4 }), { maxLength: 4 });
    fc.assert(fc.property(words, words, fc.constantFrom('a', 'ab'), fc.constantFrom('a', 'ab'), (one, two, left, right) => {
      const isSame = left === right && JSON.stringify(one) === JSON.stringify(two);
      expect(Buffer.compare(Buffer.from(statement(left, ...one)), Buffer.from(statement(right, ...two))) === 0).toBe(isSame);
    }), { numRuns: 500 });
    expect(labelledHash('a', 'bc', 'd')).not.toEqual(labelledHash('a', 'b', 'cd'));
    expect(labelledHash('ab', 'c')).not.toEqual(labelledHash('a', 'bc'));
    expect(statement('a', 'bc')).toEqual(Uint8Array.from(Buffer.from('\0\0\0\x14cesta/silo-secagg/v1\0\0\0\x01a\0\0\0\x02bc')));
  });

  it('lets a noise key give all later ones and the end of the chain, and none before it', () => {
    const root = new Uint8Array(32).fill(7);
    const keys = chainKeys(root, 5);
    const end = chainEnd(root, 5);
    keys.forEach((key, i) => {
      expect(chainKeys(key, 5 - i)).toEqual(keys.slice(i));
      expect(chainEnd(key, 5 - i)).toEqual(end);
      for (const earlier of keys.slice(0, i)) expect(chainKeys(key, 40)).not.toContainEqual(earlier);
    });
    expect(chainKeys(root, 0)).toEqual([]);
    const seeds = keys.map((key, i) => Buffer.from(noiseSeed(key, i + 1)).toString('hex'));
    expect(new Set([...seeds, ...keys.map((key) => Buffer.from(key).toString('hex'))]).size).toBe(10);
  });
});
