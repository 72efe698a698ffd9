/**
 * Grid and noise of a plan of sparse integer contributions, solved together: the grid must hold the noise, and the
 * noise, very slightly, depends on the grid. Paper: Agarwal, Kairouz and Liu 2021 for the noise.
 */
import { requireInteger, requirePositive } from './checks.ts';
import { skellamNoiseStd } from './accounting/skellam.ts';
import { solveGrid } from './grid.ts';

export interface NoisyGridRequirements {
  readonly epsilon: number;
  readonly delta: number;
  /** Releases that together spend (epsilon, delta); 1 / share where one takes a share of it. */
  readonly rounds: number;
  /** L2 norm and largest entry of one contribution, in contribution units. */
  readonly clipNorm: number;
  readonly rowCap: number;
  /** Coordinates of the statistic. */
  readonly length: number;
  /** Shoppers in one sum, over all participants, at most. */
  readonly maxShoppers: number;
  /** Participants in one sum, at most. */
  readonly maxParticipants: number;
  /**
   * Participants whose noise the guarantee counts on: those that neither drop out nor collude. 1 is mode `local`,
   * where everybody adds all of the noise.
   */
  readonly honestShares: number;
  readonly modulusBits: number;
  /** Rate of the secret Poisson sample of every round; 1 by default. */
  readonly sampling?: number;
  /** Renyi orders to choose from: one alone where a filter fixed it in advance. */
  readonly orders?: readonly number[];
}

export interface NoisyGrid {
  readonly gridScale: number;
  /** Noise the guarantee needs in the sum, in contribution units. */
  readonly noiseStd: number;
  /** Noise each participant adds, in contribution units: noiseStd / sqrt(honestShares). */
  readonly localNoiseStd: number;
}

/**
 * The coarsest-necessary grid and the least noise with which `rounds` sums are (epsilon, delta)-DP for one
 * contribution, whenever at least `honestShares` shares of noise arrive.
 * Sensitivity: gridScale clipNorm on the grid. Guarantee: that of {@link skellamNoiseStd}.
 * @throws CestaError `privacy.infeasible` when no grid is fine enough; `privacy.invalid` on arguments out of range.
 */
export function calibrateGrid(requirements: NoisyGridRequirements): NoisyGrid {
  const { clipNorm, honestShares, maxParticipants } = requirements;
  requireInteger('maxParticipants', maxParticipants);
  requireInteger('honestShares', honestShares, 1, maxParticipants);
  requirePositive('clipNorm', clipNorm);
  // What a grid without rounding would need is the least there is.
  let noiseStd = skellamNoiseStd({ ...requirements, gridScale: finestScale(clipNorm) });
  // The noise only grows as the grid coarsens, and the grid only coarsens as the noise grows: the pair settles in a
  // few steps, or solveGrid throws.
  for (;;) {
    const localNoiseStd = noiseStd / Math.sqrt(honestShares);
    const { gridScale } = solveGrid({ ...requirements, noiseStd: localNoiseStd * Math.sqrt(maxParticipants), localNoiseStd });
    const needed = skellamNoiseStd({ ...requirements, gridScale });
    if (needed <= noiseStd) return { gridScale, noiseStd, localNoiseStd };
    noiseStd = needed;
  }
}

/** A power of two at which a clip norm spans 2^40 grid steps: finer changes nothing. */
export function finestScale(clipNorm: number): number {
  return 2 ** (40 - Math.floor(Math.log2(clipNorm)));
}
