/**
 * The tight accountant: the privacy curve as a contour integral of the loss's moments, with no grid of losses.
 * For c > 0, delta(epsilon) = (1/pi) Re int_0^inf exp(K(s) - s epsilon) / (s (s + 1)) dt with s = c + it and
 * K(s) = log E_P[e^(sL)] of the whole composition, since int_0^inf e^(-sx) (1 - e^-x) dx = 1 / (s (s + 1)).
 * The trapezoidal rule of spacing h equals sum_m e^(-2 pi m c / h) delta(epsilon - 2 pi m / h): every aliasing term
 * is positive, so the rule errs upwards, and Chernoff bounds choose h so that it does not err at all.
 * Numerical, not certified: two lines must agree, and the caller adds a margin and caps it by RDP. Parameters of
 * the composition must not depend on its outputs.
 */
import { bracketedRoot, goldenMinimum } from '../../numerics/quadrature.ts';
import type { Direction } from './sampled-gaussian.ts';
import { logLossMoment, lossTransform, type TransformableEvent } from './loss-transform.ts';

/** Node-steps one line may cost: about half a second. Beyond it the caller takes the other engine. */
const workLimit = 1e8;

/** What one step costs beside its nodes. */
const stepCost = 30;

/** Two lines must agree on log delta to this, rounding apart. */
const agreement = 1e-8;

/** Relative effect of rounding on epsilon beyond which the result is refused: half the margin the caller adds. */
const largestError = 5e-7;

/** log of the relative size that aliasing may have. */
const aliasExponent = 28;

interface Composition {
  readonly events: readonly TransformableEvent[];
  readonly direction: Direction;
}

/** delta on one line c + it, for epsilons near the one it was made for. */
interface Line {
  readonly c: number;
  logDelta(epsilon: number): number;
  /** What rounding may have changed of log delta: terms drift by 2^-52 a step, and their sum may cancel. */
  rounding(epsilon: number): number;
}

function cumulant({ events, direction }: Composition, c: number): number {
  let sum = 0;
  for (const event of events) sum += logLossMoment(event, direction, c);
  return sum;
}

/** The line near the saddle point of the integrand: the minimum of K(c) - c epsilon - log c - log(1 + c). */
function saddle(composition: Composition, epsilon: number, near: number): number {
  const height = (logC: number): number => {
    const c = Math.exp(logC);
    return cumulant(composition, c) - c * epsilon - logC - Math.log1p(c);
  };
  return Math.exp(goldenMinimum(height, Math.log(near) - 2.5, Math.log(near) + 2.5, 1e-3).at);
}

/** Distance between the copies of the curve that the trapezoidal rule adds, so that they do not matter. */
function aliasDistance(composition: Composition, c: number, epsilon: number, logDelta: number): number {
  const excess = (at: number): number => Math.max(0, aliasExponent + cumulant(composition, at) - at * epsilon - logDelta);
  let above = Infinity;
  for (const move of [0.02, 0.05, 0.1, 0.2, 0.35, 0.6, 1, 2, 4, 8]) above = Math.min(above, excess((1 + move) * c) / (move * c));
  let below = (aliasExponent - logDelta) / c;
  for (const move of [0.02, 0.05, 0.1, 0.2, 0.35, 0.6, 0.9]) below = Math.min(below, excess((1 - move) * c) / (move * c));
  return Math.max(above, below);
}

