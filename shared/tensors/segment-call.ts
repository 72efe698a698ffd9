/** What an `UnsortedSegmentSum` is asked for, the same on every backend. */
import type * as TensorFlow from '@tensorflow/tfjs';
import type { KernelCall } from './replace-kernel.ts';

export interface SegmentCall {
  readonly x: TensorFlow.TensorInfo;
  readonly segments: TensorFlow.TensorInfo;
  readonly rows: number;
  readonly width: number;
  readonly count: number;
  /** Of the result. */
  readonly shape: readonly number[];
}

/** Null for sums of anything but 32-bit floats by a list of integers. */
export function segmentCall({ inputs, attrs }: KernelCall): SegmentCall | null {
  const { x, segmentIds: segments } = inputs as { x: TensorFlow.TensorInfo; segmentIds: TensorFlow.TensorInfo };
  const { numSegments: count } = attrs as { numSegments: number };
  if (x.dtype !== 'float32' || segments.dtype !== 'int32' || segments.shape.length !== 1) return null;
  const [rows, ...rest] = x.shape;
  return { x, segments, rows, width: rest.reduce((product, side) => product * side, 1), count, shape: [count, ...rest] };
}
