/**
 * The privacy-loss-distribution accountant: losses on a grid, composed by a Fourier transform. The grid is tilted
 * exponentially before the transform, so that its rounding floor lies below the delta asked for, whatever that is.
 * Losses so rare that they cannot matter are counted as infinite, so moments exist at every tilt.
 * Papers: Koskela, Jälkö and Honkela 2020 (Fourier accounting); Doroshenko et al. 2022 (the grid).
 * Pessimistic up to rounding of the transform; parameters of the composition must not depend on its outputs.
 */
import { fourierTransform } from '../../numerics/fft.ts';
import { bracketedRoot, goldenMinimum } from '../../numerics/quadrature.ts';
import { logAddExp } from '../../numerics/special.ts';
import { lossDistribution, type DistributedEvent } from './loss-distribution.ts';
import { gridCumulant, lossGrid, tiltedMasses, type LossGrid } from './loss-grid.ts';
import type { Direction } from './sampled-gaussian.ts';

/** Largest transform: memory of 128 MB and some seconds. */
const largestTransform = 1 << 22;

/** Relative rise of epsilon that one grid may cause, before the second grid takes most of it out. */
const gridTolerance = 2e-4;

/** exp(-16) of delta may be counted as infinite losses. */
const lostExponent = 16;

/** exp(-45) of the tilted sum may lie outside the window. */
const windowExponent = 45;

export interface PldResult {
  /** Pessimistic: an upper bound of the true epsilon, up to rounding. */
  readonly epsilon: number;
  /** The value two grids extrapolate to. */
  readonly estimate: number;
  /** The largest transform forced a coarser grid than accuracy asked for: the bound holds, the estimate may be off. */
  readonly coarse: boolean;
}

interface Part {
  readonly count: number;
  readonly grid: LossGrid;
}

interface Setting {
  readonly events: readonly DistributedEvent[];
  readonly direction: Direction;
  readonly delta: number;
}

/**
 * Epsilon of a composition at `delta` in one direction of adjacency.
 * @param bound an upper bound of epsilon, from Renyi accounting.
 */
export function pldEpsilon(events: readonly DistributedEvent[], direction: Direction, delta: number, bound: number): PldResult {
  const setting = { events, direction, delta };
  const rough = roughAnswer(setting, bound);
  let { tilt, near } = rough;
  for (;;) {
    const { low, high } = tiltedWindow(rough.parts, tilt);
    const wanted = gridSpacing(events, tilt, near);
    const size = Math.min(largestTransform, 2 ** Math.max(6, Math.ceil(Math.log2((high - low) / wanted + 8))));
    const spacing = align((high - low) / (size - 7), events);
    const coarse = spacing > wanted;
    const epsilon = compose(makeParts(setting, spacing), { tilt, low, size, delta });
    if (epsilon <= low && low > 0 && tilt > 1e-3) {
      // Rare huge losses drew the tilt beyond the answer: what is below the window shows with less of it.
      tilt /= 2;
    } else if (epsilon < near / 8 && near > 1e-9 && !coarse) {
      // The grid was sized for a larger answer.
      near = epsilon;
    } else {
      const doubled = compose(makeParts(setting, 2 * spacing), { tilt, low, size: size / 2, delta });
      return { epsilon, estimate: Math.max(0, epsilon - (doubled - epsilon) / 3), coarse };
    }
  }
}

/** The tilt and the size of the answer, from grids as fine as the answer so far: they decide the grid that is used. */
function roughAnswer(setting: Setting, bound: number): { parts: Part[]; tilt: number; near: number } {
  let near = bound;
  for (;;) {
    const parts = makeParts(setting, align(Math.min(0.01, near / 4096), setting.events));
    const { tilt, epsilon } = bestTilt(parts, setting.delta);
    if (!(epsilon < near / 2) || epsilon < 1e-9) return { parts, tilt, near: Math.min(near, Math.max(epsilon, 1e-9)) };
    near = epsilon;
  }
}

function makeParts({ events, direction, delta }: Setting, spacing: number): Part[] {
  const releases = events.reduce((sum, event) => sum + event.count, 0);
  const logTail = Math.log(delta / releases) - lostExponent;
  return events.map((event) => ({ count: event.count, grid: lossGrid(lossDistribution(event, direction, logTail), spacing) }));
}

function cumulant(parts: readonly Part[], tilt: number): number {
  return parts.reduce((sum, { count, grid }) => sum + count * gridCumulant(grid, tilt), 0);
}

/** The tilt whose Renyi bound, of what is not lost, is best: near the saddle point of the answer. */
function bestTilt(parts: readonly Part[], delta: number): { tilt: number; epsilon: number } {
  const bound = (logTilt: number): number => {
    const tilt = Math.exp(logTilt);
    return (cumulant(parts, tilt) - Math.log(delta) - Math.log1p(tilt)) / tilt + Math.log(tilt / (1 + tilt));
  };
  // Rare large losses and frequent small ones each have a minimum of their own: scan, then refine.
  let best = Math.log(1e-3);
  for (let logTilt = best; logTilt < Math.log(1e6); logTilt += 0.7) if (bound(logTilt) < bound(best)) best = logTilt;
  const { at, value } = goldenMinimum(bound, best - 0.7, best + 0.7, 1e-3);
  return { tilt: 0.8 * Math.exp(at), epsilon: value };
}

