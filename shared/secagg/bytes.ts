/** Small operations on bytes: sets of members as bitmaps, secure bytes, comparison. */
import type { SecureRandom } from '../numerics/random.ts';
import { CestaError } from '../protocol/errors.ts';

export function invalid(field: string, expected: string, got: unknown): CestaError {
  return new CestaError('secagg.invalid', `${field}: expected ${expected}, got ${String(got)}`);
}

/** @throws CestaError `secagg.invalid` unless `bytes` has exactly `length`. */
export function requireLength(field: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw invalid(field, `${length} bytes`, bytes.length);
}

export function randomBytes(random: SecureRandom, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i += 4) {
    const word = random.nextUint32();
    for (let k = 0; k < 4 && i + k < length; k += 1) bytes[i + k] = word >>> (8 * k);
  }
  return bytes;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i += 1) difference |= a[i] ^ b[i];
  return difference === 0;
}

/** Bit i of byte i / 8 is set for every member i of 0..count-1. */
export function bitmapOf(count: number, members: Iterable<number>): Uint8Array {
  const bitmap = new Uint8Array(Math.ceil(count / 8));
  for (const member of members) bitmap[member >>> 3] |= 1 << (member & 7);
  return bitmap;
}

/** Members in rising order. @throws CestaError `secagg.invalid` for another length or a bit beyond `count`. */
export function membersOf(field: string, count: number, bitmap: Uint8Array): number[] {
  requireLength(field, bitmap, Math.ceil(count / 8));
  const members: number[] = [];
  for (let i = 0; i < bitmap.length * 8; i += 1) {
    if ((bitmap[i >>> 3] & (1 << (i & 7))) === 0) continue;
    if (i >= count) throw invalid(field, `members below ${count}`, i);
    members.push(i);
  }
  return members;
}

export function concatenated(pieces: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    joined.set(piece, offset);
    offset += piece.length;
  }
  return joined;
}

/** The `index`-th record of a packed list. A copy: records outlive the message they came in. */
export function recordOf(packed: Uint8Array, index: number, size: number): Uint8Array {
  return packed.slice(index * size, (index + 1) * size);
}
