/**
 * Secret Poisson sampling: every unit is taken independently with the same probability. Paper: Zhu and Wang 2019 for
 * what it amplifies. It is void against anybody who learns, or chooses, who was taken.
 */
import type { RandomWords } from '../numerics/random.ts';
import { invalid, requireFraction } from './checks.ts';

/** Exclusive bound of the 53-bit integers compared with the rate. */
const grains = 2 ** 53;

/**
 * A coin for every unit, true with probability `rate`: exact to 2^-53 and never above the rate. A rate of 1 takes
 * everybody and draws nothing.
 * @throws CestaError `privacy.invalid` for a rate outside 0..1, 0 excluded.
 */
export function createPoissonSample({ rate, random }: { readonly rate: number; readonly random: RandomWords }): () => boolean {
  requireFraction('sampling', rate);
  if (rate === 0) throw invalid('sampling', 'a rate above 0', rate);
  if (rate === 1) return () => true;
  const taken = Math.floor(rate * grains);
  return () => (random.nextUint32() >>> 5) * 67_108_864 + (random.nextUint32() >>> 6) < taken;
}
