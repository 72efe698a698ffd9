/**
 * Statistical checks of integer noise, with bounds from the sample size: each fails a correct sampler with a
 * probability of about 1e-6.
 */

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

/** P[Skellam(v) = k] by the power series of the Bessel function: independent of the recurrence the sampler uses. */
export function skellamProbability(variance: number): (value: number) => number {
  const half = Math.log(variance / 2);
  const logFactorial = [0];
  const known = new Map<number, number>();
  return (value) => {
    const k = Math.abs(value);
    const found = known.get(k);
    if (found !== undefined) return found;
    const terms = Math.ceil(variance + 12 * Math.sqrt(variance) + 30);
    for (let i = logFactorial.length; i <= terms + k + 1; i += 1) logFactorial.push(logFactorial[i - 1] + Math.log(i));
    let sum = 0;
    for (let j = 0; j <= terms; j += 1) sum += Math.exp((2 * j + k) * half - logFactorial[j] - logFactorial[j + k] - variance);
    known.set(k, sum);
    return sum;
  };
}
