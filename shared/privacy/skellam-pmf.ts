/**
 * The Skellam distribution in certified fixed-point arithmetic: intervals, in BigInt, that provably hold the true
 * probabilities. With I_k the modified Bessel functions, P[X = k] = exp(-v) I_|k|(v) for variance v (both Poissons
 * of mean v/2; Skellam 1946). Ratios r_k = I_k / I_(k-1) follow from the backward recurrence
 * r_k = 1 / (2k/v + r_(k+1)) (Miller; Gautschi 1967), which is monotone, so two runs bracket the truth.
 */
import { requirePositive } from './checks.ts';

/** Brackets of P[|X| <= m] for m = 0..tables.length-1: true value within [low, high] / 2^bits. */
export interface MagnitudeCdf {
  readonly bits: bigint;
  readonly low: readonly bigint[];
  readonly high: readonly bigint[];
}

/** Fewest and most guard digits: the cut lies where the tail is below 2^-(bits - guard). */
const guardBits = 18;

/**
 * Brackets of the distribution function of |X| for a Skellam of this variance, in fixed point of `bits` bits.
 * The table ends where the tail is below 2^(18 - bits) by a Chernoff bound.
 * @throws CestaError `privacy.invalid` unless the variance is finite and above zero.
 */
export function magnitudeCdf(variance: number, bits: number): MagnitudeCdf {
  requirePositive('variance', variance);
  const last = cutoff(variance, (bits - guardBits) * Math.LN2);
  const one = 1n << BigInt(bits);
  const ratios = bracketRatios(variance, last, bits);
  // Weights relative to P[X = 0]; partial sums count both signs.
  let [low, high] = [one, one];
  const sumLow = [one];
  const sumHigh = [one];
  for (let k = 1; k <= last; k += 1) {
    low = (low * ratios.low[k]) >> BigInt(bits);
    high = ((high * ratios.high[k]) >> BigInt(bits)) + 1n;
    sumLow.push(sumLow[k - 1] + 2n * low);
    sumHigh.push(sumHigh[k - 1] + 2n * high);
  }
  // Ratios fall with k, so the tail is at most geometric in the first ratio beyond the table.
  const beyond = ratios.high[last + 1];
  const tail = (2n * high * beyond) / (one - beyond) + 1n;
  const totalLow = sumLow[last];
  const totalHigh = sumHigh[last] + tail;
  return {
    bits: BigInt(bits),
    low: sumLow.map((sum) => (sum * one) / totalHigh),
    high: sumHigh.map((sum) => minimum(one, (sum * one) / totalLow + 1n)),
  };
}

function minimum(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/**
 * Brackets of r_1..r_(last+1). The start comes from r_(k+1) < r_k (the Skellam pmf is log-concave), which with
 * r_k (2k/v + r_(k+1)) = 1 gives v / (k + sqrt(k^2 + v^2)) < r_k < v / (k - 1 + sqrt((k - 1)^2 + v^2)).
 */
function bracketRatios(variance: number, last: number, bits: number): { low: bigint[]; high: bigint[] } {
  const { numerator, denominator } = rational(variance);
  const shift = BigInt(bits);
  const start = last + 1;
  const low: bigint[] = [];
  const high: bigint[] = [];
  // Doubles are good to 1e-15 here; the factors move both ends outwards.
  low[start] = fixedPoint((variance / (start + Math.hypot(start, variance))) * (1 - 1e-12), bits);
  high[start] = fixedPoint((variance / (last + Math.hypot(last, variance))) * (1 + 1e-12), bits) + 1n;
  const dividend = numerator << (2n * shift);
  for (let k = last; k >= 1; k -= 1) {
    const twice = (2n * BigInt(k) * denominator) << shift;
    low[k] = dividend / (twice + numerator * high[k + 1]);
    high[k] = dividend / (twice + numerator * low[k + 1]) + 1n;
  }
  return { low, high };
}

/** Smallest k with P[X >= k] <= exp(-exponent) by the Chernoff bound exp(-k asinh(k/v) + sqrt(k^2 + v^2) - v). */
function cutoff(variance: number, exponent: number): number {
  const enough = (k: number): boolean => {
    const root = Math.hypot(k, variance);
    // sqrt(k^2 + v^2) - v without cancellation.
    return k * Math.asinh(k / variance) - (k * k) / (root + variance) >= exponent;
  };
  let high = 1;
  while (!enough(high)) high *= 2;
  let low = high / 2;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (enough(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** A positive double as an exact fraction. */
function rational(x: number): { numerator: bigint; denominator: bigint } {
  let numerator = x;
  let shift = 0n;
  while (!Number.isInteger(numerator)) {
    numerator *= 2;
    shift += 1n;
  }
  return { numerator: BigInt(numerator), denominator: 1n << shift };
}

/** floor(x 2^bits) of a non-negative double. */
function fixedPoint(x: number, bits: number): bigint {
  const { numerator, denominator } = rational(x);
  return (numerator << BigInt(bits)) / denominator;
}
