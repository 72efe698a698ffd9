/**
 * Special functions the accountants stand on, to about 1e-15 relative: scaled complementary error function,
 * normal tails in logs, log-gamma, binomial tails. Everything that can underflow is returned as a logarithm,
 * because a delta of 1e-30 is an ordinary input here.
 */

const sqrt2 = Math.SQRT2;
const logSqrt2Pi = 0.5 * Math.log(2 * Math.PI);

/** Step and nodes of the trapezoidal rule below: its error is exp(-pi^2 / step^2), about 7e-18. */
const trapezoidStep = 0.5;
const trapezoidSquares = Array.from({ length: 13 }, (_, n) => ((n + 1) * trapezoidStep) ** 2);
const trapezoidWeights = trapezoidSquares.map((square) => Math.exp(-square));

/**
 * exp(x^2) erfc(x). The trapezoidal rule on erfc's integral over the real line with the residue of its pole
 * taken out (Matta and Reichel 1971, Math. Comp. 25); a Maclaurin series where the two would cancel.
 * Overflows to Infinity below about -26.6.
 */
export function erfcx(x: number): number {
  if (x < 0) return 2 * Math.exp(x * x) - erfcx(-x);
  if (x < 0.5) return Math.exp(x * x) * (1 - erfSeries(x));
  if (x > 1e8) return 1 / (x * Math.sqrt(Math.PI));
  let sum = 1 / (x * x);
  for (let n = 0; n < trapezoidSquares.length; n += 1) {
    sum += (2 * trapezoidWeights[n]) / (x * x + trapezoidSquares[n]);
  }
  const rule = (trapezoidStep * x * sum) / Math.PI;
  // Beyond pi / step the pole lies outside the strip and contributes nothing.
  return x < 6 ? rule - (2 * Math.exp(x * x)) / Math.expm1((2 * Math.PI * x) / trapezoidStep) : rule;
}

function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n += 1) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** erfc(x), without loss of relative precision in the upper tail. */
export function erfc(x: number): number {
  return x < 0 ? 2 - erfc(-x) : Math.exp(-x * x) * erfcx(x);
}

/** Standard normal distribution function, full relative precision in the lower tail. */
export function normalCdf(z: number): number {
  return 0.5 * erfc(-z / sqrt2);
}

/** log of the standard normal distribution function. */
export function logNormalCdf(z: number): number {
  if (z < -1) return Math.log(0.5 * erfcx(-z / sqrt2)) - 0.5 * z * z;
  return Math.log1p(-0.5 * erfc(z / sqrt2));
}

/** log of the standard normal density. */
export function logNormalDensity(z: number): number {
  return -0.5 * z * z - logSqrt2Pi;
}

/** Mills ratio (1 - Phi(z)) / phi(z). Overflows below about -37. */
export function millsRatio(z: number): number {
  return Math.sqrt(Math.PI / 2) * erfcx(z / sqrt2);
}

/** log Phi(high) - Phi(low), taken on the side of the smaller tail, so that tiny intervals keep their digits. */
export function logNormalInterval(low: number, high: number): number {
  if (!(high > low)) return -Infinity;
  if (low > 0) return logNormalInterval(-high, -low);
  const upper = logNormalCdf(high);
  return high - low < 0.5 && Math.abs(low) < 30
    ? logShortInterval(low, high)
    : upper + log1mExp(logNormalCdf(low) - upper);
}

/** Four-point Gauss-Legendre nodes on (-1, 1): short intervals are integrated instead of subtracted. */
const fourPoint = [
  [-0.8611363115940526, 0.34785484513745385],
  [-0.33998104358485626, 0.6521451548625461],
  [0.33998104358485626, 0.6521451548625461],
  [0.8611363115940526, 0.34785484513745385],
] as const;

function logShortInterval(low: number, high: number): number {
  const middle = 0.5 * (low + high);
  const half = 0.5 * (high - low);
  // The density is integrated relative to its value at the middle; panels keep |t * step| below 1/8.
  const panels = Math.max(1, Math.ceil((Math.abs(middle) + 1) * half * 8));
  let sum = 0;
  for (let panel = 0; panel < panels; panel += 1) {
    const centre = low + ((2 * panel + 1) * half) / panels;
    for (const [node, weight] of fourPoint) {
      const z = centre + (node * half) / panels;
      sum += weight * Math.exp(0.5 * (middle - z) * (middle + z));
    }
  }
  return logNormalDensity(middle) + Math.log((sum * half) / panels);
}

/** log(1 - exp(x)) for x <= 0. */
export function log1mExp(x: number): number {
  return x > -Math.LN2 ? Math.log(-Math.expm1(x)) : Math.log1p(-Math.exp(x));
}

/** log(exp(a) + exp(b)). */
export function logAddExp(a: number, b: number): number {
  const high = Math.max(a, b);
  return high === -Infinity ? -Infinity : high + Math.log1p(Math.exp(Math.min(a, b) - high));
}

/** log of the sum of exponentials; -Infinity for none. */
export function logSumExp(values: ArrayLike<number>): number {
  let high = -Infinity;
  for (let i = 0; i < values.length; i += 1) high = Math.max(high, values[i]);
  if (!Number.isFinite(high)) return high;
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) sum += Math.exp(values[i] - high);
  return high + Math.log(sum);
}

/** Stirling coefficients B_2k / (2k (2k - 1)). */
const stirling = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360_360, 1 / 156];

/** log Gamma(x) for x > 0: Stirling's series after a shift beyond 12. */
export function logGamma(x: number): number {
  let shift = 1;
  let z = x;
  while (z < 12) {
    shift *= z;
    z += 1;
  }
  let series = 0;
  for (let k = stirling.length - 1; k >= 0; k -= 1) series = series / (z * z) + stirling[k];
  return (z - 0.5) * Math.log(z) - z + logSqrt2Pi + series / z - Math.log(shift);
}

/** log of n over k. */
export function logBinomial(n: number, k: number): number {
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
}

/** P[Binomial(n, p) >= c], summed from the largest term outwards. */
export function binomialUpperTail(n: number, p: number, c: number): number {
  if (c <= 0) return 1;
  if (c > n || p <= 0) return 0;
  if (p >= 1) return 1;
  // The smaller side is summed, so that neither tail is a difference of nearly equal numbers.
  if (c < n * p) return 1 - binomialUpperTail(n, 1 - p, n - c + 1);
  const odds = p / (1 - p);
  let term = Math.exp(logBinomial(n, c) + c * Math.log(p) + (n - c) * Math.log1p(-p));
  let sum = term;
  for (let k = c; k < n && term > sum * 1e-18; k += 1) {
    term *= ((n - k) / (k + 1)) * odds;
    sum += term;
  }
  return Math.min(1, sum);
}

/**
 * Regularised incomplete beta function I_x(a, b), for a and b > 0 and x in 0..1: the continued fraction of DLMF 8.17.22 by
 * Lentz's method, on the side of the mean where it converges fast. To about 1e-13.
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  const tiny = 1e-300;
  const away = (value: number): number => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m < 10_000; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return (front * fraction) / a;
}
