/**
 * Puts one shopper's sparse contribution on the integer grid: cap each entry, clip the L2 norm, scale by a power
 * of two, round toward zero, add to the sum in exact integers. Paper: the clipping of Abadi et al. 2016 (Algorithm
 * 1) with the fixed data-independent grid that Mironov 2012 shows floating-point noise to need.
 * The bound holds for one contribution; it does not stop a shop from reporting one person twice.
 */
import type { SparseVector } from '../numerics/sparse-vector.ts';
import { invalid, requireInteger, requirePowerOfTwo } from './checks.ts';
import type { Clipped } from './vectors.ts';

/** Bounds of one contribution. */
export interface ClipBounds {
  /** L2 norm no contribution exceeds, in contribution units. Infinity: no bound. */
  readonly clipNorm: number;
  /** Magnitude no entry exceeds, in contribution units. Infinity: no bound. */
  readonly rowCap: number;
  /** Grid steps per contribution unit: a power of two. */
  readonly gridScale: number;
}

/** Largest magnitude of an entry on the grid: one contribution must fit the ring on its own. */
const largestEntry = 2_147_483_647;

/** Entries of one contribution under a finite norm: keeps the partial sums of {@link exceeds} below 2^53. */
const largestSize = 1 << 21;

/**
 * Checks bounds, as {@link addClipped} does on every call, before any data is in hand; returns them.
 * @throws CestaError `privacy.invalid` on NaN, negative bounds, a scale that is no power of two, or bounds whose
 * largest entry does not fit 31 bits.
 */
export function clipBounds({ clipNorm, rowCap, gridScale }: ClipBounds): ClipBounds {
  if (!(clipNorm >= 0)) throw invalid('clipNorm', 'a number of at least 0', clipNorm);
  if (!(rowCap >= 0)) throw invalid('rowCap', 'a number of at least 0', rowCap);
  requirePowerOfTwo('gridScale', gridScale);
  const entry = Math.min(clipNorm, rowCap) * gridScale;
  if (Number.isFinite(entry) && entry > largestEntry) throw invalid('gridScale', 'min(clipNorm, rowCap) gridScale below 2^31', entry);
  return { clipNorm, rowCap, gridScale };
}

/** The zero sum: what a shop starts a round with. */
export function emptySum(length: number): Clipped {
  return new Int32Array(requireInteger('length', length, 0)) as Clipped;
}

/**
 * Adds one contribution to `sum`, clipped and on the grid.
 *
 * Sensitivity: the integer vector added has L2 norm at most gridScale clipNorm and entries of at most
 * gridScale rowCap, exactly, whatever the contribution holds: the square norm is summed in integers and compared
 * with floor((gridScale clipNorm)^2). Adding or removing one shopper moves `sum` by at most that.
 * Guarantee: none by itself; it earns the sensitivity that `addNoiseBlock` turns into privacy.
 *
 * | case | added |
 * |---|---|
 * | clipNorm 0, or rowCap 0 | the zero vector |
 * | clipNorm Infinity | the capped entries, unscaled by any norm |
 * | rowCap Infinity | entries bounded by the norm alone |
 * | both Infinity | entries saturate at 2^31 - 1 |
 * | clipNorm or rowCap negative or NaN | error, see {@link clipBounds} |
 * | zero or empty contribution | nothing |
 * | more than 2^21 entries under a finite clipNorm | nothing |
 * | norm exactly clipNorm | unchanged, up to rounding toward zero |
 * | an entry that is NaN or infinite | counts as zero |
 * | an index outside the sum | error |
 *
 * Indexes of one contribution are distinct: the model guarantees it. The sum wraps modulo 2^32; `solveGrid` makes
 * it large enough not to.
 * @returns whether the contribution's norm was within the clip norm, the bit adaptive clipping reports.
 * @throws CestaError `privacy.invalid`
 * @example
 * const sum = emptySum(model.statisticLength());
 * addClipped(sum, contribution, { clipNorm: 1, rowCap: 0.25, gridScale: 4096 });
 */
