/**
 * Domain separation: every hash, signature and derived key of the protocol is over a label and length-prefixed
 * parts, so that no two uses, and no two splits of the same bytes, can ever collide. HKDF: RFC 5869, SHA-256.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { concatenated } from './bytes.ts';
import type { SecaggCrypto } from './crypto.ts';

export const protocolName = 'cesta/silo-secagg/v1';

/** What short derivations need of the primitives. */
export type Hashes = Pick<SecaggCrypto, 'digest' | 'hmac'>;

/** Text as UTF-8, integers as 4 big-endian bytes, bytes as they are. */
export type Part = string | number | Uint8Array;

const encoder = new TextEncoder();

/** The protocol's name, `label` and `parts`, each behind its length in 4 big-endian bytes. */
export function statement(label: string, ...parts: readonly Part[]): Uint8Array {
  const head = headOf(label);
  const pieces = parts.map(bytesOf);
  const joined = new Uint8Array(pieces.reduce((length, piece) => length + 4 + piece.length, head.length));
  const view = new DataView(joined.buffer);
  joined.set(head);
  let offset = head.length;
  for (const piece of pieces) {
    view.setUint32(offset, piece.length);
    joined.set(piece, offset + 4);
    offset += 4 + piece.length;
  }
  return joined;
}

/** The same for every statement with a label: made once, because members hash by the ten thousand. */
const heads = new Map<string, Uint8Array>();

function headOf(label: string): Uint8Array {
  const known = heads.get(label);
  if (known !== undefined) return known;
  const pieces = [protocolName, label].map(bytesOf);
  const head = Uint8Array.from(pieces.flatMap((piece) => [...uint32Bytes(piece.length), ...piece]));
  heads.set(label, head);
  return head;
}

/** SHA-256 of a {@link statement}: 32 bytes. */
export function labelledHash(label: string, ...parts: readonly Part[]): Uint8Array {
  return sha256(statement(label, ...parts));
}

/** The pseudo-random key of a Diffie-Hellman secret in one session: raw DH output is never a key. */
export function sessionKey(crypto: Hashes, sharedSecret: Uint8Array, sessionId: Uint8Array): Uint8Array {
  // HKDF-Extract.
  return crypto.hmac(sessionId, sharedSecret);
}

/** A 32-byte key for one purpose. */
export function purposeKey(crypto: Hashes, key: Uint8Array, label: string, ...parts: readonly Part[]): Uint8Array {
  // HKDF-Expand to the length of one hash: its first and only block.
  return crypto.hmac(key, concatenated([statement(label, ...parts), Uint8Array.of(1)]));
}

function bytesOf(part: Part): Uint8Array {
  if (typeof part === 'number') return uint32Bytes(part);
  return typeof part === 'string' ? encoder.encode(part) : part;
}

function uint32Bytes(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}
