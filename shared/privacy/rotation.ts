/**
 * The random rotation that flattens a dense vector before it is rounded: random signs, then a Walsh-Hadamard
 * transform, so that no coordinate of a clipped vector is large and a few bits hold the sum. It is public and
 * orthonormal: it protects nothing by itself. Paper: Suresh, Yu, Kumar and McMahan 2017 (Section 3).
 */
import { seededRandom } from '../numerics/random.ts';
import { requireInteger } from './checks.ts';

/** The length vectors are padded to: the next power of two. */
export function paddedLength(length: number): number {
  return 2 ** Math.ceil(Math.log2(requireInteger('length', length, 1, 1 << 28)));
}

/** The rotation of a round, from its public seed: returns a padded copy. */
export function rotate(vector: Float64Array, seed: number): Float64Array {
  const padded = new Float64Array(paddedLength(vector.length));
  padded.set(vector);
  flipSigns(padded, seed);
  walshHadamard(padded);
  return padded;
}

/** The inverse of {@link rotate}, padding cut off. */
export function unrotate(rotated: Float64Array, seed: number, length: number): Float64Array {
  const padded = rotated.slice();
  walshHadamard(padded);
  flipSigns(padded, seed);
  return padded.slice(0, length);
}

function flipSigns(vector: Float64Array, seed: number): void {
  const random = seededRandom(seed, 'rotation');
  for (let i = 0; i < vector.length; i += 32) {
    const word = random.nextUint32();
    for (let bit = 0; bit < 32 && i + bit < vector.length; bit += 1) if ((word >>> bit) & 1) vector[i + bit] = -vector[i + bit];
  }
}

/** In place, orthonormal, its own inverse. */
export function walshHadamard(vector: Float64Array): void {
  const size = vector.length;
  for (let half = 1; half < size; half *= 2) {
    for (let start = 0; start < size; start += 2 * half) {
      for (let i = start; i < start + half; i += 1) {
        const a = vector[i];
        const b = vector[i + half];
        vector[i] = a + b;
        vector[i + half] = a - b;
      }
    }
  }
  const scale = 1 / Math.sqrt(size);
  for (let i = 0; i < size; i += 1) vector[i] *= scale;
}
