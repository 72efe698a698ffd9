/**
 * A permutation of 0..size-1 that is computed for one number at a time: the generalised Feistel cipher of Black and Rogaway
 * (2002, "Ciphers with arbitrary finite domains", CT-RSA, doi:10.1007/3-540-45760-7_9, methods 2 and 3), with a hash as round
 * function. For draws without repetition from sets that are nowhere listed; never for secrets.
 */
import { hashedBelow } from './hashed-random.ts';

/** Halves of small sets have few bits: more rounds than a cipher needs, so that draws from few are even too. */
const rounds = 8;

/**
 * @param size 1..2^32
 * @example
 * const order = keyedPermutation(1_000_000, hashName(7, 'cohort'));
 * order(0); // the first of a random order of a million
 */
export function keyedPermutation(size: number, key: number): (position: number) => number {
  // The grid of width * height has at most one row more than it takes: a number outside is sent on until it falls inside.
  const width = Math.ceil(Math.sqrt(size));
  const height = Math.ceil(size / width);
  const encipher = (value: number): number => {
    let left = value % width;
    let right = Math.floor(value / width);
    for (let round = 0; round < rounds; round += 2) {
      left = (left + hashedBelow(key, right, width, round)) % width;
      right = (right + hashedBelow(key, left, height, round + 1)) % height;
    }
    return right * width + left;
  };
  return (position) => {
    let value = encipher(position);
    while (value >= size) value = encipher(value);
    return value;
  };
}
