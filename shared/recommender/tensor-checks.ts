/** Checks of a release's tensors: presence, element type, shape, finiteness, range. A release comes from outside. */
import { CestaError } from '../protocol/errors.ts';
import type { NamedTensors, TensorData } from '../protocol/tensors.ts';

type TensorConstructor<T extends TensorData> = new (length: number) => T;

/** What a release objects to itself with. */
export function untrusted(name: string, expected: string, got: string): CestaError {
  return new CestaError('release.untrusted', `tensor ${name}: expected ${expected}, got ${got}`);
}

/**
 * The data of a one-dimensional tensor of finite numbers.
 * @param length The expected length, or undefined when the data says it.
 * @throws CestaError `release.untrusted`
 */
export function requireTensor<T extends TensorData>(tensors: NamedTensors, name: string, constructor: TensorConstructor<T>, length?: number): T {
  const tensor = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
  if (tensor === undefined) throw untrusted(name, constructor.name, 'none');
  const { data, shape } = tensor;
  if (!(data instanceof constructor)) throw untrusted(name, constructor.name, data.constructor.name);
  if (shape.length !== 1 || shape[0] !== data.length || (length !== undefined && data.length !== length)) {
    throw untrusted(name, `shape [${length ?? data.length}]`, `[${shape.join(', ')}]`);
  }
  for (const value of data) if (!Number.isFinite(value)) throw untrusted(name, 'finite numbers', String(value));
  return data;
}

/** Refuses values outside the closed range. */
export function requireRange(name: string, data: TensorData, min: number, max: number): void {
  for (const value of data) if (!(value >= min && value <= max)) throw untrusted(name, `values in ${min}..${max}`, String(value));
}

/** Item indexes: two bytes where the catalogue allows, else four. */
export type ItemIndexes = Uint16Array | Int32Array;

export function itemIndexes(length: number, items: number): ItemIndexes {
  return items <= 65_536 ? new Uint16Array(length) : new Int32Array(length);
}

export interface SparseRows {
  readonly starts: Int32Array;
  readonly partners: ItemIndexes;
}

/** Compressed rows whose partners ascend strictly within a row: `{prefix}_starts` and `{prefix}_partners`. */
export function requireRows(tensors: NamedTensors, prefix: string, items: number): SparseRows {
  const starts = requireTensor(tensors, `${prefix}_starts`, Int32Array, items + 1);
  const name = `${prefix}_partners`;
  const partners = items <= 65_536 ? requireTensor(tensors, name, Uint16Array) : requireTensor(tensors, name, Int32Array);
  requireRange(name, partners, 0, items - 1);
  if (starts[0] !== 0 || starts[items] !== partners.length) throw untrusted(`${prefix}_starts`, `offsets 0..${partners.length}`, `${starts[0]}..${starts[items]}`);
  for (let row = 0; row < items; row += 1) {
    if (starts[row + 1] < starts[row]) throw untrusted(`${prefix}_starts`, 'ascending offsets', `${starts[row]} before ${starts[row + 1]}`);
    for (let entry = starts[row] + 1; entry < starts[row + 1]; entry += 1) {
      if (partners[entry] <= partners[entry - 1]) throw untrusted(name, 'ascending partners in a row', `${partners[entry - 1]} before ${partners[entry]}`);
    }
  }
  return { starts, partners };
}

/** A one-dimensional tensor. */
export function vector<T extends TensorData>(data: T): { shape: readonly number[]; data: T } {
  return { shape: [data.length], data };
}
