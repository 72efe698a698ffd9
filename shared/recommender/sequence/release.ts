/** The weights of a release: from outside, so every block is checked before it is put into its place. */
import { CestaError } from '../../protocol/errors.ts';
import type { NamedTensors } from '../../protocol/tensors.ts';
import { requireRowTable } from '../quantised-rows.ts';
import { requireRange, requireTensor } from '../tensor-checks.ts';
import { architectures, type Architecture } from './hyper-parameters.ts';
import { largestWeight, type Layout } from './layout.ts';

/** @throws CestaError `release.untrusted` */
export function decodeWeights(tensors: NamedTensors, { items, width, bias, blocks, length }: Layout, architecture: Architecture): Float32Array {
  const other = architectures.find((kind) => kind !== architecture && Object.keys(tensors).some((name) => name.startsWith(prefixOf(kind))));
  if (other !== undefined) throw new CestaError('release.untrusted', `architecture: expected weights of ${architecture}, got weights of ${other}`);
  const weights = new Float32Array(length);
  const put = (name: string, from: number, data: Float32Array): void => {
    requireRange(name, data, -largestWeight, largestWeight);
    weights.set(data, from);
  };
  put('items', 0, requireRowTable(tensors, 'items', items, width));
  put('bias', bias, requireTensor(tensors, 'bias', Float32Array, items));
  for (const { name, from, length: expected } of blocks) put(name, from, requireTensor(tensors, name, Float32Array, expected));
  return weights;
}

/** What the names of an architecture's blocks begin with. */
export function prefixOf(architecture: Architecture): string {
  return `${architecture.replace('-', '_')}_`;
}
