/**
 * Ed25519 (RFC 8032) verification, the same in Node and browsers: WebCrypto where it knows Ed25519, else
 * @noble/curves, loaded only then. Security: verification follows the platform; signatures are over the bytes
 * given, so callers put a domain label in front.
 */
import { hexToBytes } from '../protocol/digest.ts';

async function verifyInSoftware(publicKey: Uint8Array, signature: Uint8Array, statement: Uint8Array): Promise<boolean> {
  const { ed25519 } = await import('@noble/curves/ed25519.js');
  try {
    return ed25519.verify(signature, statement, publicKey);
  } catch {
    // A point that is not on the curve is an invalid signature, not a fault of ours.
    return false;
  }
}

/** Whether `signature` (64 bytes, hex) over `statement` verifies under `publicKey` (32 bytes, hex). Malformed input is false. */
export async function verifySignature(publicKey: string, signature: string, statement: Uint8Array): Promise<boolean> {
  if (!/^[0-9a-f]{64}$/.test(publicKey) || !/^[0-9a-f]{128}$/.test(signature)) return false;
  const keyBytes = Uint8Array.from(hexToBytes(publicKey));
  const signatureBytes = Uint8Array.from(hexToBytes(signature));
  const subtle = (globalThis as { crypto?: Crypto }).crypto?.subtle;
  if (subtle === undefined) return verifyInSoftware(keyBytes, signatureBytes, statement);
  try {
    const key = await subtle.importKey('raw', keyBytes, 'Ed25519', false, ['verify']);
    return await subtle.verify('Ed25519', key, signatureBytes, Uint8Array.from(statement));
  } catch {
    // The platform knows no Ed25519, or refuses the key; the software check decides.
    return verifyInSoftware(keyBytes, signatureBytes, statement);
  }
}
