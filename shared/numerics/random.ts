/**
 * Two kinds of randomness that cannot be mixed up: seeded streams (reproducible: splits, simulations)
 * and secure streams (operating system: keys, privacy noise, masks).
 * The seeded generator is xoshiro128** (Blackman and Vigna 2021), seeded through SplitMix32; it is not
 * fit for privacy: whoever knows the seed can subtract the noise.
 */

/** Uniform 32-bit words. Samplers are written against this; only their callers decide which kind is allowed. */
export interface RandomWords {
  nextUint32(): number;
}

/** A reproducible stream. Never protects anybody. */
export interface SeededRandom extends RandomWords {
  readonly kind: 'seeded';
  /** Uniform in [0, 1) with 53 bits. */
  nextFloat(): number;
  /** Uniform integer in 0..bound-1. */
  nextBelow(bound: number): number;
}

/** A stream from the operating system's generator. The only kind that privacy noise accepts. */
export interface SecureRandom extends RandomWords {
  readonly kind: 'secure';
}

/**
 * A named stream of a root seed. Streams of different names are independent, so adding a consumer never
 * shifts the numbers another one sees.
 * @example
 * const noise = seededRandom(7, 'noise');
 * noise.nextFloat();
 */
export function seededRandom(seed: number, name = ''): SeededRandom {
  let mix = hashName(seed, name);
  const splitMix = (): number => {
    mix = (mix + 0x9e3779b9) | 0;
    let z = mix ^ (mix >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return z ^ (z >>> 15);
  };
  let [a, b, c, d] = [splitMix(), splitMix(), splitMix(), splitMix() | 1];
  const nextUint32 = (): number => {
    const scrambled = Math.imul(b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result;
  };
  return { kind: 'seeded', nextUint32, nextFloat: () => uniform53({ nextUint32 }), nextBelow: (bound) => uniformBelow({ nextUint32 }, bound) };
}

/** Wraps a source of secure bytes (`crypto.getRandomValues`) and draws from it in blocks of 64 KiB. */
export function secureRandom(fill: (bytes: Uint8Array) => void): SecureRandom {
  const block = new Uint32Array(16_384);
  const bytes = new Uint8Array(block.buffer);
  let used = block.length;
  return {
    kind: 'secure',
    nextUint32() {
      if (used === block.length) {
        fill(bytes);
        used = 0;
      }
      const word = block[used];
      // A word is used once: a later memory disclosure must not reveal noise already added.
      block[used] = 0;
      used += 1;
      return word;
    },
  };
}

/** Uniform in [0, 1) on the grid of 2^-53. */
export function uniform53(random: RandomWords): number {
  const high = random.nextUint32() >>> 5;
  const low = random.nextUint32() >>> 6;
  return (high * 67_108_864 + low) / 9_007_199_254_740_992;
}

/** Uniform integer in 0..bound-1 by rejection: no modulo bias. `bound` is in 1..2^32. */
export function uniformBelow(random: RandomWords, bound: number): number {
  const limit = 4_294_967_296 - (4_294_967_296 % bound);
  for (;;) {
    const word = random.nextUint32();
    if (word < limit) return word % bound;
  }
}

/** Fisher-Yates in place. */
export function shuffle<T>(values: T[], random: RandomWords): T[] {
  for (let i = values.length - 1; i > 0; i -= 1) {
    const j = uniformBelow(random, i + 1);
    [values[i], values[j]] = [values[j], values[i]];
  }
  return values;
}

/** FNV-1a over the seed and the name. */
export function hashName(seed: number, name: string): number {
  let hash = (0x811c9dc5 ^ seed) | 0;
  hash = Math.imul(hash, 0x01000193);
  for (let i = 0; i < name.length; i += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  }
  return hash;
}
