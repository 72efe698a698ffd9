/**
 * Domain separation: every hash, signature and derived key of the protocol is over a label and length-prefixed
 * parts, so that no two uses, and no two splits of the same bytes, can ever collide. HKDF: RFC 5869, SHA-256.
 */
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';

export const protocolName = 'cesta/silo-secagg/v1';

/** Text as UTF-8, integers as 4 big-endian bytes, bytes as they are. */
export type Part = string | number | Uint8Array;

const encoder = new TextEncoder();

/** The protocol's name, `label` and `parts`, each behind its length in 4 big-endian bytes. */
export function statement(label: string, ...parts: readonly Part[]): Uint8Array {
  const pieces = [protocolName, label, ...parts].map(bytesOf);
  const joined = new Uint8Array(pieces.reduce((length, piece) => length + 4 + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    joined.set(uint32Bytes(piece.length), offset);
    joined.set(piece, offset + 4);
    offset += 4 + piece.length;
  }
  return joined;
}

/** SHA-256 of a {@link statement}: 32 bytes. */
export function labelledHash(label: string, ...parts: readonly Part[]): Uint8Array {
  return sha256(statement(label, ...parts));
}

/** The pseudo-random key of a Diffie-Hellman secret in one session: raw DH output is never a key. */
export function sessionKey(sharedSecret: Uint8Array, sessionId: Uint8Array): Uint8Array {
  return extract(sha256, sharedSecret, sessionId);
}

/** A 32-byte key for one purpose. */
export function purposeKey(key: Uint8Array, label: string, ...parts: readonly Part[]): Uint8Array {
  return expand(sha256, key, statement(label, ...parts), 32);
}

function bytesOf(part: Part): Uint8Array {
  if (typeof part === 'number') return uint32Bytes(part);
  return typeof part === 'string' ? encoder.encode(part) : part;
}

function uint32Bytes(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}