/** Chernoff bounds of the tilted sum. */
function tiltedWindow(parts: readonly Part[], tilt: number): { low: number; high: number } {
  const centre = cumulant(parts, tilt);
  let [low, high] = [-Infinity, Infinity];
  for (let move = tilt / 64; move < 64 * (tilt + 1); move *= 1.5) {
    high = Math.min(high, (cumulant(parts, tilt + move) - centre + windowExponent) / move);
    low = Math.max(low, (centre - cumulant(parts, tilt - move) - windowExponent) / move);
  }
  return { low, high };
}

/**
 * The split of an interval adds (L - e_i)(e_(i+1) - L) <= d^2 / 4, and at most d |L|, to the variance of a loss;
 * a variance v raises epsilon by about (tilt + 1) v / 2.
 */
function gridSpacing(events: readonly DistributedEvent[], tilt: number, epsilon: number): number {
  const allowed = (2 * gridTolerance * epsilon) / (tilt + 1);
  const added = (spacing: number): number =>
    events.reduce((sum, event) => sum + event.count * spacing * Math.min(spacing / 4, event.kind === 'gaussian' ? 2 * event.sampling : 1), 0);
  let spacing = 0.02;
  while (added(spacing) > allowed) spacing *= 0.9;
  return spacing;
}

/** Puts the atoms of a Laplace or pure loss on the grid when there is only one kind of them. */
function align(spacing: number, events: readonly DistributedEvent[]): number {
  const atoms = new Set(events.flatMap((event) => (event.kind === 'laplace' ? [1 / event.scale] : event.kind === 'pure' ? [event.epsilon] : [])));
  const [atom] = atoms;
  if (atoms.size !== 1 || atom === 0) return spacing;
  // Rounded down, so that the window still holds the grid; even, so that a grid of twice the spacing holds the atom.
  const steps = Math.max(2, Math.floor(atom / spacing));
  return atom / (steps - (steps % 2));
}

interface Composition {
  readonly tilt: number;
  readonly low: number;
  readonly size: number;
  readonly delta: number;
}

/** Epsilon on one grid: transform every part, multiply as powers, transform back. */
function compose(parts: readonly Part[], { tilt, low, size, delta }: Composition): number {
  const transform = fourierTransform(size);
  const real = new Float64Array(size);
  const imaginary = new Float64Array(size);
  let [logMass, logKept] = [0, 0];
  for (const { count, grid } of parts) {
    const partReal = tiltedMasses(grid, tilt, size);
    const partImaginary = new Float64Array(size);
    transform.forward(partReal, partImaginary);
    addLogPower(real, imaginary, partReal, partImaginary, count);
    logMass += count * gridCumulant(grid, tilt);
    logKept += count * Math.log1p(-grid.lost);
  }
  for (let k = 0; k < size; k += 1) {
    const length = Math.exp(real[k]);
    real[k] = length * Math.cos(imaginary[k]);
    imaginary[k] = length * Math.sin(imaginary[k]);
  }
  transform.inverse(real, imaginary);
  const { spacing } = parts[0].grid;
  return solve({ masses: real, first: Math.floor(low / spacing), spacing, tilt, logMass, lost: -Math.expm1(logKept) }, delta);
}

/** Adds count log z to (real, imaginary). The branch does not matter, because count is an integer. */
function addLogPower(real: Float64Array, imaginary: Float64Array, zReal: Float64Array, zImaginary: Float64Array, count: number): void {
  for (let k = 0; k < real.length; k += 1) {
    real[k] += count * 0.5 * Math.log(zReal[k] * zReal[k] + zImaginary[k] * zImaginary[k]);
    imaginary[k] += count * Math.atan2(zImaginary[k], zReal[k]);
  }
}

/** The tilted composition: masses by index modulo their number, from `first` on. */
interface Composed {
  readonly masses: Float64Array;
  readonly first: number;
  readonly spacing: number;
  readonly tilt: number;
  readonly logMass: number;
  readonly lost: number;
}

/** log of e^(logMass - tilt epsilon) sum_(L > epsilon) w_L e^(-tilt (L - epsilon)) (1 - e^(epsilon - L)) + lost. */
function composedLogDelta({ masses, first, spacing, tilt, logMass, lost }: Composed, epsilon: number): number {
  const size = masses.length;
  const start = Math.max(first, Math.floor(epsilon / spacing) + 1);
  let sum = 0;
  for (let index = start; index < first + size; index += 1) {
    const above = index * spacing - epsilon;
    if (tilt * above > 740) break;
    // Rounding of the transform leaves tiny negative masses.
    sum += Math.max(0, masses[((index % size) + size) % size]) * Math.exp(-tilt * above) * -Math.expm1(-above);
  }
  return logAddExp(logMass - tilt * epsilon + Math.log(sum), Math.log(lost));
}

/** Searches within the window only: below its lower end the tilted masses are not known, and that end is safe. */
function solve(composed: Composed, delta: number): number {
  const excess = (epsilon: number): number => Math.max(-1e3, composedLogDelta(composed, epsilon) - Math.log(delta));
  const low = Math.max(0, composed.first * composed.spacing);
  if (excess(low) <= 0) return low;
  // At the upper end of the window nothing but the lost mass is left.
  return bracketedRoot(excess, low, (composed.first + composed.masses.length) * composed.spacing, 1e-13);
}
