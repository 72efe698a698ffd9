/**
 * Noise on the integer grid. Noise is drawn in bulk before the data is touched, so that the time of a draw, which
 * depends on its value, cannot be measured against the data (Jin et al. 2021). Only a secure stream protects, and only
 * one is accepted; simulations draw their noise in the evaluation room.
 */
import type { SecureRandom } from '../numerics/random.ts';
import { invalid } from './checks.ts';
import type { SkellamSampler } from './skellam-sampler.ts';
import type { Clipped, Noised } from './vectors.ts';

/** What adds noise needs of a sampler: any integer noise whose law its accountant knows. */
export type IntegerSampler = Pick<SkellamSampler, 'fill'>;

/** Noise drawn before the data is touched. Added once, then gone. */
export type NoiseBlock = Int32Array & { readonly [drawn]: true };
declare const drawn: unique symbol;

/** Draws the noise of one sum, before any data is in hand: see the head of this file. */
export function drawNoiseBlock(length: number, sampler: IntegerSampler, random: SecureRandom): NoiseBlock {
  const block = new Int32Array(length);
  sampler.fill(block, random);
  return block as NoiseBlock;
}

/**
 * Adds a block of independent integer noise to a clipped sum, modulo 2^32.
 * Definition: (epsilon, delta)-DP of the sum over all participants' noise. Sensitivity: what `addClipped` bounds.
 * Guarantee: that of the sampler's variance, summed over the shares that reach the sum, under its accountant; one
 * share alone guarantees less. The sum itself is not changed: the caller drops it. The block is overwritten with
 * zeros, so that noise that was added cannot be recovered from memory or used again.
 * Edge cases: an empty sum gives an empty vector.
 * @throws CestaError `privacy.invalid` when the lengths differ.
 * @example
 * const block = drawNoiseBlock(sum.length, skellamSampler({ variance: 100, kind: 'strict' }), secureRandom(fill));
 * const noised = addNoiseBlock(sum, block);
 */
export function addNoiseBlock(sum: Clipped, block: NoiseBlock): Noised {
  if (block.length !== sum.length) throw invalid('noise', `${sum.length} values`, block.length);
  const noised = block.slice();
  block.fill(0);
  // Assignment to an Int32Array is addition modulo 2^32.
  for (let i = 0; i < noised.length; i += 1) noised[i] += sum[i];
  return noised as unknown as Noised;
}

/** Passes a clipped sum on without noise: for the plan mode `none`, which says so. No guarantee. */
export function withoutNoise(sum: Clipped): Noised {
  return sum.slice() as unknown as Noised;
}
