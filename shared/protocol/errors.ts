/** Errors with a code of the table in error-table.ts, and how anything thrown becomes one. */
import type { ErrorCode } from './error-table.ts';

/** An error a user can act on: a stable code, and a message of the form "field: expected X, got Y". */
export class CestaError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'CestaError';
    this.code = code;
  }
}

/** Normalises anything thrown into a coded error, keeping the cause. Called once, at a boundary. */
export function toCestaError(thrown: unknown): CestaError {
  if (thrown instanceof CestaError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new CestaError('internal', message, { cause: thrown });
}

/** Throws `usage: expected ..., got ...` unless `value` is a finite number inside the closed range. */
export function requireNumber(field: string, value: number, min: number, max: number, code: ErrorCode = 'config.invalid'): number {
  if (!Number.isFinite(value) || value < min || value > max) {
    throw new CestaError(code, `${field}: expected a number in ${min}..${max}, got ${value}`);
  }
  return value;
}
