/** Parsers of command-line values: each names the option, the expected range and what came. */
import { InvalidArgumentError } from 'commander';
import { requireKeyName, type NoteKey } from '../../shared/ledger/signed-note.ts';
import { processorSchema, type Processor } from '../../shared/policy/accountability.ts';
import type { Json } from '../../shared/protocol/canonical-json.ts';

/** A finite number in a closed range. */
export function numberIn(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? NaN : Number(text);
    if (!Number.isFinite(value) || value < min || value > max) throw new InvalidArgumentError(`Expected a number in ${min}..${max}, got ${text}.`);
    return value;
  };
}

/** A number greater than zero. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError(`Expected a number above 0, got ${text}.`);
  return value;
}

/** Numbers above 0, separated by commas. */
export function positiveNumbers(text: string): number[] {
  return text.split(',').map((part) => positiveNumber(part.trim()));
}

export function integerIn(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = numberIn(min, max)(text);
    if (!Number.isInteger(value)) throw new InvalidArgumentError(`Expected a whole number in ${min}..${max}, got ${text}.`);
    return value;
  };
}

/** A day, as the Unix second at which it ends in UTC. */
export function dayEnd(text: string): number {
  const start = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN;
  if (!Number.isFinite(start)) throw new InvalidArgumentError(`Expected a day such as 2026-03-31, got ${text}.`);
  return start / 1000 + 86_400;
}

/** A probability strictly between 0 and 1. */
export function probability(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError(`Expected a number between 0 and 1, got ${text}.`);
  return value;
}

/** At least 0 and below 1. */
export function fraction(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value < 1)) throw new InvalidArgumentError(`Expected a number of at least 0 and below 1, got ${text}.`);
  return value;
}

export function httpUrl(text: string): URL {
  try {
    const url = new URL(text);
    if (url.protocol === 'http:' || url.protocol === 'https:') return url;
  } catch {
    // Reported below, with what came.
  }
  throw new InvalidArgumentError(`Expected an http or https URL, got ${text}.`);
}

/** `*`, or scheme, host and port as browsers name them. */
export function webOrigin(text: string): string {
  if (text === '*' || (URL.canParse(text) && /^https?:/.test(text) && new URL(text).origin === text)) return text;
  throw new InvalidArgumentError(`Expected * or an origin such as https://shop.example, got ${text}.`);
}

/** `i/n` with 1 <= i <= n: the i-th of n parts. */
export function parsePart(text: string): { readonly index: number; readonly of: number } {
  const match = /^(\d{1,5})\/(\d{1,5})$/.exec(text);
  const index = Number(match?.[1]);
  const of = Number(match?.[2]);
  if (match === null || index < 1 || of < index) throw new InvalidArgumentError(`Expected i/n with 1 <= i <= n, got ${text}.`);
  return { index, of };
}

/** A JSON object. */
export function jsonObject(text: string): Record<string, Json> {
  try {
    const value = JSON.parse(text) as Json;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, Json>;
  } catch {
    // Reported below, with what came.
  }
  throw new InvalidArgumentError(`Expected a JSON object, got ${text}.`);
}

/** An Ed25519 public key. */
export function publicKey(text: string): string {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new InvalidArgumentError(`Expected 64 lower-case hexadecimal digits, got ${text}.`);
  return text;
}

/** `NAME=HEXKEY`: a witness. */
export function witnessKey(text: string): NoteKey {
  const at = text.lastIndexOf('=');
  const [name, key] = [text.slice(0, at), text.slice(at + 1)];
  try {
    if (at > 0) return { name: requireKeyName(name), publicKey: publicKey(key), kind: 'witness' };
  } catch {
    // Reported below, with what came.
  }
  throw new InvalidArgumentError(`Expected NAME=KEY with a key of 64 lower-case hexadecimal digits, got ${text}.`);
}

/** `NAME:PURPOSE:COUNTRY`, the country as ISO 3166 writes it with two letters. */
export function processor(text: string): Processor {
  const [name, purpose, country, ...rest] = text.split(':').map((part) => part.trim());
  const parsed = processorSchema.safeParse({ name, purpose, country });
  if (!parsed.success || rest.length > 0) throw new InvalidArgumentError(`Expected NAME:PURPOSE:COUNTRY with a country such as DE, got ${text}.`);
  return parsed.data;
}

/** An option that may be given several times. */
export function collect<T>(parse: (text: string) => T): (text: string, previous: readonly T[] | undefined) => readonly T[] {
  return (text, previous = []) => [...previous, parse(text)];
}
