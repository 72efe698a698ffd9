/**
 * Secrets from shares of which some are off the dealer's polynomial. A Shamir sharing is a Reed-Solomon codeword, so
 * of m shares up to (m - threshold) / 2 wrong ones are corrected. Decoder: Gao 2003 ("A new algorithm for decoding
 * Reed-Solomon codes"). Polynomials are arrays of coefficients, lowest first, without zeros at the end.
 */
import { divide, multiply, shareBytes, type Share } from './shamir.ts';

type Polynomial = readonly number[];

/** The secret of the polynomials that fit all but (m - threshold) / 2 shares, or null where there are none. */
export function decodeShares(shares: readonly Share[], threshold: number): Uint8Array | null {
  if (shares.length < threshold) return null;
  const points = shares.map(({ x }) => x);
  const vanishing = points.reduce<Polynomial>((product, x) => times(product, [x, 1]), [1]);
  const secret = new Uint8Array(shareBytes);
  for (let at = 0; at < shareBytes; at += 2) {
    const values = shares.map(({ bytes }) => bytes[at] | (bytes[at + 1] << 8));
    const found = decodeWord(points, values, vanishing, threshold);
    if (found === null) return null;
    secret[at] = found & 255;
    secret[at + 1] = found >>> 8;
  }
  return secret;
}

/** The value at 0. Euclid's algorithm on (vanishing, interpolated) stops where the error locator is found. */
function decodeWord(points: readonly number[], values: readonly number[], vanishing: Polynomial, threshold: number): number | null {
  let [r0, r1]: [Polynomial, Polynomial] = [vanishing, interpolated(points, values)];
  let [v0, v1]: [Polynomial, Polynomial] = [[], [1]];
  while (2 * (r1.length - 1) >= points.length + threshold) {
    const [quotient, rest] = divided(r0, r1);
    [r0, r1] = [r1, rest];
    [v0, v1] = [v1, plus(v0, times(quotient, v1))];
  }
  const [message, rest] = divided(r1, v1);
  if (rest.length > 0 || message.length > threshold) return null;
  return message[0] ?? 0;
}

/** Newton's interpolation: the one polynomial of degree below the number of points. */
function interpolated(points: readonly number[], values: readonly number[]): Polynomial {
  let [found, basis]: [Polynomial, Polynomial] = [[], [1]];
  points.forEach((x, i) => {
    const step = divide(values[i] ^ valueAt(found, x), valueAt(basis, x));
    found = plus(found, times(basis, step === 0 ? [] : [step]));
    basis = times(basis, [x, 1]);
  });
  return found;
}

function valueAt(polynomial: Polynomial, x: number): number {
  return polynomial.reduceRight((value, coefficient) => multiply(value, x) ^ coefficient, 0);
}

function plus(a: Polynomial, b: Polynomial): Polynomial {
  return trimmed(Array.from({ length: Math.max(a.length, b.length) }, (_, i) => (a[i] ?? 0) ^ (b[i] ?? 0)));
}

function times(a: Polynomial, b: Polynomial): Polynomial {
  if (a.length === 0 || b.length === 0) return [];
  const product = new Array<number>(a.length + b.length - 1).fill(0);
  a.forEach((left, i) => {
    b.forEach((right, k) => (product[i + k] ^= multiply(left, right)));
  });
  return product;
}

/** Quotient and remainder. */
function divided(a: Polynomial, b: Polynomial): [Polynomial, Polynomial] {
  const rest = [...a];
  const quotient = new Array<number>(Math.max(0, a.length - b.length + 1)).fill(0);
  for (let place = a.length - b.length; place >= 0; place -= 1) {
    const factor = divide(rest[place + b.length - 1], b[b.length - 1]);
    quotient[place] = factor;
    b.forEach((coefficient, i) => (rest[place + i] ^= multiply(factor, coefficient)));
  }
  return [trimmed(quotient), trimmed(rest)];
}

function trimmed(coefficients: number[]): Polynomial {
  while (coefficients.length > 0 && coefficients[coefficients.length - 1] === 0) coefficients.pop();
  return coefficients;
}
