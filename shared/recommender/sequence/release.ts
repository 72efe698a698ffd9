/** The weights of a release: from outside, so every block is checked before it is put into its place. */
import { CestaError } from '../../protocol/errors.ts';
import type { NamedTensors } from '../../protocol/tensors.ts';
import { requireRowTable } from '../quantised-rows.ts';
import { requireTensor } from '../tensor-checks.ts';
import { architectures, type Architecture } from './hyper-parameters.ts';
import type { Layout } from './layout.ts';

/** @throws CestaError `release.untrusted` */
export function decodeWeights(tensors: NamedTensors, { items, width, bias, blocks, length }: Layout, architecture: Architecture): Float32Array {
  const other = architectures.find((kind) => kind !== architecture && Object.keys(tensors).some((name) => name.startsWith(prefixOf(kind))));
  if (other !== undefined) throw new CestaError('release.untrusted', `architecture: expected weights of ${architecture}, got weights of ${other}`);
  const weights = new Float32Array(length);
  weights.set(requireRowTable(tensors, 'items', items, width));
  weights.set(requireTensor(tensors, 'bias', Float32Array, items), bias);
  for (const { name, from, length: expected } of blocks) weights.set(requireTensor(tensors, name, Float32Array, expected), from);
  return weights;
}

/** What the names of an architecture's blocks begin with. */
export function prefixOf(architecture: Architecture): string {
  return `${architecture.replace('-', '_')}_`;
}
