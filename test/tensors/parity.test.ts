import type * as TensorFlow from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openTensors, type TensorRuntime } from '../../shared/tensors/runtime.ts';
import { compute, operations } from './operations.ts';

const largestError = 2e-5;

function expectClose(ours: readonly Float32Array[], theirs: readonly Float32Array[]): void {
  expect(ours.map(({ length }) => length)).toEqual(theirs.map(({ length }) => length));
  ours.forEach((values, which) => values.forEach((value, at) => {
    const expected = theirs[which][at];
    if (!(Math.abs(value - expected) <= largestError * Math.max(1, Math.abs(expected)))) expect.fail(`output ${which}[${at}]: expected ${expected}, got ${value}`);
  }));
}

/** What these tests reach into. */
interface WasmBackend {
  readonly wasm: { readonly HEAPU8: Uint8Array<ArrayBuffer> };
  readonly dataIdMap: { get(dataId: object): { readonly memoryOffset: number } };
}

/** Computed before the kernels are installed, which stay for the life of the process. */
const reference = new Map<string, Float32Array[]>();

beforeAll(async () => {
  const { tf } = await openTensors({ backend: 'plain', kernels: 'stock' });
  for (const operation of operations) reference.set(operation.name, compute(tf, operation));
});

const variants: readonly { readonly name: string; readonly open: () => Promise<TensorRuntime>; readonly simd: boolean; readonly lacks: readonly string[] }[] = [
  { name: 'WebAssembly without the kernels', open: () => openTensors({ backend: 'wasm', kernels: 'stock' }), simd: false, lacks: ['gather', 'unsortedSegmentSum'] },
  { name: 'WebAssembly with the kernels', open: () => openTensors({ backend: 'wasm' }), simd: true, lacks: [] },
  { name: 'plain JavaScript with the kernels', open: () => openTensors({ backend: 'plain' }), simd: false, lacks: [] },
];

for (const { name, open, simd, lacks } of variants) {
  describe(`${name} computes what plain JavaScript does:`, () => {
    let runtime: TensorRuntime;
    beforeAll(async () => {
      runtime = await open();
    });

    it('the kernels are there or not', () => expect(runtime.simd).toBe(simd));

    for (const operation of operations) {
      if (lacks.includes(operation.name)) {
        it(`${operation.name} is an error that says what is missing`, () => {
          expect(() => compute(runtime.tf, operation)).toThrow(expect.objectContaining({ code: 'backend.unavailable', message: 'operation: expected one that backend wasm has, got UnsortedSegmentSum' }));
        });
      } else {
        it(operation.name, () => expectClose(compute(runtime.tf, operation), reference.get(operation.name) ?? []));
      }
    }
  });
}

describe('the kernels in the WebAssembly backend', () => {
  let tf: typeof TensorFlow;
  beforeAll(async () => {
    ({ tf } = await openTensors({ backend: 'wasm' }));
  });

  it('go on when its memory grows', () => {
    const { wasm } = tf.backend() as unknown as WasmBackend;
    const { buffer } = wasm.HEAPU8;
    const kept = tf.ones([3_000, 3_000]);
    expect(wasm.HEAPU8.buffer).not.toBe(buffer);
    expect([...tf.matMul(tf.ones([2, 3_000]), kept).slice([1, 2_998], [1, 2]).dataSync()]).toEqual([3_000, 3_000]);
    kept.dispose();
  });

  it('multiply one matrix with each of a batch', () => {
    const product = tf.matMul(tf.tensor([1, 2, 3, 4, 5, 6], [3, 1, 2]), tf.tensor([1, 0, 1, 1], [1, 2, 2]));
    expect([product.shape, [...product.dataSync()]]).toEqual([[3, 1, 2], [3, 2, 7, 4, 11, 6]]);
  });

  it('see weights that changed in place', () => {
    const backend = tf.backend() as unknown as WasmBackend;
    const weights = tf.tensor2d([1, 0, 0, 1], [2, 2]);
    const x = tf.tensor2d([3, 4], [1, 2]);
    expect([...tf.matMul(x, weights).dataSync()]).toEqual([3, 4]);
    new Float32Array(backend.wasm.HEAPU8.buffer, backend.dataIdMap.get(weights.dataId).memoryOffset, 4).set([0, 1, 1, 0]);
    expect([...tf.matMul(x, weights).dataSync()]).toEqual([4, 3]);
  });

  it('sum segments, dropping rows of none', () => {
    const sums = tf.unsortedSegmentSum(tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]), tf.tensor1d([2, -1, 2], 'int32'), 4);
    expect([...sums.dataSync()]).toEqual([0, 0, 0, 0, 6, 8, 0, 0]);
  });

  it.each([
    ['factors of integers', () => tf.matMul(tf.ones([2, 2], 'int32'), tf.ones([2, 2], 'int32'))],
    ['batches that repeat parts of both', () => tf.matMul(tf.ones([2, 1, 2, 2]), tf.ones([1, 3, 2, 2]))],
    ['fused products of batches', () => tf.fused.matMul({ a: tf.ones([2, 2, 2]), b: tf.ones([2, 2, 2]) })],
    ['fused products of transposed matrices', () => tf.fused.matMul({ a: tf.ones([2, 2]), b: tf.ones([2, 2]), transposeA: true, transposeB: false })],
    ['operations that it lacks', () => tf.spectral.fft(tf.complex([1, 2], [3, 4]))],
  ])('refuse %s', (_what, run) => {
    expect(run).toThrow(expect.objectContaining({ code: 'backend.unavailable' }));
  });

  it('allow fused products of two matrices', () => {
    expect([...tf.fused.matMul({ a: tf.tensor2d([1, 2], [1, 2]), b: tf.tensor2d([3, 4], [2, 1]), bias: tf.tensor1d([1]), activation: 'relu' }).dataSync()]).toEqual([12]);
  });
});
