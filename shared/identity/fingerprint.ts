/** A key as people compare it: the first 16 bytes of its SHA-256, in groups of four digits. */
import { hexToBytes, sha256Hex } from '../protocol/digest.ts';

/**
 * 128 bits: nobody finds a second key with the same fingerprint.
 * @param publicKey 32 bytes, hex
 * @example
 * fingerprintOf('00'.repeat(32)); // '6668 7aad f862 bd77 6c8f c18b 8e9f 8e20'
 */
export function fingerprintOf(publicKey: string): string {
  const digest = sha256Hex(Uint8Array.from(hexToBytes(publicKey))).slice(0, 32);
  return digest.replace(/.{4}(?=.)/g, '$& ');
}
