/** What may be bound to a statement: the one rule for every database, whatever its driver would make of the rest. */
import { CestaError } from '../../shared/protocol/errors.ts';

/**
 * Null, text, bytes and finite numbers as they are.
 * @throws CestaError `internal` for anything else: a boolean would abort libsql, an undefined become null.
 */
export function bindable(sql: string, value: unknown): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'bigint' || value instanceof Uint8Array) return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new CestaError('internal', `sql: expected null, text, bytes or a finite number to bind, got ${typeof value} in ${sql}`);
}
