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
  const parts = [
    { name: 'items', from: 0, data: requireRowTable(tensors, 'items', items, width) },
    { name: 'bias', from: bias, data: requireTensor(tensors, 'bias', Float32Array, items) },
    ...blocks.map(({ name, from, length: expected }) => ({ name, from, data: requireTensor(tensors, name, Float32Array, expected) })),
  ];
  for (const { name, from, data } of parts) {
    requireRange(name, data, -largestWeight, largestWeight);
    weights.set(data, from);
  }
  return weights;
}

/** What the names of an architecture's blocks begin with. */
export function prefixOf(architecture: Architecture): string {
  return `${architecture.replace('-', '_')}_`;
}
