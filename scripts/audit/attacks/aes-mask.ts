/**
 * Masks as secure aggregation makes them: AES-256 in counter mode, little-endian words, one stream an upload. The key
 * follows from a seed so that figures can be repeated, hence it hides nothing from anybody who runs this.
 */
import { createCipheriv, createHash } from 'node:crypto';
import type { Masker } from '../../../shared/evaluation/attacks/views.ts';

export function aesMasker(seed: number): Masker {
  const key = createHash('sha256').update(`cesta attack masks ${seed}`).digest();
  return (upload, stream) => {
    // The upper half of the counter block tells streams apart; the lower half counts blocks.
    const counter = Buffer.alloc(16);
    counter.writeBigUInt64BE(BigInt(stream));
    const bytes = createCipheriv('aes-256-ctr', key, counter).update(new Uint8Array(4 * upload.length));
    for (let i = 0; i < upload.length; i += 1) upload[i] += bytes.readInt32LE(4 * i);
  };
}
