/**
 * GRU4Rec: one gated recurrent unit over the newest items. Hidasi et al. 2016, "Session-based recommendations with
 * recurrent neural networks", with the rows of items both as inputs and as outputs (Hidasi and Karatzoglou 2018). It
 * starts as a slowly fading mean of the rows, so that titles alone rank.
 */
import type * as TensorFlow from '@tensorflow/tfjs';
import { affineRows, layerNormRows } from './array-layers.ts';
import type { BatchTensors, RowTensors, SequenceNetwork, Tf, WeightTensors } from './network.ts';
import { rankingLoss } from './ranking-loss.ts';
import { affine, dropout, layerNorm } from './tensor-layers.ts';

/** Taken off the update gate, so that it starts mostly shut: untrained, the state is a mean in which an item counts half five later. */
const reluctance = 2;

export function gru4rec(width: number): SequenceNetwork {
  return {
    blocks: [
      { name: 'gru4rec_gate_input', shape: [width, 2 * width], start: 'near-zero' },
      { name: 'gru4rec_gate_bias', shape: [2 * width], start: 'zeros' },
      { name: 'gru4rec_gates', shape: [width, 2 * width], start: 'near-zero' },
      { name: 'gru4rec_candidate_input', shape: [width, width], start: 'identity' },
      { name: 'gru4rec_candidate_bias', shape: [width], start: 'zeros' },
      { name: 'gru4rec_candidate', shape: [width, width], start: 'near-zero' },
      { name: 'gru4rec_scale', shape: [width], start: 'ones' },
      { name: 'gru4rec_shift', shape: [width], start: 'zeros' },
    ],
    loss: (tf, rows, weights, batch) => rankingLoss(tf, gru4recStates(tf, rows, weights, batch), rows, batch),
    encode(weights, inputs) {
      const length = inputs.length / width;
      const gateInputs = affineRows(inputs, weights['gru4rec_gate_input'], weights['gru4rec_gate_bias']);
      const candidateInputs = affineRows(inputs, weights['gru4rec_candidate_input'], weights['gru4rec_candidate_bias']);
      const [noGateBias, noBias] = [new Float32Array(2 * width), new Float32Array(width)];
      let state = new Float32Array(width);
      for (let place = 0; place < length; place += 1) {
        const gateInput = gateInputs.subarray(place * 2 * width, (place + 1) * 2 * width);
        const candidateInput = candidateInputs.subarray(place * width, (place + 1) * width);
        const sums = affineRows(state, weights['gru4rec_gates'], noGateBias).map((value, k) => value + gateInput[k]);
        const kept = state.map((value, k) => value * sigmoid(sums[width + k]));
        const recalled = affineRows(kept, weights['gru4rec_candidate'], noBias);
        state = state.map((value, k) => value + sigmoid(sums[k] - reluctance) * (Math.tanh(recalled[k] + candidateInput[k]) - value));
      }
      return layerNormRows(state, weights['gru4rec_scale'], weights['gru4rec_shift']);
    },
  };
}

/** The state behind every input: size * length by width. */
export function gru4recStates(tf: Tf, rows: RowTensors, weights: WeightTensors, batch: BatchTensors): TensorFlow.Tensor2D {
  const { size, length, present } = batch;
  const width = rows.inputs.shape[1];
  const inputs = dropout(tf, rows.inputs, batch);
  const placesOfInputs = (matrix: string, bias: string): TensorFlow.Tensor[] => placesOf(tf, tf.reshape(affine(tf, inputs, weights[matrix], weights[bias]), [size, length, -1]));
  const gateInputs = placesOfInputs('gru4rec_gate_input', 'gru4rec_gate_bias');
  const candidateInputs = placesOfInputs('gru4rec_candidate_input', 'gru4rec_candidate_bias');
  const here = placesOf(tf, present);
  const states: TensorFlow.Tensor[] = [];
  let state: TensorFlow.Tensor = tf.zeros([size, width]);
  for (let place = 0; place < length; place += 1) {
    const [updates, resets] = tf.split(tf.add(tf.matMul(state, weights['gru4rec_gates']), gateInputs[place]), 2, 1);
    const [update, reset] = [tf.sigmoid(tf.sub(updates, reluctance)), tf.sigmoid(resets)];
    const candidate = tf.tanh(tf.add(tf.matMul(tf.mul(state, reset), weights['gru4rec_candidate']), candidateInputs[place]));
    // Padding leaves the state at zero, as if the history began later.
    state = tf.mul(tf.add(state, tf.mul(update, tf.sub(candidate, state))), here[place]);
    states.push(state);
  }
  const all = tf.reshape(tf.stack(states, 1), [size * length, width]);
  return layerNorm(tf, dropout(tf, all, batch), weights['gru4rec_scale'], weights['gru4rec_shift']) as TensorFlow.Tensor2D;
}

/** One matrix a place. The gradient of `tf.unstack` fails for a single one. */
function placesOf(tf: Tf, x: TensorFlow.Tensor): TensorFlow.Tensor[] {
  const [size, length, width] = x.shape;
  return length === 1 ? [tf.reshape(x, [size, width])] : tf.unstack(x, 1);
}

function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}
