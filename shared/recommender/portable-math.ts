/**
 * Logarithm and exponential from additions, multiplications and divisions alone, which IEEE 754 rounds in one way
 * everywhere. `Math.log` and `Math.exp` may differ in the last bit between engines, and a last bit can swap two
 * candidate pairs: then two participants would lay out different statistics.
 */

/** ln(x) for x >= 1. */
export function portableLog(x: number): number {
  let exponent = 0;
  let mantissa = x;
  for (; mantissa > 1.5; mantissa /= 2) exponent += 1;
  const ratio = (mantissa - 1) / (mantissa + 1);
  let sum = 0;
  for (let power = ratio, odd = 1; odd < 41; odd += 2, power *= ratio * ratio) sum += power / odd;
  return 2 * sum + exponent * Math.LN2;
}

const squarings = 10;
const seriesTerms = 16;

/** exp(-x) for x >= 0: the series at x / 2^10, squared ten times; 0 where exp(x) overflows. */
export function portableDecay(x: number): number {
  const small = x / 2 ** squarings;
  let power = 1;
  for (let term = seriesTerms; term > 0; term -= 1) power = 1 + (small / term) * power;
  for (let squaring = 0; squaring < squarings; squaring += 1) power *= power;
  return 1 / power;
}
