/**
 * Two towers: items are their rows, a shopper is a small network over two means of the rows so far, of all alike and of
 * the newest most. The means forget the order, which suits baskets that have none. Covington, Adams and Sargin 2016,
 * "Deep neural networks for YouTube recommendations"; Yi et al. 2019.
 */
import type * as TensorFlow from '@tensorflow/tfjs';
import { addTo, affineRows, layerNormRows, rectify } from './array-layers.ts';
import type { BatchTensors, RowTensors, SequenceNetwork, Tf, WeightTensors } from './network.ts';
import { rankingLoss } from './ranking-loss.ts';
import { affine, dropout, layerNorm } from './tensor-layers.ts';

/** After so many items an older one counts half in the second mean. */
const halfLifeItems = 10;
const decay = 2 ** (-1 / halfLifeItems);

export function twoTower(width: number): SequenceNetwork {
  return {
    blocks: [
      { name: 'two_tower_hidden', shape: [2 * width, 2 * width], start: 'uniform' },
      { name: 'two_tower_hidden_bias', shape: [2 * width], start: 'zeros' },
      { name: 'two_tower_output', shape: [2 * width, width], start: 'uniform' },
      { name: 'two_tower_output_bias', shape: [width], start: 'zeros' },
      { name: 'two_tower_norm_scale', shape: [width], start: 'ones' },
      { name: 'two_tower_norm_shift', shape: [width], start: 'zeros' },
    ],
    loss: (tf, rows, weights, batch) => rankingLoss(tf, twoTowerStates(tf, rows, weights, batch), rows, batch),
    encode(weights, inputs) {
      const [even, recent] = [1, decay].map((factor) => lastMean(inputs, width, factor));
      const means = new Float32Array(2 * width);
      means.set(even);
      means.set(recent, width);
      const hidden = rectify(affineRows(means, weights['two_tower_hidden'], weights['two_tower_hidden_bias']));
      const state = addTo(addTo(affineRows(hidden, weights['two_tower_output'], weights['two_tower_output_bias']), even), recent);
      return layerNormRows(state, weights['two_tower_norm_scale'], weights['two_tower_norm_shift']);
    },
  };
}

/** The state behind every input: size * length by width. */
export function twoTowerStates(tf: Tf, rows: RowTensors, weights: WeightTensors, batch: BatchTensors): TensorFlow.Tensor2D {
  const { size, length } = batch;
  const width = rows.inputs.shape[1];
  const inputs = tf.reshape(dropout(tf, rows.inputs, batch), [size, length, width]);
  const meanOf = (factor: number): TensorFlow.Tensor => {
    const shares = tf.mul(causalDecay(tf, length, factor), tf.reshape(batch.present, [size, 1, length]));
    const sums = tf.maximum(tf.sum(shares, -1, true), 1e-9);
    return tf.reshape(tf.matMul(tf.div(shares, sums), inputs), [size * length, width]);
  };
  const [even, recent] = [1, decay].map(meanOf);
  const hidden = dropout(tf, tf.relu(affine(tf, tf.concat([even, recent], 1), weights['two_tower_hidden'], weights['two_tower_hidden_bias'])), batch);
  const state = tf.add(tf.add(affine(tf, hidden, weights['two_tower_output'], weights['two_tower_output_bias']), even), recent);
  return layerNorm(tf, state, weights['two_tower_norm_scale'], weights['two_tower_norm_shift']) as TensorFlow.Tensor2D;
}

/** What an input counts in the mean at a place: factor^(places since), 0 for those to come. */
function causalDecay(tf: Tf, length: number, factor: number): TensorFlow.Tensor {
  const shares = new Float32Array(length * length);
  for (let place = 0; place < length; place += 1) for (let earlier = 0; earlier <= place; earlier += 1) shares[place * length + earlier] = factor ** (place - earlier);
  return tf.tensor3d(shares, [1, length, length]);
}

function lastMean(inputs: Float32Array, width: number, factor: number): Float32Array {
  const mean = new Float64Array(width);
  let sum = 0;
  for (let place = inputs.length / width - 1, share = 1; place >= 0; place -= 1, share *= factor) {
    sum += share;
    for (let k = 0; k < width; k += 1) mean[k] += share * inputs[place * width + k];
  }
  return Float32Array.from(mean, (value) => value / sum);
}
