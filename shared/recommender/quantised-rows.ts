/**
 * Tables of item rows at one byte a number: each row x is kept as integers q and one scale s, so that x is about s q.
 * Symmetric and per row, since rows of one table differ in length by orders of magnitude (popular items are long).
 * The scales and integers are a function of the row alone, the same on every platform: whoever has the numbers can check
 * them. It loses precision for good: nothing may be trained from it.
 */
import type { NamedTensors } from '../protocol/tensors.ts';
import { requireRange, requireTensor, untrusted } from './tensor-checks.ts';

export const precisions = ['float32', 'int8'] as const;
export type Precision = (typeof precisions)[number];

/** The tensors of a model that are tables of item rows, and the numbers in a row. */
export type RowTables = Readonly<Record<string, number>>;

const steps = 127;
/** 127 times the smallest normal float32: a scale below that would lose digits of its own. */
const smallestKept = steps * 2 ** -126;
/** With any larger one, 127 s is no float32. */
const largestScale = Math.fround(((2 - 2 ** -23) * 2 ** 127 * (1 - 2 ** -23)) / steps);

/** The tensor that holds the scales of a table. */
function scaleName(table: string): string {
  return `${table}_scale`;
}

/**
 * `table` as int8 of shape [rows, width], and `table_scale` as one float32 a row: s = max |x| / 127, q = x / s rounded.
 * Error: |x - s q| <= (1/2 + 2^-17) s, half a step and what float32 rounds off.
 *
 * | row | becomes |
 * |---|---|
 * | all zero, or every number below 1.5e-36 | zeros, with scale 0 |
 * | a number that is not finite | `release.untrusted` |
 * | no table of that name, not float32, or no multiple of the width | `release.untrusted` |
 */
export function quantiseRows(table: string, tensors: NamedTensors, width: number): NamedTensors {
  const data = Object.hasOwn(tensors, table) ? tensors[table].data : null;
  if (!(data instanceof Float32Array) || data.length % width !== 0) throw untrusted(table, `float32 rows of ${width}`, data === null ? 'none' : `${data.length} numbers in ${data.constructor.name}`);
  const rows = data.length / width;
  const quantised = new Int8Array(data.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row += 1) {
    const largest = largestOf(table, data, row * width, width);
    if (largest < smallestKept) continue;
    scales[row] = Math.min(largest / steps, largestScale);
    for (let at = row * width; at < (row + 1) * width; at += 1) quantised[at] = Math.round(data[at] / scales[row]);
  }
  return { [table]: { shape: [rows, width], data: quantised }, [scaleName(table)]: { shape: [rows], data: scales } };
}

function largestOf(table: string, data: Float32Array, start: number, width: number): number {
  let largest = 0;
  for (let at = start; at < start + width; at += 1) {
    if (!Number.isFinite(data[at])) throw untrusted(table, 'finite numbers', String(data[at]));
    largest = Math.max(largest, Math.abs(data[at]));
  }
  return largest;
}

/**
 * A table of a release in either form, as float32, row-major: models score one way, whatever was sent.
 * @throws CestaError `release.untrusted` for another size or type, scales that are missing, negative or not finite, scales
 * beside a table that needs none.
 */
export function requireRowTable(tensors: NamedTensors, table: string, rows: number, width: number): Float32Array {
  const tensor = Object.hasOwn(tensors, table) ? tensors[table] : undefined;
  if (tensor?.data instanceof Int8Array) return dequantised(tensors, table, tensor.data, { shape: tensor.shape, rows, width });
  if (Object.hasOwn(tensors, scaleName(table))) throw untrusted(scaleName(table), 'none beside a table that is not int8', 'one');
  const isFlat = tensor === undefined || !isShape(tensor.shape, rows, width);
  return requireTensor(isFlat ? tensors : { [table]: { shape: [rows * width], data: tensor.data } }, table, Float32Array, rows * width);
}

function dequantised(tensors: NamedTensors, table: string, data: Int8Array, { shape, rows, width }: { shape: readonly number[]; rows: number; width: number }): Float32Array {
  if (!isShape(shape, rows, width)) throw untrusted(table, `int8 of shape [${rows}, ${width}]`, `shape [${shape.join(', ')}]`);
  requireRange(table, data, -steps, steps);
  const scales = requireTensor(tensors, scaleName(table), Float32Array, rows);
  requireRange(scaleName(table), scales, 0, largestScale);
  const numbers = new Float32Array(data.length);
  for (let row = 0; row < rows; row += 1) for (let at = row * width; at < (row + 1) * width; at += 1) numbers[at] = scales[row] * data[at];
  return numbers;
}

function isShape(shape: readonly number[], rows: number, width: number): boolean {
  return shape.length === 2 && shape[0] === rows && shape[1] === width;
}
