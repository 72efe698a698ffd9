/**
 * GRU4Rec: one gated recurrent unit over the newest items. Hidasi et al. 2016, "Session-based recommendations with
 * recurrent neural networks", with the rows of items both as inputs and as outputs (Hidasi and Karatzoglou 2018).
 */
import type * as TensorFlow from '@tensorflow/tfjs';
import { affineRows, layerNormRows } from './array-layers.ts';
import type { BatchTensors, RowTensors, SequenceNetwork, Tf, WeightTensors } from './network.ts';
import { rankingLoss } from './ranking-loss.ts';
import { affine, dropout, layerNorm } from './tensor-layers.ts';

export function gru4rec(width: number): SequenceNetwork {
  return {
    blocks: [
      { name: 'gru4rec_input', shape: [width, 3 * width], start: 'uniform' },
      { name: 'gru4rec_input_bias', shape: [3 * width], start: 'zeros' },
      { name: 'gru4rec_gates', shape: [width, 2 * width], start: 'uniform' },
      { name: 'gru4rec_candidate', shape: [width, width], start: 'uniform' },
      { name: 'gru4rec_scale', shape: [width], start: 'ones' },
      { name: 'gru4rec_shift', shape: [width], start: 'zeros' },
    ],
    loss: (tf, rows, weights, batch) => rankingLoss(tf, gru4recStates(tf, rows, weights, batch), rows, batch),
    encode(weights, inputs) {
      const length = inputs.length / width;
      const scaled = inputs.map((value) => value * Math.sqrt(width));
      const projected = affineRows(scaled, weights['gru4rec_input'], weights['gru4rec_input_bias']);
      const [noGateBias, noBias] = [new Float32Array(2 * width), new Float32Array(width)];
      let state = new Float32Array(width);
      for (let place = 0; place < length; place += 1) {
        const own = projected.subarray(place * 3 * width, (place + 1) * 3 * width);
        const gates = affineRows(state, weights['gru4rec_gates'], noGateBias).map((value, k) => 1 / (1 + Math.exp(-(value + own[k]))));
        const kept = state.map((value, k) => value * gates[width + k]);
        const recalled = affineRows(kept, weights['gru4rec_candidate'], noBias);
        state = state.map((value, k) => value + gates[k] * (Math.tanh(recalled[k] + own[2 * width + k]) - value));
      }
      // What came in last stands beside what was remembered: like titles rank from the start.
      return layerNormRows(state.map((value, k) => value + scaled[(length - 1) * width + k]), weights['gru4rec_scale'], weights['gru4rec_shift']);
    },
  };
}

/** The state behind every input: size * length by width. */
export function gru4recStates(tf: Tf, rows: RowTensors, weights: WeightTensors, batch: BatchTensors): TensorFlow.Tensor2D {
  const { size, length, present } = batch;
  const width = rows.inputs.shape[1];
  const scaled = dropout(tf, tf.mul(rows.inputs, Math.sqrt(width)), batch);
  const projected = tf.reshape(affine(tf, scaled, weights['gru4rec_input'], weights['gru4rec_input_bias']), [size, length, 3 * width]);
  const steps = placesOf(tf, projected);
  const here = placesOf(tf, present);
  const states: TensorFlow.Tensor[] = [];
  let state: TensorFlow.Tensor = tf.zeros([size, width]);
  for (let place = 0; place < length; place += 1) {
    const [gateInput, candidateInput] = tf.split(steps[place], [2 * width, width], 1);
    const [update, reset] = tf.split(tf.sigmoid(tf.add(tf.matMul(state, weights['gru4rec_gates']), gateInput)), 2, 1);
    const candidate = tf.tanh(tf.add(tf.matMul(tf.mul(state, reset), weights['gru4rec_candidate']), candidateInput));
    // Padding leaves the state at zero, as if the history began later.
    state = tf.mul(tf.add(state, tf.mul(update, tf.sub(candidate, state))), here[place]);
    states.push(state);
  }
  const all = tf.add(tf.reshape(tf.stack(states, 1), [size * length, width]), scaled);
  return layerNorm(tf, dropout(tf, all, batch), weights['gru4rec_scale'], weights['gru4rec_shift']) as TensorFlow.Tensor2D;
}

/** One matrix a place. The gradient of `tf.unstack` fails for a single one. */
function placesOf(tf: Tf, x: TensorFlow.Tensor): TensorFlow.Tensor[] {
  const [size, length, width] = x.shape;
  return length === 1 ? [tf.reshape(x, [size, width])] : tf.unstack(x, 1);
}
