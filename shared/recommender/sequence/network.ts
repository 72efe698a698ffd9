/**
 * What a sequence model is made of: dense blocks, a loss in tensors, and the same forward pass in typed arrays for
 * serving. Whoever adds an architecture writes these; batches, gradients of rows and steps are the trainer's.
 */
import type * as TensorFlow from '@tensorflow/tfjs';
import type { BlockShape } from './layout.ts';

export type Tf = typeof TensorFlow;
type Tensor1D = TensorFlow.Tensor1D;
type Tensor2D = TensorFlow.Tensor2D;
type Tensor3D = TensorFlow.Tensor3D;

/** Rows of items, gathered: one for every place they are used in, so that no gradient has to be scattered by a tensor operation. */
export interface RowTensors {
  /** size * length by width; rows of padding are zero. */
  readonly inputs: Tensor2D;
  /** The item to be found after each input. */
  readonly positives: Tensor2D;
  readonly positiveBias: Tensor1D;
  /** Items to be told apart from it: count by width for the whole batch, or one for each input where the loss is `bce`. */
  readonly negatives: Tensor2D;
  readonly negativeBias: Tensor1D;
}

/** Windows of histories, filled up on the left: the newest input is the last. */
export interface BatchTensors {
  readonly size: number;
  readonly length: number;
  /** 1 where there is an input, 0 for padding: size by length by 1. */
  readonly present: Tensor3D;
  /** What each place counts in the loss: sums to 1; size * length. */
  readonly weights: Tensor1D;
  /** Added to the scores of negatives; `softmax`: size by 1 by count, far below zero for items that the shopper has. */
  readonly excluded: Tensor3D;
  readonly loss: 'softmax' | 'bce';
  /** Makes tensors of `shape` of zeros and 1 / (1 - rate); null where nothing is dropped. */
  readonly dropout: ((shape: readonly number[]) => TensorFlow.Tensor) | null;
}

export type WeightTensors = Readonly<Record<string, TensorFlow.Tensor>>;
export type WeightArrays = Readonly<Record<string, Float32Array>>;

/** The mean loss of a batch. */
export type SequenceLoss = (tf: Tf, rows: RowTensors, weights: WeightTensors, batch: BatchTensors) => TensorFlow.Scalar;

export interface SequenceNetwork {
  readonly blocks: readonly BlockShape[];
  readonly loss: SequenceLoss;
  /**
   * The state behind the last input.
   * @param inputs rows of a history's newest items, length by width, at least one
   */
  encode(weights: WeightArrays, inputs: Float32Array): Float32Array;
}
