/**
 * Masks by the generator of secure aggregation (AES-256 in counter mode, one key and one stream an upload). Keys
 * follow from a seed so that figures can be repeated, hence they hide nothing from anybody who runs this.
 */
import { createHash } from 'node:crypto';
import type { Masker } from '../../../shared/evaluation/attacks/views.ts';
import { littleEndianWords } from '../../../shared/secagg/ring.ts';
import { softwareKeystream } from '../../../shared/secagg/software-crypto.ts';

export function aesMasker(seed: number): Masker {
  return (upload, stream) => {
    const key = createHash('sha256').update(`cesta attack masks ${seed} ${stream}`).digest();
    const words = littleEndianWords(softwareKeystream(key).read(4 * upload.length));
    for (let i = 0; i < upload.length; i += 1) upload[i] += words[i];
  };
}
