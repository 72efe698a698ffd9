/**
 * Seeds of removable noise, one per component, as a chain of hashes: the key of component k gives those of all later
 * ones and of none before it. The components that a round removes are always the last ones, from a number on that follows from
 * that of the dropouts, so one key of 32 bytes reveals exactly them, and one published end proves it. What noise is drawn from a seed is the
 * caller's affair. Scheme of components: Jiang, Wang and Chen 2024 ("Dordis").
 */
import type { Awaitable } from './crypto.ts';
import { labelledHash } from './labels.ts';

/** Draws the noise of one component (1-based) from its seed: a function of its arguments alone, of the vector's length. */
export type NoiseOf = (seed: Uint8Array, of: { readonly component: number; readonly participants: number }) => Awaitable<Int32Array>;

/** Keys of components 1..count; the first is the root. */
export function chainKeys(root: Uint8Array, count: number): Uint8Array[] {
  const keys: Uint8Array[] = [];
  for (let key = root; keys.length < count; key = nextKey(key)) keys.push(key);
  return keys;
}

/** What the chain ends in `steps` keys after this one: published, it commits to every key. */
export function chainEnd(key: Uint8Array, steps: number): Uint8Array {
  let end = key;
  for (let step = 0; step < steps; step += 1) end = nextKey(end);
  return end;
}

/** The seed that component `component` draws its noise from. */
export function noiseSeed(key: Uint8Array, component: number): Uint8Array {
  return labelledHash('noise-seed', key, component);
}

function nextKey(key: Uint8Array): Uint8Array {
  return labelledHash('noise-chain', key);
}
