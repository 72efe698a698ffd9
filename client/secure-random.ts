/** Randomness of the operating system, the same in Node and browsers: the only kind that privacy noise accepts. */
import { secureRandom as wrap, uniform53, type SecureRandom } from '../shared/numerics/random.ts';
import { bytesToHex } from '../shared/protocol/digest.ts';

/** What WebCrypto yields in one call; asking for more throws. */
const maxBytesPerCall = 65_536;

/** Fills any number of bytes, in calls of at most 65,536. */
export function fillSecurely(bytes: Uint8Array): void {
  for (let start = 0; start < bytes.length; start += maxBytesPerCall) {
    globalThis.crypto.getRandomValues(bytes.subarray(start, Math.min(start + maxBytesPerCall, bytes.length)) as Uint8Array<ArrayBuffer>);
  }
}

/** @example
 * const noise = drawNoise(plan, 1, systemRandom());
 */
export function systemRandom(): SecureRandom {
  return wrap(fillSecurely);
}

/** Uniform in [0, 1), for jitter: where unpredictability is not needed but the ambient generator is banned. */
export function uniformSecurely(): number {
  const words = globalThis.crypto.getRandomValues(new Uint32Array(2));
  let next = 0;
  return uniform53({ nextUint32: () => words[next++] });
}

/** 32 fresh bytes, hex: a nonce, or a secret. */
export function nonceSecurely(): string {
  const bytes = new Uint8Array(32);
  fillSecurely(bytes);
  return bytesToHex(bytes);
}
