/**
 * Random numbers by number: what a stream would yield for one of millions, without the streams of the others and without state.
 * A word is MurmurHash3_x86_32 (Appleby, public domain, https://github.com/aappleby/smhasher) of two words under a key; the
 * key of a named use is `hashName(seed, name)`. Never protects anybody: the hash is not cryptographic.
 */

/** A uniform 32-bit word for `index` (0..2^32-1); further words of the same index by `counter`. */
export function hashedWord(key: number, index: number, counter = 0): number {
  let hash = mixBlock(mixBlock(key, index), counter) ^ bytes;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Uniform in (0, 1): the middles of 2^32 equal parts. */
export function hashedUniform(key: number, index: number, counter = 0): number {
  return (hashedWord(key, index, counter) + 0.5) / 4_294_967_296;
}

/** Uniform integer in 0..bound-1; probabilities are off by at most 2^-32 each. */
export function hashedBelow(key: number, index: number, bound: number, counter = 0): number {
  return Math.floor((hashedWord(key, index, counter) / 4_294_967_296) * bound);
}

/** Standard normal, from the words `counter` and `counter + 1` (Box and Muller 1958, doi:10.1214/aoms/1177706645). */
export function hashedNormal(key: number, index: number, counter = 0): number {
  return Math.sqrt(-2 * Math.log(hashedUniform(key, index, counter))) * Math.cos(2 * Math.PI * hashedUniform(key, index, counter + 1));
}

/** Length of what is hashed. */
const bytes = 8;

function mixBlock(hash: number, word: number): number {
  const scrambled = Math.imul(word, 0xcc9e2d51);
  const mixed = hash ^ Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b873593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}
