/**
 * One answer to "is this signature valid". RFC 8032 leaves it open for points with a part of small order, and libraries
 * differ there: a participant could sign so that the aggregator takes it in and everybody else leaves the round. The
 * rule here is WebCrypto's: no cofactor, no point of small order, one encoding of everything.
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '../protocol/digest.ts';
import { concatenated } from './bytes.ts';

/** Encodings, without the sign, of the points of order 1, 2, 4 and 8, reduced or not. */
const smallOrder = new Set([
  `00${'00'.repeat(31)}`, `01${'00'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ec${'ff'.repeat(30)}7f`, `ed${'ff'.repeat(30)}7f`, `ee${'ff'.repeat(30)}7f`,
]);

/** Whether the public key, or the point of the signature, has small order: platforms do not all look. */
export function hasSmallOrder(publicKey: Uint8Array, signature: Uint8Array): boolean {
  return [publicKey, signature.subarray(0, 32)].some((point) => smallOrder.has(bytesToHex(point.map((byte, i) => (i === 31 ? byte & 127 : byte)))));
}

/** False for anything malformed. */
export function verifyStrictly(publicKey: Uint8Array, signature: Uint8Array, statement: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64 || hasSmallOrder(publicKey, signature)) return false;
  const { Point } = ed25519;
  const first = signature.slice(0, 32);
  const s = littleEndian(signature.slice(32));
  if (s >= Point.Fn.ORDER) return false;
  try {
    const key = Point.fromBytes(publicKey, false);
    const challenge = littleEndian(sha512(concatenated([first, publicKey, statement]))) % Point.Fn.ORDER;
    const expected = Point.BASE.multiplyUnsafe(s).subtract(key.multiplyUnsafe(challenge));
    return bytesToHex(expected.toBytes()) === bytesToHex(first);
  } catch {
    // The key is not a point.
    return false;
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${bytesToHex(bytes.slice().reverse())}`);
}