export function addClipped(sum: Int32Array, contribution: SparseVector, bounds: ClipBounds): boolean {
  clipBounds(bounds);
  // An error would tell whoever hears of it how large one shopper's history is.
  if (contribution.size > largestSize && Number.isFinite(bounds.clipNorm)) return false;
  const { clipNorm } = bounds;
  const norm = cappedNorm(contribution, bounds.rowCap, sum.length);
  const within = !(norm > clipNorm);
  let factor = within ? 1 : clipNorm / norm;
  // Only a contribution within rounding of the bound can break it; those are decided in exact integers.
  if (norm > clipNorm * 0.999 && exceeds(contribution, bounds, factor)) {
    // The computed norm is at most (size + 4) 2^-53 relative below the true one; every other rounding error
    // below adds 2^-52. Shrinking by four times their sum leaves a norm that is provably within the bound.
    factor = (clipNorm / norm) * (1 - (contribution.size + 16) * 2 ** -51);
  }
  for (let i = 0; i < contribution.size; i += 1) {
    sum[contribution.indexAt(i)] += gridEntry(contribution.valueAt(i), bounds, factor);
  }
  return within;
}

/** One entry on the grid. `Math.trunc` of a double is exact, and so is the multiplication by a power of two. */
function gridEntry(value: number, { rowCap, gridScale }: ClipBounds, factor: number): number {
  const capped = capEntry(value, rowCap);
  const scaled = Math.trunc(capped * factor * gridScale);
  return scaled > largestEntry ? largestEntry : scaled < -largestEntry ? -largestEntry : scaled;
}

function capEntry(value: number, rowCap: number): number {
  if (!Number.isFinite(value)) return 0;
  return value > rowCap ? rowCap : value < -rowCap ? -rowCap : value;
}

/** L2 norm of the capped entries, scaled by the largest so that no square overflows. */
function cappedNorm(contribution: SparseVector, rowCap: number, length: number): number {
  let largest = 0;
  for (let i = 0; i < contribution.size; i += 1) {
    const index = contribution.indexAt(i);
    if (index < 0 || index >= length) throw invalid('contribution index', `an integer in 0..${length - 1}`, index);
    largest = Math.max(largest, Math.abs(capEntry(contribution.valueAt(i), rowCap)));
  }
  if (largest === 0) return 0;
  let sum = 0;
  for (let i = 0; i < contribution.size; i += 1) sum += (capEntry(contribution.valueAt(i), rowCap) / largest) ** 2;
  return largest * Math.sqrt(sum);
}

/** Whether the integer square norm exceeds its bound: decided in doubles when they can, in BigInt when close. */
function exceeds(contribution: SparseVector, bounds: ClipBounds, factor: number): boolean {
  if (!Number.isFinite(bounds.clipNorm)) return false;
  // An entry is high 2^16 + low; each of the three sums stays below 2^53 for up to 2^21 entries.
  let [highs, mixed, lows] = [0, 0, 0];
  for (let i = 0; i < contribution.size; i += 1) {
    const entry = Math.abs(gridEntry(contribution.valueAt(i), bounds, factor));
    const high = entry >>> 16;
    const low = entry & 0xffff;
    highs += high * high;
    mixed += high * low;
    lows += low * low;
  }
  const approximate = highs * 2 ** 32 + mixed * 2 ** 17 + lows;
  const limit = (bounds.clipNorm * bounds.gridScale) ** 2;
  if (Math.abs(approximate - limit) > limit * 2 ** -48 + 1) return approximate > limit;
  return (BigInt(highs) << 32n) + (BigInt(mixed) << 17n) + BigInt(lows) > squareFloor(bounds.clipNorm * bounds.gridScale);
}

/** floor(x^2), exactly: a double is an integer over a power of two. */
function squareFloor(x: number): bigint {
  let numerator = x;
  let shift = 0n;
  while (!Number.isInteger(numerator)) {
    numerator *= 2;
    shift += 1n;
  }
  return (BigInt(numerator) ** 2n) >> (2n * shift);
}
