/** The tensor operations that models use, each with its gradient by every input: one line adds one. */
import type * as TensorFlow from '@tensorflow/tfjs';
import { seededRandom } from '../../shared/numerics/random.ts';

export type Tf = typeof TensorFlow;
type T = TensorFlow.Tensor;

export interface Operation {
  readonly name: string;
  /** Of the float inputs. */
  readonly shapes: readonly (readonly number[])[];
  readonly run: (tf: Tf, ...inputs: T[]) => T;
  /** Inputs above zero. */
  readonly isPositive?: boolean;
}

const ids = (tf: Tf): TensorFlow.Tensor1D => tf.tensor1d([4, 0, 4, 2], 'int32');
const mask = (tf: Tf): T => tf.tensor2d([1, 0, 0, 1, 1, 0, 1, 1, 1], [3, 3], 'bool');

export const operations: readonly Operation[] = [
  { name: 'matMul', shapes: [[7, 5], [5, 9]], run: (tf, a, b) => tf.matMul(a, b) },
  { name: 'matMul, second transposed', shapes: [[7, 5], [9, 5]], run: (tf, a, b) => tf.matMul(a, b, false, true) },
  { name: 'matMul, first transposed', shapes: [[5, 7], [5, 9]], run: (tf, a, b) => tf.matMul(a, b, true) },
  { name: 'matMul, both transposed', shapes: [[5, 7], [9, 5]], run: (tf, a, b) => tf.matMul(a, b, true, true) },
  { name: 'matMul of batches', shapes: [[3, 7, 5], [3, 5, 9]], run: (tf, a, b) => tf.matMul(a, b) },
  { name: 'matMul of batches, second transposed', shapes: [[3, 7, 5], [3, 9, 5]], run: (tf, a, b) => tf.matMul(a, b, false, true) },
  { name: 'matMul of batches, first transposed', shapes: [[3, 5, 7], [3, 5, 9]], run: (tf, a, b) => tf.matMul(a, b, true) },
  { name: 'matMul of batches of batches', shapes: [[2, 3, 4, 5], [2, 3, 5, 6]], run: (tf, a, b) => tf.matMul(a, b) },
  { name: 'matMul as large as a batch of training', shapes: [[300, 33], [33, 140]], run: (tf, a, b) => tf.matMul(a, b) },
  { name: 'gather', shapes: [[6, 5]], run: (tf, x) => tf.gather(x as TensorFlow.Tensor2D, ids(tf)) },
  { name: 'unsortedSegmentSum', shapes: [[4, 3, 2]], run: (tf, x) => tf.unsortedSegmentSum(x, ids(tf), 6) },
  { name: 'softmax', shapes: [[3, 4, 5]], run: (tf, x) => tf.softmax(x) },
  { name: 'logSoftmax', shapes: [[4, 5]], run: (tf, x) => tf.logSoftmax(x) },
  { name: 'mean over the last axis', shapes: [[4, 5]], run: (tf, x) => tf.mean(x, -1, true) },
  { name: 'sum', shapes: [[4, 5]], run: (tf, x) => tf.sum(x) },
  { name: 'sum over an axis', shapes: [[4, 5]], run: (tf, x) => tf.sum(x, 1) },
  { name: 'max over an axis', shapes: [[4, 5]], run: (tf, x) => tf.max(x, 1) },
  { name: 'maximum', shapes: [[4, 5], [4, 5]], run: (tf, x, y) => tf.maximum(x, y) },
  { name: 'add, broadcast', shapes: [[4, 5], [5]], run: (tf, x, y) => tf.add(x, y) },
  { name: 'sub, broadcast', shapes: [[4, 5], [4, 1]], run: (tf, x, y) => tf.sub(x, y) },
  { name: 'mul, broadcast', shapes: [[4, 5], [5]], run: (tf, x, y) => tf.mul(x, y) },
  { name: 'div, broadcast', shapes: [[4, 5], [4, 1]], run: (tf, x, y) => tf.div(x, y), isPositive: true },
  { name: 'neg', shapes: [[4, 5]], run: (tf, x) => tf.neg(x) },
  { name: 'abs', shapes: [[4, 5]], run: (tf, x) => tf.abs(x) },
  { name: 'square', shapes: [[4, 5]], run: (tf, x) => tf.square(x) },
  { name: 'sqrt', shapes: [[4, 5]], run: (tf, x) => tf.sqrt(x), isPositive: true },
  { name: 'rsqrt', shapes: [[4, 5]], run: (tf, x) => tf.rsqrt(x), isPositive: true },
  { name: 'exp', shapes: [[4, 5]], run: (tf, x) => tf.exp(x) },
  { name: 'log', shapes: [[4, 5]], run: (tf, x) => tf.log(x), isPositive: true },
  { name: 'relu', shapes: [[4, 5]], run: (tf, x) => tf.relu(x) },
  { name: 'sigmoid', shapes: [[4, 5]], run: (tf, x) => tf.sigmoid(x) },
  { name: 'tanh', shapes: [[4, 5]], run: (tf, x) => tf.tanh(x) },
  { name: 'concat', shapes: [[4, 2], [4, 3]], run: (tf, x, y) => tf.concat([x, y], 1) },
  { name: 'slice', shapes: [[4, 5, 3]], run: (tf, x) => tf.slice(x, [1, 0, 1], [2, 5, 2]) },
  { name: 'split', shapes: [[4, 6]], run: (tf, x) => tf.add(...(tf.split(x, 2, 1) as [T, T])) },
  { name: 'stack and unstack', shapes: [[4, 3], [4, 3]], run: (tf, x, y) => tf.stack([...tf.unstack(x, 1), ...tf.unstack(y, 1)], 1) },
  { name: 'reshape and transpose', shapes: [[4, 6]], run: (tf, x) => tf.transpose(tf.reshape(x, [4, 2, 3]), [1, 0, 2]) },
  { name: 'expandDims and squeeze', shapes: [[4, 1, 3]], run: (tf, x) => tf.squeeze(tf.expandDims(x, 0), [2]) },
  { name: 'where', shapes: [[3, 3], [3, 3]], run: (tf, x, y) => tf.where(mask(tf), x, y) },
  { name: 'oneHot, as a factor', shapes: [[6, 5]], run: (tf, x) => tf.matMul(tf.cast(tf.oneHot(ids(tf), 6), 'float32'), x) },
  { name: 'comparison, as a mask', shapes: [[4, 5]], run: (tf, x) => tf.mul(x, tf.cast(tf.greaterEqual(x, tf.zerosLike(x)), 'float32')) },
  {
    name: 'layer norm',
    shapes: [[6, 8], [8], [8]],
    run(tf, x, scale, shift) {
      const centred = tf.sub(x, tf.mean(x, -1, true));
      const variance = tf.mean(tf.mul(centred, centred), -1, true);
      return tf.add(tf.mul(tf.div(centred, tf.sqrt(tf.add(variance, 1e-5))), scale), shift);
    },
  },
  {
    name: 'attention',
    shapes: [[2, 5, 4], [2, 5, 4], [2, 5, 4]],
    run: (tf, query, key, value) => tf.matMul(tf.softmax(tf.mul(tf.matMul(query, key, false, true), 0.5)), value),
  },
  { name: 'log loss without overflow', shapes: [[4, 5]], run: (tf, x) => tf.add(tf.relu(x), tf.log(tf.add(1, tf.exp(tf.neg(tf.abs(x)))))) },
];

export type Results = Readonly<Record<string, readonly Float32Array[]>>;

/** The result of an operation, then the gradient of a weighted sum of it by each input. */
export function compute(tf: Tf, { name, shapes, run, isPositive }: Operation): Float32Array[] {
  const random = seededRandom(7, name);
  const draw = (): number => (isPositive === true ? random.nextFloat() + 0.5 : random.nextFloat() * 4 - 2);
  return tf.tidy(() => {
    const inputs = shapes.map((shape) => tf.tensor(Float32Array.from({ length: shape.reduce((product, side) => product * side, 1) }, draw), [...shape]));
    const result = run(tf, ...inputs);
    const weights = tf.tensor(Float32Array.from({ length: result.size }, () => random.nextFloat() - 0.5), result.shape);
    const gradients = tf.grads((...variables) => tf.sum(tf.mul(run(tf, ...variables), weights)))(inputs);
    return [result, ...gradients].map((tensor) => tensor.dataSync() as Float32Array);
  });
}