/** Tabulates the integrand on a line until what is left of it cannot matter; undefined when that costs too much. */
function makeLine(composition: Composition, c: number, epsilon: number, logDelta: number): Line | undefined {
  const { events, direction } = composition;
  const step = (2 * Math.PI) / aliasDistance(composition, c, epsilon, logDelta);
  const height = cumulant(composition, c);
  const transforms = events.map((event) => lossTransform(event, direction, c, step));
  const real = [0.5 / (c * (c + 1))];
  const imaginary = [0];
  const logRatio = new Float64Array(2);
  let total = real[0];
  for (let k = 1, quiet = 0, work = 0; quiet < 3; k += 1) {
    logRatio.fill(0);
    for (const transform of transforms) {
      work += transform.nodes + stepCost;
      transform.advance(logRatio);
    }
    if (work > workLimit) return undefined;
    const t = k * step;
    // 1 / (s (s + 1)) in polar form.
    const size = Math.exp(logRatio[0]) / Math.sqrt((c * c + t * t) * ((c + 1) * (c + 1) + t * t));
    const angle = logRatio[1] - Math.atan2(t, c) - Math.atan2(t, c + 1);
    real.push(size * Math.cos(angle));
    imaginary.push(size * Math.sin(angle));
    total += size;
    // The rest falls at least like 1 / t^2: at most size t / step more.
    quiet = (size * t) / step < 1e-12 * total ? quiet + 1 : 0;
  }
  return {
    c,
    logDelta: (at) => height - c * at + Math.log((step / Math.PI) * fourierSum(real, imaginary, step * at)),
    rounding: (at) => (2 ** -52 * real.length * total) / Math.abs(fourierSum(real, imaginary, step * at)),
  };
}

/** Re sum_k (real_k + i imaginary_k) e^(-ik angle), by Clenshaw's backward recurrence. */
function fourierSum(real: readonly number[], imaginary: readonly number[], angle: number): number {
  let [re, im] = [0, 0];
  const [cos, sin] = [Math.cos(angle), -Math.sin(angle)];
  for (let k = real.length - 1; k >= 0; k -= 1) {
    [re, im] = [re * cos - im * sin + real[k], re * sin + im * cos + imaginary[k]];
  }
  return re;
}

/**
 * The epsilon at which the composition's exact curve reaches `delta`, in one direction of adjacency; undefined when
 * the integrand decays too slowly to be worth it (few releases with a nearly discrete loss).
 * @param start an upper bound of epsilon and the order that gives it, from Renyi accounting.
 */
export function contourEpsilon(
  events: readonly TransformableEvent[],
  direction: Direction,
  delta: number,
  start: { readonly epsilon: number; readonly order: number },
): number | undefined {
  const composition = { events, direction };
  const logDelta = Math.log(delta);
  let epsilon = start.epsilon;
  let c = Math.max(1e-3, start.order - 1);
  for (let round = 0; round < 8; round += 1) {
    c = saddle(composition, epsilon, c);
    const line = makeLine(composition, c, epsilon, logDelta);
    if (line === undefined) return undefined;
    const found = solve(line, logDelta, epsilon);
    if (found === 0) return 0;
    const settled = Math.abs(found - epsilon) < 1e-3 * found;
    epsilon = found;
    if (!settled) continue;
    return checked(line, makeLine(composition, c / 1.3, epsilon, logDelta), epsilon, logDelta);
  }
  return undefined;
}

/** The result, if a second line agrees with the first and rounding has not swamped them. */
function checked(line: Line, second: Line | undefined, epsilon: number, logDelta: number): number | undefined {
  if (second === undefined) return undefined;
  const rounding = line.rounding(epsilon);
  const difference = Math.abs(second.logDelta(epsilon) - logDelta);
  // Near the saddle point log delta falls by c per unit of epsilon.
  const error = rounding / line.c;
  const sound = difference < agreement + rounding + second.rounding(epsilon) && error < largestError * epsilon;
  return sound ? epsilon : undefined;
}

/**
 * Comes from above: there the terms are large compared with their rounding. Far below the answer the sum is lost in
 * it, so the bracket is found in steps of 8 / c, over which the sum changes by e^8.
 */
function solve(line: Line, logDelta: number, near: number): number {
  const excess = (epsilon: number): number => {
    const value = line.logDelta(epsilon);
    return Number.isNaN(value) ? -1e3 : value - logDelta;
  };
  let high = near;
  while (excess(high) > 0) high *= 1.5;
  let low = Math.max(0, high - 8 / line.c);
  while (excess(low) <= 0) {
    if (low === 0) return 0;
    [low, high] = [Math.max(0, low - 8 / line.c), low];
  }
  return bracketedRoot(excess, low, high, 1e-14);
}
