/**
 * SASRec: causal self-attention over the newest items. Kang and McAuley 2018, "Self-attentive sequential
 * recommendation": one head, learned positions, a point-wise network; norms stand before each layer. Rows are not scaled up,
 * as they are there, and blocks start as plain means of all earlier items: untrained, the whole history ranks by its
 * titles, and not its newest item alone, which is any of its basket.
 */
import type * as TensorFlow from '@tensorflow/tfjs';
import { addTo, affineRows, layerNormRows, rectify } from './array-layers.ts';
import type { BlockShape } from './layout.ts';
import type { BatchTensors, RowTensors, SequenceNetwork, Tf, WeightArrays, WeightTensors } from './network.ts';
import { rankingLoss } from './ranking-loss.ts';
import { affine, dropout, layerNorm } from './tensor-layers.ts';

export interface SasrecSettings {
  readonly width: number;
  readonly blocks: number;
  readonly positions: number;
}

/** The names of what one block consists of. */
function namesOf(block: number): Readonly<Record<Part, string>> {
  return Object.fromEntries(parts.map((part) => [part, `sasrec_${block}_${part}`])) as Readonly<Record<Part, string>>;
}

const parts = ['attention_scale', 'attention_shift', 'query', 'query_bias', 'key', 'key_bias', 'value', 'value_bias', 'network_scale', 'network_shift', 'hidden', 'hidden_bias', 'output', 'output_bias'] as const;
type Part = (typeof parts)[number];

export function sasrec(settings: SasrecSettings): SequenceNetwork {
  const { width, positions } = settings;
  const blocks = Array.from({ length: settings.blocks }, (_, block) => namesOf(block));
  return {
    blocks: [
      { name: 'sasrec_positions', shape: [positions, width], start: 'near-zero' },
      ...blocks.flatMap((names) => parts.map((part) => shapeOf(names[part], part, width))),
      { name: 'sasrec_scale', shape: [width], start: 'ones' },
      { name: 'sasrec_shift', shape: [width], start: 'zeros' },
    ],
    loss: (tf, rows, weights, batch) => rankingLoss(tf, sasrecStates(tf, rows, weights, batch, settings), rows, batch),
    encode(weights, inputs) {
      const length = inputs.length / width;
      let x: Float32Array = inputs.slice();
      addTo(x, weights['sasrec_positions'].subarray((positions - length) * width));
      for (const [block, names] of blocks.entries()) x = encodeBlock(weights, names, x, width, block + 1 === blocks.length);
      return layerNormRows(x, weights['sasrec_scale'], weights['sasrec_shift']);
    },
  };
}

function shapeOf(name: string, part: Part, width: number): BlockShape {
  switch (part) {
    case 'query':
    case 'key':
      return { name, shape: [width, width], start: 'near-zero' };
    case 'value':
      return { name, shape: [width, width], start: 'identity' };
    case 'hidden':
      return { name, shape: [width, width], start: 'uniform' };
    case 'output':
      return { name, shape: [width, width], start: 'zeros' };
    default:
      return { name, shape: [width], start: part.endsWith('_scale') ? 'ones' : 'zeros' };
  }
}

/** The state behind every input: size * length by width. */
export function sasrecStates(tf: Tf, rows: RowTensors, weights: WeightTensors, batch: BatchTensors, { width, blocks, positions }: SasrecSettings): TensorFlow.Tensor2D {
  const { size, length } = batch;
  const present = tf.reshape(batch.present, [size * length, 1]);
  const places = tf.slice(weights['sasrec_positions'], [positions - length, 0], [length, width]);
  const placed = tf.add(tf.reshape(rows.inputs, [size, length, width]), places);
  let x = dropout(tf, tf.mul(tf.reshape(placed, [size * length, width]), present), batch);
  const hidden = hiddenKeys(tf, batch);
  for (let block = 0; block < blocks; block += 1) {
    const names = namesOf(block);
    const normed = layerNorm(tf, x, weights[names.attention_scale], weights[names.attention_shift]);
    const [queries, keys, values] = ([['query', 'query_bias'], ['key', 'key_bias'], ['value', 'value_bias']] as const)
      .map(([matrix, bias]) => tf.reshape(affine(tf, normed, weights[names[matrix]], weights[names[bias]]), [size, length, width]));
    const scores = tf.add(tf.mul(tf.matMul(queries, keys, false, true), 1 / Math.sqrt(width)), hidden);
    const attended = tf.reshape(tf.matMul(tf.softmax(scores), values), [size * length, width]);
    x = tf.add(x, dropout(tf, attended, batch));
    const again = layerNorm(tf, x, weights[names.network_scale], weights[names.network_shift]);
    const inner = dropout(tf, tf.relu(affine(tf, again, weights[names.hidden], weights[names.hidden_bias])), batch);
    x = tf.add(x, dropout(tf, affine(tf, inner, weights[names.output], weights[names.output_bias]), batch));
  }
  return layerNorm(tf, x, weights['sasrec_scale'], weights['sasrec_shift']) as TensorFlow.Tensor2D;
}

/** Far below any score where a key is later than the query, or padding; else 0: size by length by length. */
function hiddenKeys(tf: Tf, { size, length, present }: BatchTensors): TensorFlow.Tensor {
  const later = new Float32Array(length * length);
  for (let query = 0; query < length; query += 1) later.fill(1, query * length + query + 1, (query + 1) * length);
  const padding = tf.sub(1, tf.reshape(present, [size, 1, length]));
  return tf.mul(tf.maximum(tf.tensor3d(later, [1, length, length]), padding), -1e9);
}

/** One block over all rows, or for the last row alone where nothing behind it asks for the others. */
function encodeBlock(weights: WeightArrays, names: Readonly<Record<Part, string>>, x: Float32Array, width: number, lastOnly: boolean): Float32Array {
  const normed = layerNormRows(x, weights[names.attention_scale], weights[names.attention_shift]);
  const keys = affineRows(normed, weights[names.key], weights[names.key_bias]);
  const values = affineRows(normed, weights[names.value], weights[names.value_bias]);
  const first = lastOnly ? x.length / width - 1 : 0;
  const queries = affineRows(normed.subarray(first * width), weights[names.query], weights[names.query_bias]);
  const result = x.slice(first * width);
  for (let row = 0; row < queries.length / width; row += 1) attend(queries.subarray(row * width, (row + 1) * width), keys, values, first + row + 1, result.subarray(row * width, (row + 1) * width));
  const again = layerNormRows(result, weights[names.network_scale], weights[names.network_shift]);
  const inner = rectify(affineRows(again, weights[names.hidden], weights[names.hidden_bias]));
  return addTo(result, affineRows(inner, weights[names.output], weights[names.output_bias]));
}

/** Adds to `into` the values of the first `count` rows, weighted by softmax(q k / sqrt(width)). */
function attend(query: Float32Array, keys: Float32Array, values: Float32Array, count: number, into: Float32Array): void {
  const width = query.length;
  const scores = new Float64Array(count);
  for (let row = 0; row < count; row += 1) {
    let product = 0;
    for (let k = 0; k < width; k += 1) product += query[k] * keys[row * width + k];
    scores[row] = product / Math.sqrt(width);
  }
  const largest = scores.reduce((a, b) => Math.max(a, b));
  const shares = scores.map((score) => Math.exp(score - largest));
  const sum = shares.reduce((a, b) => a + b);
  for (let row = 0; row < count; row += 1) for (let k = 0; k < width; k += 1) into[k] += (shares[row] / sum) * values[row * width + k];
}
