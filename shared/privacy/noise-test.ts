/**
 * Whether integer noise has the law it should have, with bounds that follow from the sample size: each check fails
 * correct noise with a probability of about 1e-6. It finds missing or weak noise; it cannot show that noise was secret.
 */
import { requireInteger, requirePositive } from './checks.ts';

/** Two-sided normal quantile of 1e-6. */
const quantile = 4.892;

export interface Moments {
  readonly mean: number;
  readonly variance: number;
  /** Fourth moment over the squared variance. */
  readonly fourth: number;
}

/** Standardised deviations of the sample's mean, variance and fourth moment from those of a Skellam of this variance. */
export function skellamDeviations(samples: Int32Array, variance: number): Moments {
  let [sum, squares, fourths] = [0, 0, 0];
  for (const value of samples) {
    const square = (value * value) / variance;
    sum += value / Math.sqrt(variance);
    squares += square;
    fourths += square * square;
  }
  const n = samples.length;
  // All even cumulants are the variance v; the moments follow, here over powers of v.
  const v = variance;
  const m4 = 3 + 1 / v;
  const m8 = 105 + 210 / v + 63 / v ** 2 + 1 / v ** 3;
  return {
    mean: sum / Math.sqrt(n),
    variance: (squares / n - 1) / Math.sqrt((m4 - 1) / n),
    fourth: (fourths / n - m4) / Math.sqrt((m8 - m4 * m4) / n),
  };
}

export function isPlausible(deviation: number): boolean {
  return Math.abs(deviation) < quantile;
}

/**
 * Pearson's statistic against `probability`, standardised by Wilson and Hilferty, with cells of at least 25 expected.
 * Values beyond `reach` share one cell on each side.
 */
export function chiSquareDeviation(samples: Int32Array, probability: (value: number) => number, reach: number): number {
  const counts = new Float64Array(2 * reach + 1);
  let [below, above] = [0, 0];
  for (const value of samples) {
    if (value < -reach) below += 1;
    else if (value > reach) above += 1;
    else counts[value + reach] += 1;
  }
  let [statistic, cells, expected, observed, inside] = [0, 0, 0, below, 0];
  for (let value = -reach; value <= reach; value += 1) {
    const p = probability(value);
    inside += p;
    expected += p * samples.length;
    observed += counts[value + reach];
    if (expected >= 25) {
      statistic += (observed - expected) ** 2 / expected;
      cells += 1;
      [expected, observed] = [0, 0];
    }
  }
  // What is left, with the upper tail, is the last cell; the lower tail went into the first one.
  expected += Math.max(0, 1 - inside) * samples.length;
  observed += above;
  if (expected >= 5) {
    statistic += (observed - expected) ** 2 / expected;
    cells += 1;
  }
  const freedom = cells - 1;
  return (Math.cbrt(statistic / freedom) - (1 - 2 / (9 * freedom))) / Math.sqrt(2 / (9 * freedom));
}

/** What a release of zero inputs shows about its noise; every deviation is in standard errors. */
export interface NoiseTest {
  readonly samples: number;
  /** Sample variance over the expected one. */
  readonly varianceRatio: number;
  readonly mean: number;
  readonly variance: number;
  readonly fourth: number;
  /** Correlation of neighbouring coordinates. */
  readonly lag: number;
  readonly pass: boolean;
}

/**
 * Tests noise against Skellam(variance): mean, variance, fourth moment, and the correlation of neighbours. Half of the
 * noise missing shows in the variance at a few hundred samples.
 * @throws CestaError `privacy.invalid` for fewer than 1,000 samples or a variance that is not positive.
 */
export function testNoise(samples: Int32Array, variance: number): NoiseTest {
  requirePositive('variance', variance);
  requireInteger('samples', samples.length, 1000);
  const deviations = skellamDeviations(samples, variance);
  let [products, squares] = [0, samples[0] ** 2];
  for (let i = 1; i < samples.length; i += 1) {
    products += samples[i] * samples[i - 1];
    squares += samples[i] ** 2;
  }
  const lag = squares === 0 ? 0 : (products / squares) * Math.sqrt(samples.length - 1);
  const pass = [deviations.mean, deviations.variance, deviations.fourth, lag].every(isPlausible);
  return { samples: samples.length, varianceRatio: squares / samples.length / variance, ...deviations, lag, pass };
}
