/**
 * JSON from strangers: bounded in size and in depth before it is parsed, so that nobody buys much work with few bytes.
 * Keys such as `__proto__` become plain own properties here; strict schemas refuse them afterwards.
 */
import { CestaError } from './errors.ts';

export interface JsonBounds {
  /** UTF-16 code units. */
  readonly maxLength: number;
  /** Objects and arrays inside one another; a plain value has depth 0. */
  readonly maxDepth: number;
}

const quote = 0x22;
const backslash = 0x5c;

/** Deepest nesting of brackets outside of strings. Text that is no JSON has some depth, too: it need not be valid. */
export function jsonDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (inString) {
      if (unit === backslash) i += 1;
      else if (unit === quote) inString = false;
    } else if (unit === quote) inString = true;
    else if (unit === 0x7b || unit === 0x5b) deepest = Math.max(deepest, (depth += 1));
    else if (unit === 0x7d || unit === 0x5d) depth -= 1;
  }
  return deepest;
}

/** @throws CestaError `protocol.too-large` beyond the length, `protocol.malformed` beyond the depth or for other text */
export function parseBoundedJson(what: string, text: string, { maxLength, maxDepth }: JsonBounds): unknown {
  if (text.length > maxLength) throw new CestaError('protocol.too-large', `${what}: expected at most ${maxLength} characters, got ${text.length}`);
  const depth = jsonDepth(text);
  if (depth > maxDepth) throw new CestaError('protocol.malformed', `${what}: expected at most ${maxDepth} levels, got ${depth}`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CestaError('protocol.malformed', `${what}: expected JSON, got other text`, { cause });
  }
}
