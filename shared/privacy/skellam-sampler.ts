/**
 * Two samplers of Skellam noise. `strict` is exact: inversion with a lazily revealed uniform number, decided by
 * certified brackets of the distribution function and refined when a draw falls between them, so its law is the
 * true one under ideal random words. `fast` is an alias table (Walker 1977, Vose 1991) in 64-bit fixed point; it
 * returns what it is off by. Neither hides its time: draw in bulk, before data is seen.
 */
import type { RandomWords } from '../numerics/random.ts';
import { invalid, requirePositive } from './checks.ts';
import { aliasTable } from './alias-table.ts';
import { inversionTable, refineMagnitude } from './inversion-table.ts';

export type SamplerKind = 'fast' | 'strict';

/** A source of integer Skellam noise of one variance. */
export interface SkellamSampler {
  readonly kind: SamplerKind;
  /** Variance of one draw, in squared grid steps. */
  readonly variance: number;
  /** Total-variation distance of one draw from the exact law: 0 for `strict`, certified for `fast`. */
  readonly deltaPerDraw: number;
  /** Overwrites `into` with independent draws. */
  fill(into: Int32Array, random: RandomWords): void;
}

/** Variances the tables hold: up to a standard deviation of 8192 grid steps. */
export const smallestVariance = 1e-2;
export const largestVariance = 8192 ** 2;

/**
 * A sampler of Skellam(variance) noise: the difference of two Poissons of mean variance / 2.
 * Building it takes up to half a second at the largest variance; draws are table look-ups.
 * Guarantee: `strict` draws from the exact law. `fast` is within `deltaPerDraw` in total variation, which a ledger
 * charges by {@link samplingDelta}.
 * Edge cases: a variance outside 1e-2..8192^2, NaN or Infinity is an error.
 * @throws CestaError `privacy.invalid`
 * @example
 * const sampler = skellamSampler({ variance: 4096.5, kind: 'strict' });
 * const noise = new Int32Array(1000);
 * sampler.fill(noise, secureRandom((bytes) => crypto.getRandomValues(bytes)));
 */
export function skellamSampler({ variance, kind }: { variance: number; kind: SamplerKind }): SkellamSampler {
  requirePositive('variance', variance);
  if (variance < smallestVariance || variance > largestVariance) {
    throw invalid('variance', `a number in ${smallestVariance}..${largestVariance}`, variance);
  }
  switch (kind) {
    case 'fast':
      return fastSampler(variance);
    case 'strict':
      return strictSampler(variance);
    default:
      throw invalid('kind', "'fast' or 'strict'", kind satisfies never);
  }
}

/**
 * delta that `draws` draws of a sampler add to a guarantee at `epsilon`: (1 + e^epsilon) times their total-variation
 * distance from the exact law, because the approximation stands on both sides of the inequality.
 */
export function samplingDelta(sampler: Pick<SkellamSampler, 'deltaPerDraw'>, draws: number, epsilon: number): number {
  return (1 + Math.exp(epsilon)) * draws * sampler.deltaPerDraw;
}

function fastSampler(variance: number): SkellamSampler {
  const { columnBits, high, low, alias, distance } = aliasTable(variance);
  const shift = 32 - columnBits;
  return {
    kind: 'fast',
    variance,
    deltaPerDraw: distance,
    fill(into, random) {
      for (let i = 0; i < into.length; i += 1) {
        const word = random.nextUint32();
        // The top bits choose the column, the lowest bit the sign: aliasTable keeps them apart.
        const column = word >>> shift;
        const threshold = high[column];
        const draw = random.nextUint32();
        const stays = draw < threshold || (draw === threshold && random.nextUint32() < low[column]);
        const magnitude = stays ? column : alias[column];
        into[i] = (word & 1) === 0 ? magnitude : -magnitude;
      }
    },
  };
}

function strictSampler(variance: number): SkellamSampler {
  const { high, low, guide, guideShift } = inversionTable(variance);
  const drawMagnitude = (random: RandomWords): number => {
    const first = random.nextUint32();
    const second = random.nextUint32();
    let m = guide[first >>> guideShift];
    while (m < high.length && (high[m] < first || (high[m] === first && low[m] < second))) m += 1;
    // The true boundary lies in [entry, entry + 1): a draw equal to an entry, or beyond the last, is not decided yet.
    const undecided = m === high.length || (high[m] === first && low[m] === second);
    return undecided ? refineMagnitude(variance, (BigInt(first) << 32n) | BigInt(second), random) : m;
  };
  return {
    kind: 'strict',
    variance,
    deltaPerDraw: 0,
    fill(into, random) {
      for (let i = 0; i < into.length; i += 1) {
        const magnitude = drawMagnitude(random);
        into[i] = (random.nextUint32() & 1) === 0 ? magnitude : -magnitude;
      }
    },
  };
}
