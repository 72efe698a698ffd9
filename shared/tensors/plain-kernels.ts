/** Sums of segments in the plain backend of TensorFlow.js, in one pass over the rows. */
import type * as TensorFlow from '@tensorflow/tfjs';
import { segmentSum } from '../kernels/plain/segment-sum.ts';
import { replaceKernel, type KernelCall, type StockKernel } from './replace-kernel.ts';
import { segmentCall } from './segment-call.ts';

interface PlainBackend {
  readSync(dataId: object): Float32Array | Int32Array;
  makeTensorInfo(shape: readonly number[], dtype: 'float32', values: Float32Array): TensorFlow.TensorInfo;
}

export function installPlainKernels(tf: typeof TensorFlow): void {
  replaceKernel(tf, 'UnsortedSegmentSum', 'cpu', unsortedSegmentSum);
}

function unsortedSegmentSum(call: KernelCall, stock: StockKernel): TensorFlow.TensorInfo {
  const asked = segmentCall(call);
  if (asked === null) return stock(call);
  const { x, segments, width, count, shape } = asked;
  const backend = call.backend as PlainBackend;
  const sums = new Float32Array(count * width);
  segmentSum(backend.readSync(x.dataId) as Float32Array, backend.readSync(segments.dataId) as Int32Array, width, sums);
  return backend.makeTensorInfo(shape, 'float32', sums);
}
