/**
 * The inversion table of the exact Skellam sampler: 64-bit floors of the distribution function of |X| whose true
 * values are certified to lie less than one unit above, and the refinement of a draw that no floor decides.
 */
import type { RandomWords } from '../numerics/random.ts';
import { magnitudeCdf } from './skellam-pmf.ts';

/** Entry m is floor(2^64 P[|X| <= m]) as two words; entries end before the value 2^64 - 1. */
export interface InversionTable {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  /** Where the search for a draw starts, by the leading bits of its first word. */
  readonly guide: Int32Array;
  readonly guideShift: number;
}

/** Builds the table at the first precision that certifies every entry; 128 bits nearly always do. */
export function inversionTable(variance: number): InversionTable {
  for (let bits = 128; ; bits += 64) {
    const floors = certifiedFloors(variance, bits);
    if (floors !== undefined) return withGuide(floors);
  }
}

/** The 64-bit floors, or undefined when a bracket straddles a unit and so leaves its floor unknown. */
function certifiedFloors(variance: number, bits: number): bigint[] | undefined {
  const cdf = magnitudeCdf(variance, bits);
  const drop = cdf.bits - 64n;
  const floors: bigint[] = [];
  for (let m = 0; m < cdf.low.length; m += 1) {
    const floor = cdf.low[m] >> drop;
    if (floor >= 0xffff_ffff_ffff_ffffn) break;
    if (cdf.high[m] >> drop !== floor) return undefined;
    floors.push(floor);
  }
  return floors;
}

function withGuide(floors: readonly bigint[]): InversionTable {
  const high = Uint32Array.from(floors, (floor) => Number(floor >> 32n));
  const low = Uint32Array.from(floors, (floor) => Number(floor & 0xffff_ffffn));
  const guideBits = Math.min(18, Math.max(4, Math.ceil(Math.log2(floors.length + 1)) + 1));
  const guideShift = 32 - guideBits;
  const guide = new Int32Array(2 ** guideBits);
  for (let slot = 0, m = 0; slot < guide.length; slot += 1) {
    while (m < high.length && high[m] < (slot << guideShift) >>> 0) m += 1;
    guide[slot] = m;
  }
  return { high, low, guide, guideShift };
}

/**
 * Decides a draw whose first 64 bits are `prefix` and decide nothing: reveals 64 more bits of the uniform number at
 * a time and compares with brackets twice as fine, until one magnitude holds all that is still possible.
 */
export function refineMagnitude(variance: number, prefix: bigint, random: RandomWords): number {
  let revealed = prefix;
  for (let known = 128; ; known += 64) {
    revealed = (revealed << 64n) | (BigInt(random.nextUint32()) << 32n) | BigInt(random.nextUint32());
    const cdf = magnitudeCdf(variance, known + 64);
    const least = revealed << 64n;
    const beyond = (revealed + 1n) << 64n;
    const m = cdf.low.findIndex((low) => low >= beyond);
    if (m === 0 || (m > 0 && cdf.high[m - 1] <= least)) return m;
  }
}
