/**
 * Noise on the integer grid. Noise is drawn in bulk before the data is touched, so that the time of a draw, which
 * depends on its value, cannot be measured against the data (Jin et al. 2021). Only a secure stream protects; the
 * simulation takes a seeded one and carries another name, so that neither can stand in for the other.
 */
import type { RandomWords, SecureRandom, SeededRandom } from '../numerics/random.ts';
import { invalid, requireInteger } from './checks.ts';
import type { SkellamSampler } from './skellam-sampler.ts';
import type { Clipped, Noised } from './vectors.ts';

/** What adds noise needs of a sampler: any integer noise whose law its accountant knows. */
export type IntegerSampler = Pick<SkellamSampler, 'fill'>;

/**
 * Adds independent integer noise to every coordinate of a clipped sum, modulo 2^32.
 * Definition: (epsilon, delta)-DP of the sum over all participants' noise. Sensitivity: what `addClipped` bounds.
 * Guarantee: that of the sampler's variance, summed over the shares that reach the sum, under its accountant; one
 * share alone guarantees less. The sum itself is not changed: the caller drops it.
 * Edge cases: an empty sum gives an empty vector.
 * @example
 * const noised = addNoise(sum, skellamSampler({ variance: 100, kind: 'strict' }), secureRandom(fill));
 */
export function addNoise(sum: Clipped, sampler: IntegerSampler, random: SecureRandom): Noised {
  return noisy(sum, drawBlock(sum.length, sampler, random));
}

/** {@link addNoise} with reproducible noise, for experiments: it protects nobody, since the seed undoes it. */
export function simulateNoise(sum: Clipped, sampler: IntegerSampler, random: SeededRandom): Noised {
  return noisy(sum, drawBlock(sum.length, sampler, random));
}

/** Passes a clipped sum on without noise: for the plan mode `none`, which says so. No guarantee. */
export function withoutNoise(sum: Clipped): Noised {
  return sum.slice() as unknown as Noised;
}

/** Secure noise drawn ahead of the data: each value is used once. */
export interface NoisePool {
  /** Values still unused. */
  readonly available: number;
  /** Draws until `available` reaches the capacity. Call it when no data is in hand. */
  refill(): void;
  /** Adds unused noise to a clipped sum. Throws `privacy.invalid` when fewer values are left than the sum needs. */
  addTo(sum: Clipped): Noised;
}

/**
 * A pool of `capacity` noise values, drawn at once. A pool that ran dry refuses instead of drawing while data is in
 * hand, because that draw could be timed.
 */
export function createNoisePool(capacity: number, sampler: IntegerSampler, random: SecureRandom): NoisePool {
  requireInteger('capacity', capacity);
  const block = drawBlock(capacity, sampler, random);
  let available = capacity;
  return {
    get available() {
      return available;
    },
    refill() {
      sampler.fill(block.subarray(available), random);
      available = capacity;
    },
    addTo(sum) {
      if (sum.length > available) throw invalid('pool', `at least ${sum.length} unused noise values`, available);
      const used = block.subarray(available - sum.length, available);
      const noised = noisy(sum, used.slice());
      // Noise that was added must not be recoverable from memory.
      used.fill(0);
      available -= sum.length;
      return noised;
    },
  };
}

function drawBlock(length: number, sampler: IntegerSampler, random: RandomWords): Int32Array {
  const block = new Int32Array(length);
  sampler.fill(block, random);
  return block;
}

/** Adds in place to the noise: assignment to an Int32Array is addition modulo 2^32. */
function noisy(sum: Clipped, noise: Int32Array): Noised {
  for (let i = 0; i < noise.length; i += 1) noise[i] += sum[i];
  return noise as Noised;
}
