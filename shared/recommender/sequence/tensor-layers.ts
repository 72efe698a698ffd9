/** Layers in tensors. Products are plain two-dimensional or batched ones of `tf.matMul`: the fused ones are wrong on some backends. */
import type * as TensorFlow from '@tensorflow/tfjs';
import { normEpsilon } from './array-layers.ts';
import type { BatchTensors, Tf } from './network.ts';

type Tensor = TensorFlow.Tensor;

/** x W + b over the last axis of a matrix. */
export function affine(tf: Tf, x: Tensor, weights: Tensor, bias: Tensor): Tensor {
  return tf.add(tf.matMul(x, weights), bias);
}

/** Ba, Kiros and Hinton 2016, over the last axis of a matrix. */
export function layerNorm(tf: Tf, x: Tensor, scale: Tensor, shift: Tensor): Tensor {
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const variance = tf.mean(tf.mul(centred, centred), -1, true);
  return tf.add(tf.mul(tf.div(centred, tf.sqrt(tf.add(variance, normEpsilon))), scale), shift);
}

export function dropout(tf: Tf, x: Tensor, batch: BatchTensors): Tensor {
  return batch.dropout === null ? x : tf.mul(x, batch.dropout(x.shape));
}
