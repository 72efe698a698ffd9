/**
 * Shamir's secret sharing (1979) over GF(2^16) with the polynomial x^16 + x^12 + x^3 + x + 1 (0x1100B): up to 65,535
 * holders. A secret of 32 bytes is 16 little-endian words, each with a polynomial of its own.
 * Security: fewer than `threshold` shares say nothing about the secret. Shares carry no proof: the protocol commits
 * to every share and to the secret. The tables are not constant-time; they are used on the holder's own machine.
 */
import type { SecureRandom } from '../numerics/random.ts';
import { invalid, requireLength } from './bytes.ts';

export const shareBytes = 32;
const wordsPerSecret = 16;
const groupOrder = 65_535;
/** Holders of one secret, at most. */
export const mostPoints = groupOrder;
const polynomial = 0x1100b;

export interface Share {
  /** The holder's point, 1..65535. */
  readonly x: number;
  readonly bytes: Uint8Array;
}

interface Field {
  readonly log: Uint16Array;
  /** Twice the group, so that a sum of two logarithms needs no reduction. */
  readonly exp: Uint16Array;
}

let tables: Field | undefined;

function field(): Field {
  if (tables !== undefined) return tables;
  const log = new Uint16Array(groupOrder + 1);
  const exp = new Uint16Array(2 * groupOrder);
  for (let power = 0, value = 1; power < groupOrder; power += 1) {
    exp[power] = value;
    exp[power + groupOrder] = value;
    log[value] = power;
    value <<= 1;
    if (value > groupOrder) value ^= polynomial;
  }
  tables = { log, exp };
  return tables;
}

export function multiply(a: number, b: number): number {
  const { log, exp } = field();
  return a === 0 || b === 0 ? 0 : exp[log[a] + log[b]];
}

export function divide(a: number, b: number): number {
  const { log, exp } = field();
  return a === 0 ? 0 : exp[log[a] + groupOrder - log[b]];
}

/**
 * Shares of a 32-byte secret, one per point: any `threshold` of them give it back, fewer say nothing.
 * @throws CestaError `secagg.invalid` for a threshold above the number of points, or points that are not distinct.
 */
export function splitSecret(secret: Uint8Array, threshold: number, points: readonly number[], random: SecureRandom): Uint8Array[] {
  requireLength('secret', secret, shareBytes);
  requirePoints(points);
  if (!Number.isInteger(threshold) || threshold < 1 || threshold > points.length) throw invalid('threshold', `an integer in 1..${points.length}`, threshold);
  const { log, exp } = field();
  const shares = points.map(() => new Uint8Array(shareBytes));
  // Of one power, all words side by side: their steps do not wait for one another, which takes half the time.
  const coefficients = new Uint16Array(threshold * wordsPerSecret);
  for (let word = 0; word < wordsPerSecret; word += 1) {
    coefficients[word] = secret[2 * word] | (secret[2 * word + 1] << 8);
    for (let k = 1; k < threshold; k += 1) coefficients[k * wordsPerSecret + word] = random.nextUint32();
  }
  const values = new Uint16Array(wordsPerSecret);
  points.forEach((x, holder) => {
    const logX = log[x];
    values.fill(0);
    for (let start = (threshold - 1) * wordsPerSecret; start >= 0; start -= wordsPerSecret) {
      for (let word = 0; word < wordsPerSecret; word += 1) {
        const value = values[word];
        values[word] = (value === 0 ? 0 : exp[log[value] + logX]) ^ coefficients[start + word];
      }
    }
    for (let word = 0; word < wordsPerSecret; word += 1) {
      shares[holder][2 * word] = values[word];
      shares[holder][2 * word + 1] = values[word] >>> 8;
    }
  });
  values.fill(0);
  coefficients.fill(0);
  return shares;
}

/** The secret at 0 of the one polynomial through all given shares. The caller hands in exactly `threshold` of them. */
export function combineShares(shares: readonly Share[]): Uint8Array {
  requirePoints(shares.map(({ x }) => x));
  for (const { bytes } of shares) requireLength('share', bytes, shareBytes);
  const secret = new Uint8Array(shareBytes);
  for (const { x, bytes } of shares) {
    // Lagrange's basis at 0: the product of other / (other - x), and subtraction is exclusive or.
    const weight = shares.reduce((product, other) => (other.x === x ? product : multiply(product, divide(other.x, other.x ^ x))), 1);
    for (let word = 0; word < wordsPerSecret; word += 1) {
      const term = multiply(weight, bytes[2 * word] | (bytes[2 * word + 1] << 8));
      secret[2 * word] ^= term & 255;
      secret[2 * word + 1] ^= term >>> 8;
    }
  }
  return secret;
}

function requirePoints(points: readonly number[]): void {
  for (const x of points) if (!Number.isInteger(x) || x < 1 || x > groupOrder) throw invalid('point', `an integer in 1..${groupOrder}`, x);
  if (new Set(points).size !== points.length) throw invalid('points', 'distinct points', points.join(', '));
}
