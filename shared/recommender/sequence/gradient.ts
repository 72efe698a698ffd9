/**
 * The gradient of a batch: rows are gathered and scattered in typed arrays, tensors live in between only. So no backend
 * needs to scatter, and nothing outside ever sees a tensor.
 */
import type { RandomWords } from '../../numerics/random.ts';
import type * as TensorFlow from '@tensorflow/tfjs';
import type { Batch } from './batch.ts';
import type { Layout } from './layout.ts';
import type { BatchTensors, RowTensors, SequenceNetwork, Tf, WeightTensors } from './network.ts';

/** A gradient that knows which rows of items are in it; entries of others are zero. */
export interface Gradient {
  /** In the layout of the weights. */
  readonly values: Float32Array;
  /** Items whose rows and biases a batch touched. */
  readonly touched: Set<number>;
}

export function emptyGradient({ length }: Layout): Gradient {
  return { values: new Float32Array(length), touched: new Set() };
}

/** Zeros again, in time proportional to what was touched. */
export function clearGradient({ values, touched }: Gradient, { width, bias, dense }: Layout): void {
  for (const item of touched) {
    values.fill(0, item * width, (item + 1) * width);
    values[bias + item] = 0;
  }
  values.fill(0, dense);
  touched.clear();
}

export interface Differentiable {
  readonly tf: Tf;
  readonly network: SequenceNetwork;
  readonly layout: Layout;
  readonly loss: 'softmax' | 'bce';
}

/** How many of a batch's activations a step drops, and by which draws. */
export interface Dropping {
  readonly rate: number;
  readonly random: RandomWords;
}

/** Adds the gradient of the mean loss of a batch to `into`, and gives the loss. */
export function addGradient({ tf, network, layout, loss }: Differentiable, weights: Float32Array, batch: Batch, dropping: Dropping | null, into: Gradient): number {
  const { width, blocks } = layout;
  const places = [batch.inputs, batch.targets, batch.negatives];
  let read: Float32Array[] = [];
  // Not as the value of `tidy`, which would look for tensors in every element.
  tf.tidy(() => {
    const [inputs, positives, negatives] = places.map((items) => tf.tensor2d(gatherRows(weights, items, width), [items.length, width]));
    const [positiveBias, negativeBias] = [batch.targets, batch.negatives].map((items) => tf.tensor1d(gatherBias(weights, items, layout)));
    const dense = blocks.map(({ from, length, shape }) => tf.tensor(weights.slice(from, from + length), [...shape]));
    const fixed = fixedTensors(tf, batch, loss, dropping);
    const lossOf = (...variables: TensorFlow.Tensor[]): TensorFlow.Scalar => {
      const rows = Object.fromEntries(rowNames.map((name, at) => [name, variables[at]])) as unknown as RowTensors;
      const named: WeightTensors = Object.fromEntries(blocks.map(({ name }, at) => [name, variables[rowNames.length + at]]));
      return network.loss(tf, rows, named, fixed);
    };
    const { value: mean, grads } = tf.valueAndGrads(lossOf)([inputs, positives, positiveBias, negatives, negativeBias, ...dense]);
    read = [mean, ...grads].map((tensor) => tensor.dataSync() as Float32Array);
  });
  const [value, ...gradients] = read;
  const [ofInputs, ofPositives, ofPositiveBias, ofNegatives, ofNegativeBias] = gradients;
  scatterRows(into, batch.inputs, ofInputs, width);
  scatterRows(into, batch.targets, ofPositives, width);
  scatterRows(into, batch.negatives, ofNegatives, width);
  scatterBias(into, batch.targets, ofPositiveBias, layout);
  scatterBias(into, batch.negatives, ofNegativeBias, layout);
  blocks.forEach(({ from }, at) => addAt(into.values, from, gradients[rowNames.length + at]));
  return value[0];
}

const rowNames = ['inputs', 'positives', 'positiveBias', 'negatives', 'negativeBias'] as const satisfies readonly (keyof RowTensors)[];

function fixedTensors(tf: Tf, { size, length, inputs, excluded, weights }: Batch, loss: 'softmax' | 'bce', dropping: Dropping | null): BatchTensors {
  return {
    size,
    length,
    loss,
    present: tf.tensor3d(Float32Array.from(inputs, (item) => (item < 0 ? 0 : 1)), [size, length, 1]),
    weights: tf.tensor1d(weights),
    excluded: tf.tensor3d(excluded, [size, 1, excluded.length / size]),
    dropout: dropping === null ? null : (shape) => tf.tensor(dropMask(shape.reduce((product, side) => product * side, 1), dropping), [...shape]),
  };
}

function dropMask(length: number, { rate, random }: Dropping): Float32Array {
  const threshold = rate * 65_536;
  const kept = 1 / (1 - rate);
  const mask = new Float32Array(length);
  // Two draws a word: sixteen bits are fine enough for a share.
  for (let at = 0; at < length; at += 2) {
    const word = random.nextUint32();
    mask[at] = (word & 0xffff) < threshold ? 0 : kept;
    if (at + 1 < length) mask[at + 1] = word >>> 16 < threshold ? 0 : kept;
  }
  return mask;
}

/** Rows of items one after the other, zeros for -1. */
export function gatherRows(weights: Float32Array, items: Int32Array, width: number): Float32Array {
  const rows = new Float32Array(items.length * width);
  for (let place = 0; place < items.length; place += 1) {
    const start = items[place] * width;
    if (start >= 0) rows.set(weights.subarray(start, start + width), place * width);
  }
  return rows;
}

function gatherBias(weights: Float32Array, items: Int32Array, { bias }: Layout): Float32Array {
  return Float32Array.from(items, (item) => (item < 0 ? 0 : weights[bias + item]));
}

function scatterRows({ values, touched }: Gradient, items: Int32Array, rows: Float32Array, width: number): void {
  for (let place = 0; place < items.length; place += 1) {
    const item = items[place];
    if (item < 0) continue;
    touched.add(item);
    for (let k = 0, at = item * width, from = place * width; k < width; k += 1) values[at + k] += rows[from + k];
  }
}

function scatterBias({ values }: Gradient, items: Int32Array, biases: Float32Array, { bias }: Layout): void {
  for (let place = 0; place < items.length; place += 1) if (items[place] >= 0) values[bias + items[place]] += biases[place];
}

function addAt(values: Float32Array, from: number, block: Float32Array): void {
  for (let at = 0; at < block.length; at += 1) values[from + at] += block[at];
}
