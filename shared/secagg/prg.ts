/**
 * The mask generator: AES-256-CTR with the counter at 0, read as little-endian words. ONE stream covers the whole
 * vector: restarting it for each tensor would repeat masks, and differences of tensors would leak.
 */
import type { RandomWords } from '../numerics/random.ts';
import type { SecaggCrypto } from './crypto.ts';
import { addWords, littleEndianWords } from './ring.ts';
import { softwareKeystream } from './software-crypto.ts';

/** Adds the stream of `key` to a vector, or subtracts it. A key masks one vector only. */
export async function addMask(crypto: SecaggCrypto, key: Uint8Array, into: Int32Array, sign: 1 | -1): Promise<void> {
  const stream = crypto.keystream(key);
  const chunk = crypto.chunkBytes / 4;
  for (let start = 0; start < into.length; start += chunk) {
    const count = Math.min(chunk, into.length - start);
    addWords(into.subarray(start, start + count), littleEndianWords(await stream.read(count * 4)), sign);
  }
}

/**
 * The stream of a seed as random words, for a sampler that asks one at a time: two sides with one seed draw the same
 * noise. `expected` words come from the platform at once; what goes beyond is computed in software.
 */
export async function seededWords(crypto: SecaggCrypto, seed: Uint8Array, expected: number): Promise<RandomWords> {
  const blocks = Math.ceil(expected / 4);
  let words = littleEndianWords(await crypto.keystream(seed).read(blocks * 16));
  const rest = softwareKeystream(seed, blocks);
  let next = 0;
  return {
    nextUint32() {
      if (next === words.length) {
        words = littleEndianWords(rest.read(4096));
        next = 0;
      }
      const word = words[next] >>> 0;
      next += 1;
      return word;
    },
  };
}
