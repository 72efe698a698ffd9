/** Where the weights of a sequence model lie in its one flat vector: rows of items, their biases, then dense blocks by name. */
import { seededRandom } from '../../numerics/random.ts';

/** A dense block: part of every gradient, whatever items a batch touches. */
export interface BlockShape {
  readonly name: string;
  readonly shape: readonly number[];
  /** `uniform`: within sqrt(6 / (sum of the sides)), Glorot and Bengio 2010; `near-zero`: within 0.02; `identity`: a square one. */
  readonly start: 'zeros' | 'ones' | 'uniform' | 'near-zero' | 'identity';
}

export interface Block extends BlockShape {
  readonly from: number;
  readonly length: number;
}

export interface Layout {
  readonly items: number;
  readonly width: number;
  /** Where the biases of items start; their rows start at 0. */
  readonly bias: number;
  /** Where the dense blocks start. */
  readonly dense: number;
  readonly blocks: readonly Block[];
  readonly length: number;
}

export function layOut(items: number, width: number, shapes: readonly BlockShape[]): Layout {
  const dense = items * (width + 1);
  let from = dense;
  const blocks = shapes.map((shape): Block => {
    const length = shape.shape.reduce((product, side) => product * side, 1);
    const block = { ...shape, from, length };
    from += length;
    return block;
  });
  return { items, width, bias: items * width, dense, blocks, length: from };
}

/** No weight is larger: then no state and no score overflows single precision, whatever a release holds. */
export const largestWeight = 1e6;

/** Weights before any training: the rows given, everything else from a fixed stream of the block's name. */
export function startWeights(layout: Layout, rows: Float32Array): Float32Array {
  const weights = new Float32Array(layout.length);
  weights.set(rows);
  for (const { name, shape, start, from, length } of layout.blocks) {
    const block = weights.subarray(from, from + length);
    if (start === 'ones') block.fill(1);
    if (start === 'identity') for (let k = 0; k < shape[0]; k += 1) block[k * shape[0] + k] = 1;
    if (start !== 'uniform' && start !== 'near-zero') continue;
    const spread = start === 'near-zero' ? 0.02 : Math.sqrt(6 / shape.reduce((sum, side) => sum + side, 0));
    const random = seededRandom(0, `sequence ${name}`);
    for (let at = 0; at < length; at += 1) block[at] = (2 * random.nextFloat() - 1) * spread;
  }
  return weights;
}

/** Views of the dense blocks. */
export function denseBlocks({ blocks }: Layout, weights: Float32Array): Readonly<Record<string, Float32Array>> {
  return Object.fromEntries(blocks.map(({ name, from, length }) => [name, weights.subarray(from, from + length)]));
}
