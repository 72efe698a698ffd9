/**
 * The integer grid of a plan: how many grid steps one contribution unit has, so that the worst case of all
 * shoppers together, and the noise, fit the ring. What must fit is the number of shoppers, not of participants:
 * every shopper may report the row cap at one coordinate.
 */
import { CestaError } from '../protocol/errors.ts';
import { requireInteger, requireNonNegative, requirePositive } from './checks.ts';

/** Largest noise standard deviation of one participant, in grid steps: what the samplers' tables hold. */
export const largestNoiseSteps = 8192;

/** The row cap spans at least this many grid steps, or rounding toward zero eats the contributions. */
export const fewestEntrySteps = 4;

export interface GridRequirements {
  /** Shoppers in one sum, over all participants, at most. */
  readonly maxShoppers: number;
  /** Magnitude no entry of a contribution exceeds, in contribution units. */
  readonly rowCap: number;
  /** Standard deviation of the noise in the sum, in contribution units; 0 without noise. */
  readonly noiseStd: number;
  /** Standard deviation of the noise one participant adds, in contribution units; 0 without noise. */
  readonly localNoiseStd: number;
  /** Bits of the ring the sum lives in. */
  readonly modulusBits: number;
}

/**
 * The largest power of two s with 2^(modulusBits - 1) > maxShoppers s rowCap + 8 s noiseStd, and with
 * s localNoiseStd no larger than the samplers hold.
 * Guarantee: no contribution wraps; the noise wraps with a probability below 1e-14 per coordinate, and a wrap costs
 * accuracy, never privacy, because it happens after the noise.
 * @throws CestaError `privacy.infeasible` when that leaves the row cap fewer than {@link fewestEntrySteps} steps;
 * `privacy.invalid` on arguments out of range.
 * @example
 * solveGrid({ maxShoppers: 5000, rowCap: 1, noiseStd: 4, localNoiseStd: 0.1, modulusBits: 32 }); // { gridScale: 65536 }
 */
export function solveGrid(requirements: GridRequirements): { readonly gridScale: number } {
  const { maxShoppers, rowCap, noiseStd, localNoiseStd, modulusBits } = requirements;
  requireInteger('maxShoppers', maxShoppers);
  requirePositive('rowCap', rowCap);
  requireNonNegative('noiseStd', noiseStd);
  requireNonNegative('localNoiseStd', localNoiseStd);
  requireInteger('modulusBits', modulusBits, 2, 32);
  const half = 2 ** (modulusBits - 1);
  const fits = (scale: number): boolean =>
    maxShoppers * scale * rowCap + 8 * scale * noiseStd < half && scale * localNoiseStd <= largestNoiseSteps;
  let gridScale = 2 ** Math.floor(Math.log2(half / (maxShoppers * rowCap + 8 * noiseStd)));
  while (!fits(gridScale)) gridScale /= 2;
  if (gridScale * rowCap < fewestEntrySteps) {
    throw new CestaError(
      'privacy.infeasible',
      `gridScale: expected at least ${fewestEntrySteps} grid steps in a row cap of ${rowCap}, got ${gridScale * rowCap} with ` +
        `${maxShoppers} shoppers, noise ${noiseStd} (${localNoiseStd} per participant) and ${modulusBits} bits`,
    );
  }
  return { gridScale };
}
