/**
 * The primitives through Node's own library, which answers at once: several times quicker for short inputs than
 * WebCrypto in the same process. The module is handed in, so that code a browser loads never names it.
 */
import { encodeBase64 } from '../ledger/base64.ts';
import type { SecaggCrypto } from './crypto.ts';
import { counterBlock } from './software-crypto.ts';
import { hasSmallOrder } from './strict-ed25519.ts';

interface Cipher {
  update(bytes: Uint8Array): Uint8Array;
  final(): Uint8Array;
  setAAD(bytes: Uint8Array): unknown;
}

/** What is used of `node:crypto`. */
export interface NodeCryptoLibrary {
  createCipheriv(algorithm: 'aes-256-gcm', key: Uint8Array, iv: Uint8Array): Cipher & { getAuthTag(): Uint8Array };
  createCipheriv(algorithm: string, key: Uint8Array, iv: Uint8Array): Pick<Cipher, 'update'>;
  createDecipheriv(algorithm: 'aes-256-gcm', key: Uint8Array, iv: Uint8Array): Cipher & { setAuthTag(tag: Uint8Array): unknown };
  createHash(algorithm: string): { update(bytes: Uint8Array): { digest(): Uint8Array } };
  createHmac(algorithm: string, key: Uint8Array): { update(bytes: Uint8Array): { digest(): Uint8Array } };
  createPrivateKey(input: { key: Record<string, string>; format: 'jwk' }): object;
  createPublicKey(input: { key: Record<string, string>; format: 'jwk' }): object;
  diffieHellman(keys: { privateKey: never; publicKey: never }): Uint8Array;
  verify(algorithm: null, data: Uint8Array, key: never, signature: Uint8Array): boolean;
}

const nonce = new Uint8Array(12);
const tagBytes = 16;

/** Pieces of this size stay in the processor's cache between encrypting and adding. */
const chunkBytes = 1 << 16;
const zeros = new Uint8Array(chunkBytes);

/** The point 9 (RFC 7748): X25519 with it is the public key. */
const basePoint = new Uint8Array(32);
basePoint[0] = 9;

/**
 * @example
 * const crypto = nodeCrypto(await import('node:crypto'));
 */
export function nodeCrypto(library: NodeCryptoLibrary): SecaggCrypto {
  // A member agrees with every neighbour by the same two secrets: making a key of one takes as long as using it.
  const privateKeys = new WeakMap<Uint8Array, object>();
  const privateKeyOf = (secret: Uint8Array): never => {
    // The library takes the public half of a private key on trust, and does not use it here.
    const key = privateKeys.get(secret) ?? library.createPrivateKey({ key: { kty: 'OKP', crv: 'X25519', d: base64Url(secret), x: base64Url(basePoint) }, format: 'jwk' });
    privateKeys.set(secret, key);
    return key as never;
  };
  const sha256 = (bytes: Uint8Array): Uint8Array => view(library.createHash('sha256').update(bytes).digest());
  const x25519 = (secret: Uint8Array, publicKey: Uint8Array): Uint8Array =>
    view(library.diffieHellman({ privateKey: privateKeyOf(secret), publicKey: publicKeyOf(library, 'X25519', publicKey) }));
  return {
    chunkBytes,
    keystream(key) {
      // One cipher is one stream: it goes on where it stopped.
      const cipher = library.createCipheriv('aes-256-ctr', key, counterBlock(0));
      return { read: (byteLength) => view(cipher.update(byteLength <= zeros.length ? zeros.subarray(0, byteLength) : new Uint8Array(byteLength))) };
    },
    x25519PublicKey: (secret) => x25519(secret, basePoint),
    x25519,
    seal(key, plaintext, associated) {
      const cipher = library.createCipheriv('aes-256-gcm', key, nonce);
      cipher.setAAD(associated);
      const sealed = new Uint8Array(plaintext.length + tagBytes);
      sealed.set(cipher.update(plaintext));
      cipher.final();
      sealed.set(cipher.getAuthTag(), plaintext.length);
      return sealed;
    },
    open(key, sealed, associated) {
      if (sealed.length < tagBytes) return null;
      const decipher = library.createDecipheriv('aes-256-gcm', key, nonce);
      decipher.setAAD(associated);
      decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
      const plaintext = Uint8Array.from(decipher.update(sealed.subarray(0, sealed.length - tagBytes)));
      try {
        decipher.final();
        return plaintext;
      } catch {
        // The library throws for a wrong tag; that is an answer here, not a fault.
        return null;
      }
    },
    verify(publicKey, signature, statement) {
      if (publicKey.length !== 32 || signature.length !== 64 || hasSmallOrder(publicKey, signature)) return false;
      try {
        return library.verify(null, statement, publicKeyOf(library, 'Ed25519', publicKey), signature);
      } catch {
        // Not a point.
        return false;
      }
    },
    digest: sha256,
    hmac: (key, bytes) => view(library.createHmac('sha256', key).update(bytes).digest()),
    sha256,
  };
}

function publicKeyOf(library: NodeCryptoLibrary, curve: 'X25519' | 'Ed25519', bytes: Uint8Array): never {
  return library.createPublicKey({ key: { kty: 'OKP', crv: curve, x: base64Url(bytes) }, format: 'jwk' }) as never;
}

function base64Url(bytes: Uint8Array): string {
  return encodeBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** A plain array over the same bytes: `slice` of the library's own kind does not copy. */
function view(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
