/**
 * A privacy-loss distribution on a grid. Every interval's mass is split between its two ends so that its masses
 * under both neighbours are kept, which can only raise delta (Doroshenko, Ghazi, Kamath, Kumar and Manurangsi 2022,
 * "Connect the dots"). Intervals widen with the loss, so a fine grid stays a short list.
 */
import { logSumExp } from '../../numerics/special.ts';
import type { LossDistribution } from './loss-distribution.ts';

/** Masses of one release at losses index * spacing, as a list of logarithms; the rest is lost outright. */
export interface LossGrid {
  readonly spacing: number;
  readonly indexes: Float64Array;
  readonly logMasses: Float64Array;
  /** Mass that counts as an infinite loss. */
  readonly lost: number;
}

/** An interval of loss l is at most l / 4096 wide, which costs less accuracy than the grid does. */
const relativeWidth = 1 / 4096;

export function lossGrid(distribution: LossDistribution, spacing: number): LossGrid {
  const first = Math.floor(distribution.low / spacing - 1e-9);
  const last = Math.max(first + 1, Math.ceil(distribution.high / spacing - 1e-9));
  const indexes: number[] = [first];
  // What lies at or below the first point counts there.
  const masses: number[] = [distribution.mass(-Infinity, first * spacing).p];
  for (let index = first; index < last;) {
    const width = Math.max(1, Math.min(last - index, Math.floor(Math.abs(index) * relativeWidth)));
    const next = index + width;
    const { p, q } = distribution.mass(index * spacing, next === last ? distribution.high : next * spacing);
    // lower e^-low + upper e^-high = q and lower + upper = p. In logs, since e^high may overflow; where q underflows,
    // all goes to the upper end, which is the safe one.
    const excess = q > 0 && p > 0 ? Math.expm1(Math.log(q) + next * spacing - Math.log(p)) : 0;
    const lower = Math.min(p, Math.max(0, (p * excess) / Math.expm1(width * spacing)));
    masses[masses.length - 1] += lower;
    indexes.push(next);
    masses.push(p - lower);
    index = next;
  }
  const total = masses.reduce((sum, mass) => sum + mass, distribution.lost);
  // Mass that went missing would be privacy loss that went missing.
  if (!(Math.abs(total - 1) < 1e-9)) throw new RangeError(`loss grid: expected a total mass of 1, got ${total}`);
  return {
    spacing,
    indexes: Float64Array.from(indexes),
    logMasses: Float64Array.from(masses, (mass) => Math.log(mass)),
    lost: distribution.lost,
  };
}

/** log sum mass e^(tilt loss): the cumulant of what is not lost, finite for every tilt. */
export function gridCumulant({ spacing, indexes, logMasses }: LossGrid, tilt: number): number {
  const terms = new Float64Array(indexes.length);
  for (let i = 0; i < indexes.length; i += 1) terms[i] = logMasses[i] + tilt * indexes[i] * spacing;
  return logSumExp(terms);
}

/** The tilted masses, normalised and folded modulo `size`. */
export function tiltedMasses(grid: LossGrid, tilt: number, size: number): Float64Array {
  const { spacing, indexes, logMasses } = grid;
  const cumulant = gridCumulant(grid, tilt);
  const folded = new Float64Array(size);
  for (let i = 0; i < indexes.length; i += 1) {
    folded[((indexes[i] % size) + size) % size] += Math.exp(logMasses[i] + tilt * indexes[i] * spacing - cumulant);
  }
  return folded;
}
