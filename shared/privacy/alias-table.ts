/**
 * An alias table for Skellam magnitudes in 64-bit fixed point (Walker 1977; Vose 1991). The probabilities are
 * rounded to multiples of 2^-64 per column in BigInt and summed exactly, so the table's law is known exactly and
 * its total-variation distance from the true one is certified, not estimated.
 */
import { magnitudeCdf, type MagnitudeCdf } from './skellam-pmf.ts';

export interface AliasTable {
  /** log2 of the number of columns; at most 31, so that one bit of the column's word is free for the sign. */
  readonly columnBits: number;
  /** Leading words of the 64-bit thresholds below which a draw stays in its column. */
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  readonly alias: Int32Array;
  /** Upper bound of the total-variation distance between the table's law and the exact one. */
  readonly distance: number;
}

const full = 1n << 64n;

/** The alias table of |X| for a Skellam of this variance. */
export function aliasTable(variance: number): AliasTable {
  const cdf = magnitudeCdf(variance, 128);
  const columnBits = Math.max(1, Math.ceil(Math.log2(cdf.low.length)));
  const unit = cdf.bits - 64n - BigInt(columnBits);
  const weights = quantise(cdf, unit, 2 ** columnBits);
  return { columnBits, ...balance(weights), distance: distanceBound(cdf, weights, unit) };
}

/** Probabilities in units of 2^(unit - bits), exactly summing to 1; columns beyond the table get 0. */
function quantise(cdf: MagnitudeCdf, unit: bigint, columns: number): bigint[] {
  const weights = new Array<bigint>(columns).fill(0n);
  let before = 0n;
  for (let m = 0; m < cdf.low.length; m += 1) {
    const here = m === cdf.low.length - 1 ? 1n << (cdf.bits - unit) : cdf.low[m] >> unit;
    weights[m] = here - before;
    before = here;
  }
  return weights;
}

/** Half the sum of the largest possible differences, and the tail beyond the table, rounded up. */
function distanceBound(cdf: MagnitudeCdf, weights: readonly bigint[], unit: bigint): number {
  let twice = (1n << cdf.bits) - cdf.low[cdf.low.length - 1];
  for (let m = 0; m < cdf.low.length; m += 1) {
    const weight = weights[m] << unit;
    const least = m === 0 ? cdf.low[0] : cdf.low[m] - cdf.high[m - 1];
    const most = m === 0 ? cdf.high[0] : cdf.high[m] - cdf.low[m - 1];
    const above = weight - least;
    const below = most - weight;
    twice += above > below ? above : below;
  }
  return (Number(twice) / 2 ** Number(cdf.bits + 1n)) * (1 + 1e-12);
}

/** Vose's construction on exact integers: every column holds exactly 2^64 units. */
function balance(weights: readonly bigint[]): { high: Uint32Array; low: Uint32Array; alias: Int32Array } {
  const columns = weights.length;
  const rest = [...weights];
  const alias = Int32Array.from({ length: columns }, (_, column) => column);
  const high = new Uint32Array(columns).fill(0xffff_ffff);
  const low = new Uint32Array(columns).fill(0xffff_ffff);
  const small: number[] = [];
  const large: number[] = [];
  for (let column = 0; column < columns; column += 1) (rest[column] < full ? small : large).push(column);
  while (small.length > 0 && large.length > 0) {
    const column = small.pop() as number;
    const donor = large[large.length - 1];
    high[column] = Number(rest[column] >> 32n);
    low[column] = Number(rest[column] & 0xffff_ffffn);
    alias[column] = donor;
    rest[donor] -= full - rest[column];
    if (rest[donor] < full) {
      large.pop();
      small.push(donor);
    }
  }
  // Whatever is left holds exactly 2^64 units: it is its own alias, so its threshold does not matter.
  return { high, low, alias };
}
