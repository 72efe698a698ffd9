/**
 * The checks every privacy function runs on its arguments: coded errors that name the field, the expected
 * range and what came. NaN fails every one of them.
 */
import { CestaError } from '../protocol/errors.ts';

export function invalid(field: string, expected: string, got: unknown): CestaError {
  return new CestaError('privacy.invalid', `${field}: expected ${expected}, got ${String(got)}`);
}

/** A finite number above zero. */
export function requirePositive(field: string, value: number): number {
  if (!(value > 0) || !Number.isFinite(value)) throw invalid(field, 'a finite number above 0', value);
  return value;
}

/** A finite number, zero or above. */
export function requireNonNegative(field: string, value: number): number {
  if (!(value >= 0) || !Number.isFinite(value)) throw invalid(field, 'a finite number of at least 0', value);
  return value;
}

/** A failure probability: strictly between 0 and 1. */
export function requireDelta(field: string, value: number): number {
  if (!(value > 0 && value < 1)) throw invalid(field, 'a number strictly between 0 and 1', value);
  return value;
}

/** A probability or fraction, ends included. */
export function requireFraction(field: string, value: number): number {
  if (!(value >= 0 && value <= 1)) throw invalid(field, 'a number in 0..1', value);
  return value;
}

/** An integer in min..max. */
export function requireInteger(field: string, value: number, min = 1, max = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isSafeInteger(value) || value < min || value > max) throw invalid(field, `an integer in ${min}..${max}`, value);
  return value;
}

/** A number of rounds, 1 at least; no whole one where a round takes a share of a promise that none of an integer's is. */
export function requireRounds(field: string, value: number): number {
  if (!(value >= 1) || !Number.isFinite(value)) throw invalid(field, 'a finite number of at least 1', value);
  return value;
}

/** A power of two within 2^-60..2^60: multiplying by it is exact in floating point. */
export function requirePowerOfTwo(field: string, value: number): number {
  const exponent = Math.round(Math.log2(value));
  if (!(Math.abs(exponent) <= 60) || 2 ** exponent !== value) throw invalid(field, 'a power of two in 2^-60..2^60', value);
  return value;
}
