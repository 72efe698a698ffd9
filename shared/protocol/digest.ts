/** SHA-256 and hex, the same in Node and browsers, synchronous. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';

export { bytesToHex, hexToBytes };

export function sha256Hex(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes));
}

/** A digest of bytes that arrive in pieces. */
export interface RunningDigest {
  update(bytes: Uint8Array): void;
  hex(): string;
}

export function createDigest(): RunningDigest {
  const state = sha256.create();
  return { update: (bytes) => void state.update(bytes), hex: () => bytesToHex(state.digest()) };
}
