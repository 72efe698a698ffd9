/** Ed25519 signing keys (RFC 8032). The secret is 32 bytes that the caller draws from the operating system. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, hexToBytes } from '../protocol/digest.ts';
import { CestaError } from '../protocol/errors.ts';

export interface SigningKey {
  /** 32 bytes, lower-case hex. */
  readonly publicKey: string;
  /** Signature of 64 bytes, lower-case hex. Put a domain label in front of what is signed. */
  sign(statement: Uint8Array): string;
  /** 32 secret bytes for the purpose that the label names (HKDF-SHA-256, RFC 5869): whoever learns them learns nothing about the key. */
  derive(label: string): Uint8Array;
}

/**
 * @throws CestaError `config.invalid` unless the secret has 32 bytes.
 * @example
 * const key = signingKey(crypto.getRandomValues(new Uint8Array(32)));
 * key.sign(new TextEncoder().encode('cesta/example/v1\nhello'));
 */
export function signingKey(secret: Uint8Array): SigningKey {
  if (secret.length !== 32) throw new CestaError('config.invalid', `signing key: expected 32 bytes, got ${secret.length}`);
  const seed = Uint8Array.from(secret);
  return {
    publicKey: bytesToHex(ed25519.getPublicKey(seed)),
    sign: (statement) => bytesToHex(ed25519.sign(statement, seed)),
    derive: (label) => hkdf(sha256, seed, undefined, new TextEncoder().encode(label), 32),
  };
}

/**
 * Whether a signature verifies, at once: for state machines that cannot wait. Elsewhere `verifySignature` is faster.
 * Malformed input is false.
 */
export function isSignedBy(publicKey: string, signature: string, statement: Uint8Array): boolean {
  if (!/^[0-9a-f]{64}$/.test(publicKey) || !/^[0-9a-f]{128}$/.test(signature)) return false;
  try {
    return ed25519.verify(hexToBytes(signature), statement, hexToBytes(publicKey), { zip215: false });
  } catch {
    // A point that is not on the curve is an invalid signature, not a fault of ours.
    return false;
  }
}
