/** The primitives in JavaScript (@noble): for platforms without WebCrypto, and the yardstick of the others in tests. */
import { ctr, gcm } from '@noble/ciphers/aes.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { invalid } from './bytes.ts';
import type { SecaggCrypto } from './crypto.ts';
import { verifyStrictly } from './strict-ed25519.ts';

const nonce = new Uint8Array(12);

/** A keystream that answers at once, from `firstBlock` on. */
export function softwareKeystream(key: Uint8Array, firstBlock = 0): { read(byteLength: number): Uint8Array } {
  const secret = key.slice();
  let block = firstBlock;
  return {
    read(byteLength) {
      const bytes = ctr(secret, counterBlock(block)).encrypt(new Uint8Array(byteLength));
      block += Math.ceil(byteLength / 16);
      return bytes;
    },
  };
}

/** The counter block of a stream's `index`-th block: big-endian. */
export function counterBlock(index: number): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(16);
  new DataView(block.buffer).setBigUint64(8, BigInt(index));
  return block;
}

export const softwareCrypto: SecaggCrypto = {
  chunkBytes: 1 << 16,
  keystream: (key) => softwareKeystream(key),
  x25519PublicKey: (secret) => x25519.getPublicKey(secret),
  x25519: (secret, publicKey) => x25519.getSharedSecret(secret, publicKey),
  seal: (key, plaintext, associated) => gcm(key, nonce, associated).encrypt(plaintext),
  open(key, sealed, associated) {
    if (key.length !== 32) throw invalid('key', '32 bytes', key.length);
    try {
      return gcm(key, nonce, associated).decrypt(sealed);
    } catch {
      // The library throws for a wrong tag; that is an answer here, not a fault.
      return null;
    }
  },
  verify: verifyStrictly,
  digest: (bytes) => sha256(bytes),
  hmac: (key, bytes) => hmac(sha256, key, bytes),
  sha256: (bytes) => sha256(bytes),
};
