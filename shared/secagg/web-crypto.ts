/**
 * The primitives through WebCrypto, the same in browsers and Node. Where a platform lacks a curve, that function
 * alone falls back to software. Security: as constant-time as the platform.
 */
import type { Keystream, SecaggCrypto } from './crypto.ts';
import { counterBlock, softwareCrypto } from './software-crypto.ts';
import { hasSmallOrder } from './strict-ed25519.ts';

const nonce = new Uint8Array(12);

/** PKCS#8 prefix of an X25519 secret (RFC 8410): WebCrypto takes raw bytes for public keys only. */
const pkcs8Prefix = Uint8Array.of(0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20);

/** The point 9 (RFC 7748): X25519 with it is the public key. */
const basePoint = new Uint8Array(32);
basePoint[0] = 9;

/** Encrypting about 400 kB at once costs half of what pieces of 64 kB cost. */
const chunkBytes = 1 << 19;
const zeros = new Uint8Array(chunkBytes);

/** The platform's primitives, or those in software where it has no WebCrypto (a page that is not a secure context). */
export function platformCrypto(): SecaggCrypto {
  const subtle = (globalThis as { crypto?: Crypto }).crypto?.subtle;
  return subtle === undefined ? softwareCrypto : webCrypto(subtle);
}

export function webCrypto(subtle: SubtleCrypto): SecaggCrypto {
  const gcmKey = (key: Uint8Array): Promise<CryptoKey> => subtle.importKey('raw', key.slice(), 'AES-GCM', false, ['encrypt', 'decrypt']);
  return {
    chunkBytes,
    keystream: (key) => webKeystream(subtle, key),
    x25519PublicKey: (secret) => webX25519(subtle, secret, basePoint),
    x25519: (secret, publicKey) => webX25519(subtle, secret, publicKey),
    async seal(key, plaintext, associated) {
      return new Uint8Array(await subtle.encrypt({ name: 'AES-GCM', iv: nonce, additionalData: associated.slice() }, await gcmKey(key), plaintext.slice()));
    },
    async open(key, sealed, associated) {
      const imported = await gcmKey(key);
      try {
        return new Uint8Array(await subtle.decrypt({ name: 'AES-GCM', iv: nonce, additionalData: associated.slice() }, imported, sealed.slice()));
      } catch {
        // WebCrypto rejects for a wrong tag; that is an answer here, not a fault.
        return null;
      }
    },
    async verify(publicKey, signature, statement) {
      if (hasSmallOrder(publicKey, signature)) return false;
      try {
        const key = await subtle.importKey('raw', publicKey.slice(), 'Ed25519', false, ['verify']);
        return await subtle.verify('Ed25519', key, signature.slice(), statement.slice());
      } catch {
        // The platform knows no Ed25519, or refuses the key; the software check decides.
        return softwareCrypto.verify(publicKey, signature, statement);
      }
    },
    // A promise for each of thousands of short inputs would cost more than the work.
    digest: (bytes) => softwareCrypto.digest(bytes),
    hmac: (key, bytes) => softwareCrypto.hmac(key, bytes),
    sha256: async (bytes) => new Uint8Array(await subtle.digest('SHA-256', bytes.slice())),
  };
}

function webKeystream(subtle: SubtleCrypto, key: Uint8Array): Keystream {
  const imported = subtle.importKey('raw', key.slice(), 'AES-CTR', false, ['encrypt']);
  let block = 0;
  return {
    async read(byteLength) {
      const counter = counterBlock(block);
      block += Math.ceil(byteLength / 16);
      const input = byteLength <= zeros.length ? zeros.subarray(0, byteLength) : new Uint8Array(byteLength);
      return new Uint8Array(await subtle.encrypt({ name: 'AES-CTR', counter, length: 64 }, await imported, input));
    },
  };
}

async function webX25519(subtle: SubtleCrypto, secret: Uint8Array, publicKey: Uint8Array): Promise<Uint8Array> {
  try {
    const encoded = new Uint8Array(48);
    encoded.set(pkcs8Prefix);
    encoded.set(secret, 16);
    const privateKey = await subtle.importKey('pkcs8', encoded, 'X25519', false, ['deriveBits']);
    const other = await subtle.importKey('raw', publicKey.slice(), 'X25519', false, []);
    return new Uint8Array(await subtle.deriveBits({ name: 'X25519', public: other }, privateKey, 256));
  } catch {
    // No X25519 on this platform, or a point of low order: the software says which.
    return softwareCrypto.x25519(secret, publicKey);
  }
}
