/**
 * Complex moments of privacy losses along a vertical line: log E[e^((c + it) L)] at t = step, 2 step, ... for one
 * event. Gaussian and Laplace losses have closed forms; the sampled Gaussian is a trapezoidal sum over a line in
 * the complex plane of x, where e^(itL) decays instead of oscillating, so one grid serves every t.
 * Papers: Zhu, Dong and Wang 2022 (characteristic functions as accountants); Trefethen and Weideman 2014.
 */
import type { GaussianEvent, LaplaceEvent, PrivacyEvent } from './events.ts';
import { laplaceRdp } from './laplace.ts';
import { logMoment, rangeSigmas, type Direction } from './sampled-gaussian.ts';

/** Events whose loss this engine knows. */
export type TransformableEvent = GaussianEvent | LaplaceEvent;

export function isTransformable(event: PrivacyEvent): event is TransformableEvent {
  return event.kind === 'gaussian' || event.kind === 'laplace';
}

/** log E_P[e^(cL)] of an event at a real c > 0, all its releases together. */
export function logLossMoment(event: TransformableEvent, direction: Direction, c: number): number {
  return event.kind === 'laplace'
    ? event.count * c * laplaceRdp(c + 1, event.scale)
    : event.count * logMoment(direction === 'remove' ? c + 1 : -c, event);
}

/** One event's complex moment relative to its value on the real axis. */
export interface LossTransform {
  /** Work of the next step, in grid nodes. */
  readonly nodes: number;
  /** Moves to the next t and adds log(E[e^((c+it)L)] / E[e^(cL)]), all releases together, to `sum` = [real, imaginary]. */
  advance(sum: Float64Array): void;
}

export function lossTransform(event: TransformableEvent, direction: Direction, c: number, step: number): LossTransform {
  if (event.kind === 'laplace') return laplaceTransform(event, c, step);
  if (event.sampling === 1) return gaussianTransform(event, c, step);
  return sampledTransform(event, direction, c, step);
}

/** K(s) = s (s + 1) / (2 sigma^2). */
function gaussianTransform({ sigma, count }: GaussianEvent, c: number, step: number): LossTransform {
  const scale = count / (2 * sigma * sigma);
  let k = 0;
  return {
    nodes: 1,
    advance(sum) {
      k += 1;
      const t = k * step;
      sum[0] -= scale * t * t;
      sum[1] += scale * t * (2 * c + 1);
    },
  };
}

/** E[e^(sL)] = e^(s e0) (a + (a - 1) e^((1 - 2a) e0)) / (2a - 1) with a = s + 1. */
function laplaceTransform({ scale, count }: LaplaceEvent, c: number, step: number): LossTransform {
  const pure = 1 / scale;
  const moment = (t: number): [number, number] => {
    const decay = Math.exp(-(1 + 2 * c) * pure);
    const [cos, sin] = [decay * Math.cos(2 * t * pure), -decay * Math.sin(2 * t * pure)];
    const [re, im] = [c + 1 + c * cos - t * sin, t + c * sin + t * cos];
    return [
      0.5 * Math.log((re * re + im * im) / ((2 * c + 1) ** 2 + 4 * t * t)),
      Math.atan2(im, re) - Math.atan2(2 * t, 2 * c + 1) + t * pure,
    ];
  };
  const [atZero] = moment(0);
  let k = 0;
  return {
    nodes: 1,
    advance(sum) {
      k += 1;
      const [re, im] = moment(k * step);
      sum[0] += count * (re - atZero);
      sum[1] += count * im;
    },
  };
}

/** The complex grid of a sampled Gaussian: losses and normalised tilted weights at x_j + i shift. */
interface ComplexGrid {
  readonly lossRe: Float64Array;
  readonly lossIm: Float64Array;
  readonly weightRe: Float64Array;
  readonly weightIm: Float64Array;
}

/** Distance of the line from the real axis: half way to the first zero of r, and no further than sigma. */
function lineShift(sigma: number): number {
  return Math.min(sigma, (Math.PI * sigma * sigma) / 2);
}

function complexGrid({ sigma, sampling }: GaussianEvent, direction: Direction, c: number): ComplexGrid {
  const power = direction === 'remove' ? c + 1 : -c;
  const sign = direction === 'remove' ? 1 : -1;
  const shift = lineShift(sigma);
  const spacing = Math.min(sigma / 16, shift / 12);
  const low = Math.min(0, power) - rangeSigmas * sigma;
  const size = Math.ceil((Math.max(0, power) + rangeSigmas * sigma - low) / spacing) + 1;
  const grid = { lossRe: new Float64Array(size), lossIm: new Float64Array(size), weightRe: new Float64Array(size), weightIm: new Float64Array(size) };
  const angle = shift / (sigma * sigma);
  const [half, sin] = [2 * Math.sin(angle / 2) ** 2, Math.sin(angle)];
  const exponents = new Float64Array(size);
  let highest = -Infinity;
  for (let j = 0; j < size; j += 1) {
    const x = low + j * spacing;
    const y = (2 * x - 1) / (2 * sigma * sigma);
    const [re, im] = complexLoss(y, half, sin, angle, sampling);
    // For `add` the loss is -log r and the line lies below the axis: the conjugate, so that Im loss > 0 again.
    grid.lossRe[j] = sign * re;
    grid.lossIm[j] = im;
    exponents[j] = -(x * x) / (2 * sigma * sigma) + power * re;
    grid.weightIm[j] = sign * (power * im - x * angle);
    highest = Math.max(highest, exponents[j]);
  }
  normalise(grid, exponents, highest);
  return grid;
}

