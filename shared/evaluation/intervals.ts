/**
 * Percentile bootstrap over shoppers (Efron 1979): how much a mean would move with other shoppers of the same kind.
 * It does not cover the noise of a private model: a private row is a mean over noise seeds besides.
 */
import { seededRandom } from '../numerics/random.ts';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  readonly seed?: number;
  readonly resamples?: number;
  /** Probability inside the interval. */
  readonly level?: number;
}

/**
 * The interval of the mean of per-shopper values.
 * @example bootstrapInterval(Float64Array.of(0, 0, 1, 1)); // about { low: 0, high: 1 }
 */
export function bootstrapInterval(values: Float64Array, { seed = 1, resamples = 1000, level = 0.95 }: BootstrapOptions = {}): Interval {
  if (values.length === 0) return { low: 0, high: 0 };
  const random = seededRandom(seed, 'bootstrap');
  const means = new Float64Array(resamples);
  for (let resample = 0; resample < resamples; resample += 1) {
    let sum = 0;
    for (let draw = 0; draw < values.length; draw += 1) sum += values[random.nextBelow(values.length)];
    means[resample] = sum / values.length;
  }
  means.sort();
  const tail = (1 - level) / 2;
  return { low: quantile(means, tail), high: quantile(means, 1 - tail) };
}

/** The interval of the mean difference of two models on the same shoppers, in the same order. */
export function pairedBootstrapInterval(first: Float64Array, second: Float64Array, options: BootstrapOptions = {}): Interval & { readonly difference: number } {
  if (first.length !== second.length) throw new RangeError(`second: expected ${first.length} shoppers, got ${second.length}`);
  const differences = first.map((value, shopper) => value - second[shopper]);
  const difference = differences.reduce((sum, value) => sum + value, 0) / Math.max(1, differences.length);
  return { ...bootstrapInterval(differences, options), difference };
}

/** Linear interpolation between order statistics of at least one value. */
export function quantile(ascending: Float64Array, probability: number): number {
  const position = probability * (ascending.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, ascending.length - 1);
  return ascending[below] + (position - below) * (ascending[above] - ascending[below]);
}
