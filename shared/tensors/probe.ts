/**
 * A few operations with known results, asked of a backend before it is trusted: one that loads and computes wrongly is
 * worse than one that does not load. It finds broken installations, not small errors.
 */
import type * as TensorFlow from '@tensorflow/tfjs';

type Tf = typeof TensorFlow;

const largestError = 1e-5;

interface Check {
  readonly name: string;
  readonly run: (tf: Tf) => TensorFlow.Tensor;
  readonly expected: readonly number[];
}

const checks: readonly Check[] = [
  { name: 'matMul', run: (tf) => tf.matMul(tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor2d([5, 6, 7, 8], [2, 2])), expected: [19, 22, 43, 50] },
  {
    name: 'matMul of a batch with a transposed factor',
    run: (tf) => tf.matMul(tf.tensor3d([1, 2, 3, 4], [2, 1, 2]), tf.tensor3d([5, 6, 7, 8, 9, 10, 11, 12], [2, 2, 2]), false, true),
    expected: [17, 23, 67, 81],
  },
  { name: 'gather', run: (tf) => tf.gather(tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]), tf.tensor1d([2, 0], 'int32')), expected: [5, 6, 1, 2] },
  { name: 'softmax', run: (tf) => tf.softmax(tf.tensor1d([0, Math.log(3), Math.log(4)])), expected: [0.125, 0.375, 0.5] },
  {
    // d/dx sum((x y)^2) = 2 x y y'
    name: 'gradient of matMul',
    run: (tf) => tf.grad((x) => tf.sum(tf.square(tf.matMul(x, tf.tensor2d([1, 2, 3, 4], [2, 2])))))(tf.tensor2d([1, -1], [1, 2])),
    expected: [-12, -28],
  },
];

/** What is wrong with the backend in force, or null. */
export async function probe(tf: Tf): Promise<string | null> {
  for (const { name, run, expected } of checks) {
    const result = tf.tidy(() => run(tf));
    try {
      const got = [...(await result.data())];
      const isRight = got.length === expected.length && got.every((value, at) => Math.abs(value - expected[at]) <= largestError * Math.max(1, Math.abs(expected[at])));
      if (!isRight) return `${name}: expected ${expected.join(', ')}, got ${got.join(', ')}`;
    } finally {
      result.dispose();
    }
  }
  return null;
}
