/**
 * Canonical JSON: sorted keys, no white space, no undefined, finite numbers only. Two equal values have the
 * same bytes, so hashes and signatures cover keys as well as values. Follows RFC 8785 for the subset used
 * here (ECMAScript number and string forms; keys ordered by UTF-16 code units).
 */
import { CestaError } from './errors.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** @throws CestaError `plan.invalid` for a number that JSON cannot carry. */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new CestaError('plan.invalid', `canonical JSON: expected a finite number, got ${value}`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object') {
    const fields = Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`);
    return `{${fields.join(',')}}`;
  }
  throw new CestaError('plan.invalid', `canonical JSON: expected a JSON value, got ${typeof value}`);
}
