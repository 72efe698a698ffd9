/** Losses over states: how far above other items each state puts the item that came next. */
import type * as TensorFlow from '@tensorflow/tfjs';
import type { BatchTensors, RowTensors, Tf } from './network.ts';

/** Keeps tensors of a forward pass for its gradient. */
type Saver = (tensors: TensorFlow.Tensor[]) => void;

/** @param states size * length by width */
export function rankingLoss(tf: Tf, states: TensorFlow.Tensor2D, rows: RowTensors, batch: BatchTensors): TensorFlow.Scalar {
  const positive = tf.add(tf.sum(tf.mul(states, rows.positives), 1), rows.positiveBias);
  const losses = batch.loss === 'bce' ? binary(tf, states, positive, rows) : softmax(tf, states, positive, rows, batch);
  return tf.sum(tf.mul(losses, batch.weights));
}

/** -log sigmoid(positive) - log(1 - sigmoid(negative)), one negative for each state. */
function binary(tf: Tf, states: TensorFlow.Tensor2D, positive: TensorFlow.Tensor, { negatives, negativeBias }: RowTensors): TensorFlow.Tensor {
  const negative = tf.add(tf.sum(tf.mul(states, negatives), 1), negativeBias);
  return tf.add(softplus(tf, tf.neg(positive)), softplus(tf, negative));
}

/** log(1 + exp(x)) without overflow; its gradient is the sigmoid. */
function softplus(tf: Tf, x: TensorFlow.Tensor): TensorFlow.Tensor {
  return tf.customGrad((value, save) => {
    const input = value as TensorFlow.Tensor;
    (save as Saver)([input]);
    return {
      value: tf.add(tf.relu(input), tf.log(tf.add(1, tf.exp(tf.neg(tf.abs(input)))))),
      gradFunc: (upstream: TensorFlow.Tensor, [kept]: TensorFlow.Tensor[]) => tf.mul(upstream, tf.sigmoid(kept)),
    };
  })(x);
}

function softmax(tf: Tf, states: TensorFlow.Tensor2D, positive: TensorFlow.Tensor, { negatives, negativeBias }: RowTensors, { size, length, excluded }: BatchTensors): TensorFlow.Tensor {
  const count = negatives.shape[0];
  const products = tf.reshape(tf.add(tf.matMul(states, negatives, false, true), negativeBias), [size, length, count]);
  const scores = tf.reshape(tf.add(products, excluded), [size * length, count]);
  return crossEntropy(tf, scores, positive);
}

/** log(exp(positive) + sum exp(scores)) - positive for each row; its gradient is known, which spares that of the largest score. */
function crossEntropy(tf: Tf, scores: TensorFlow.Tensor, positive: TensorFlow.Tensor): TensorFlow.Tensor {
  return tf.customGrad((...inputs) => {
    const [others, own, save] = inputs as unknown as [TensorFlow.Tensor, TensorFlow.Tensor, Saver];
    const largest = tf.maximum(tf.max(others, 1), own);
    const sum = tf.add(tf.sum(tf.exp(tf.sub(others, tf.expandDims(largest, 1))), 1), tf.exp(tf.sub(own, largest)));
    const total = tf.add(tf.log(sum), largest);
    save([others, own, total]);
    return {
      value: tf.sub(total, own),
      gradFunc: (upstream: TensorFlow.Tensor, [keptOthers, keptOwn, keptTotal]: TensorFlow.Tensor[]) => [
        tf.mul(tf.exp(tf.sub(keptOthers, tf.expandDims(keptTotal, 1))), tf.expandDims(upstream, 1)),
        tf.mul(tf.sub(tf.exp(tf.sub(keptOwn, keptTotal)), 1), upstream),
      ],
    };
  })(scores, positive);
}
