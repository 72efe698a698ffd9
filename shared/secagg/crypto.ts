/**
 * The primitives a session needs, as a seam: a browser hands in WebCrypto, Node its own library, and the software
 * version works everywhere. All give the same bytes, so the sides of one session may differ.
 */

export type Awaitable<T> = T | Promise<T>;

/** AES-256 in counter mode over zeros, the counter block starting at 0 (NIST SP 800-38A). One stream, read in pieces. */
export interface Keystream {
  /** The next `byteLength` bytes; all but the last read are whole blocks of 16. */
  read(byteLength: number): Awaitable<Uint8Array>;
}

export interface SecaggCrypto {
  /** Bytes worth reading from a keystream at once: what the platform is quickest at. A multiple of 16. */
  readonly chunkBytes: number;
  keystream(key: Uint8Array): Keystream;
  /** The X25519 public key of 32 secret bytes (RFC 7748). */
  x25519PublicKey(secret: Uint8Array): Awaitable<Uint8Array>;
  /** Raw X25519. May throw, or return zeros, for a point of low order; callers go through `diffieHellman`. */
  x25519(secret: Uint8Array, publicKey: Uint8Array): Awaitable<Uint8Array>;
  /** AES-256-GCM with the nonce 0: every key seals one message only. The tag of 16 bytes stands behind the text. */
  seal(key: Uint8Array, plaintext: Uint8Array, associated: Uint8Array): Awaitable<Uint8Array>;
  /** The plaintext, or null where the tag does not verify. */
  open(key: Uint8Array, sealed: Uint8Array, associated: Uint8Array): Awaitable<Uint8Array | null>;
  /** Ed25519 (RFC 8032) by the strict rule of strict-ed25519.ts. False for anything malformed. */
  verify(publicKey: Uint8Array, signature: Uint8Array, statement: Uint8Array): Awaitable<boolean>;
  /** SHA-256 and HMAC-SHA-256 of short inputs, at once. */
  digest(bytes: Uint8Array): Uint8Array;
  hmac(key: Uint8Array, bytes: Uint8Array): Uint8Array;
  /** SHA-256 of long inputs. */
  sha256(bytes: Uint8Array): Awaitable<Uint8Array>;
}

/** X25519, or null where the result is all zero: the other side's point has low order and fixes the secret. */
export async function diffieHellman(crypto: SecaggCrypto, secret: Uint8Array, publicKey: Uint8Array): Promise<Uint8Array | null> {
  let shared: Uint8Array;
  try {
    shared = await crypto.x25519(secret, publicKey);
  } catch {
    // Platforms differ in whether they throw or return zeros for such a point; both end here.
    return null;
  }
  return shared.every((byte) => byte === 0) ? null : shared;
}