/** log(1 + q (e^(y + i angle) - 1)), relative precision kept for tiny q. */
function complexLoss(y: number, half: number, sin: number, angle: number, sampling: number): [number, number] {
  if (y > 40) {
    // r = q e^y (1 + tiny): the loss is a straight line here.
    const tiny = ((1 - sampling) / sampling) * Math.exp(-y);
    return [y + Math.log(sampling) + tiny * Math.cos(angle), angle - tiny * sin];
  }
  const grown = Math.exp(y);
  const re = sampling * (Math.expm1(y) - grown * half);
  const im = sampling * grown * sin;
  return [0.5 * Math.log1p(2 * re + re * re + im * im), Math.atan2(im, 1 + re)];
}

/** Turns exponents and phases into complex weights that sum to 1. */
function normalise({ weightRe, weightIm }: ComplexGrid, exponents: Float64Array, highest: number): void {
  let [sumRe, sumIm] = [0, 0];
  for (let j = 0; j < exponents.length; j += 1) {
    const size = Math.exp(exponents[j] - highest);
    const phase = weightIm[j];
    weightRe[j] = size * Math.cos(phase);
    weightIm[j] = size * Math.sin(phase);
    sumRe += weightRe[j];
    sumIm += weightIm[j];
  }
  const square = sumRe * sumRe + sumIm * sumIm;
  for (let j = 0; j < exponents.length; j += 1) {
    const re = weightRe[j];
    weightRe[j] = (re * sumRe + weightIm[j] * sumIm) / square;
    weightIm[j] = (weightIm[j] * sumRe - re * sumIm) / square;
  }
}

/** Below this e^(itL) counts as 0: its weight is at most 1. */
const decayed = 1e-18;

function sampledTransform(event: GaussianEvent, direction: Direction, c: number, step: number): LossTransform {
  const { lossRe, lossIm, weightRe, weightIm } = complexGrid(event, direction, c);
  const { turnRe, turnIm } = turns(lossRe, lossIm, step);
  const stateRe = new Float64Array(lossRe.length);
  const stateIm = new Float64Array(lossRe.length);
  // Im L rises with x, so nodes decay from the right: what decayed is a constant, and large t cost little.
  let active = lossRe.length;
  let [restRe, restIm] = [0, 0];
  return {
    get nodes() {
      return active;
    },
    advance(sum) {
      let [re, im] = [restRe, restIm];
      for (let j = 0; j < active; j += 1) {
        const a = stateRe[j];
        const b = stateIm[j];
        const p = a + turnRe[j] + a * turnRe[j] - b * turnIm[j];
        const q = b + turnIm[j] + a * turnIm[j] + b * turnRe[j];
        stateRe[j] = p;
        stateIm[j] = q;
        re += weightRe[j] * p - weightIm[j] * q;
        im += weightRe[j] * q + weightIm[j] * p;
      }
      while (active > 0 && Math.abs(1 + stateRe[active - 1]) + Math.abs(stateIm[active - 1]) < decayed) {
        active -= 1;
        restRe -= weightRe[active];
        restIm -= weightIm[active];
      }
      sum[0] += event.count * 0.5 * Math.log1p(Math.max(-1, 2 * re + re * re + im * im));
      sum[1] += event.count * Math.atan2(im, 1 + re);
    },
  };
}

/**
 * e^(i step loss) - 1 per node: one complex product a step replaces a sine and a cosine, and keeping the -1 out
 * keeps relative precision where the loss is tiny.
 */
function turns(lossRe: Float64Array, lossIm: Float64Array, step: number): { turnRe: Float64Array; turnIm: Float64Array } {
  const turnRe = new Float64Array(lossRe.length);
  const turnIm = new Float64Array(lossRe.length);
  for (let j = 0; j < lossRe.length; j += 1) {
    const decay = -step * lossIm[j];
    const angle = step * lossRe[j];
    turnRe[j] = Math.expm1(decay) * Math.cos(angle) - 2 * Math.sin(angle / 2) ** 2;
    turnIm[j] = Math.exp(decay) * Math.sin(angle);
  }
  return { turnRe, turnIm };
}
