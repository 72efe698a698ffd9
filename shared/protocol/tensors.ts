/**
 * Tensor files and frames, safetensors style: u64 little-endian header length, JSON header padded with
 * spaces to a multiple of 8, then the tensors' little-endian bytes. Every offset is checked against the
 * real size before a view is made.
 */
import * as z from 'zod/mini';
import { canonicalJson } from './canonical-json.ts';
import { createDigest } from './digest.ts';
import { CestaError } from './errors.ts';
import { describeIssues } from './issues.ts';

/** The element types of a tensor; names as in safetensors. */
export type TensorData = Float32Array | Float64Array | Int32Array | Uint16Array | Uint8Array | Int8Array;

export interface Tensor {
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export type NamedTensors = Readonly<Record<string, Tensor>>;

export interface TensorFile {
  readonly tensors: NamedTensors;
  /** Free strings of the header's `__metadata__`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** SHA-256 over the tensors' names, types, shapes, offsets and bytes; not over the metadata. */
  contentDigest(): string;
}

const dtypes = {
  F32: Float32Array,
  F64: Float64Array,
  I32: Int32Array,
  U16: Uint16Array,
  U8: Uint8Array,
  I8: Int8Array,
} as const;
type Dtype = keyof typeof dtypes;

const offset = z.int().check(z.nonnegative());
const entrySchema = z.object({
  dtype: z.enum(['F32', 'F64', 'I32', 'U16', 'U8', 'I8']),
  shape: z.array(offset).check(z.maxLength(4)),
  data_offsets: z.tuple([offset, offset]),
});
const metadataSchema = z.record(z.string(), z.string());

const defaultMaxHeaderBytes = 1 << 20;

function dtypeOf(data: TensorData): Dtype {
  for (const [name, constructor] of Object.entries(dtypes)) if (data instanceof constructor) return name as Dtype;
  throw new CestaError('internal', `tensor: expected a typed array of a known element type, got ${Object.prototype.toString.call(data)}`);
}

function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

type Entries = Record<string, z.infer<typeof entrySchema>>;

/** Where each tensor lies behind the header: in the order of the names, aligned to 8 bytes. */
function layOut(tensors: NamedTensors): { entries: Entries; size: number } {
  const entries: Entries = {};
  let size = 0;
  for (const [name, { shape, data }] of Object.entries(tensors).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (elementCount(shape) !== data.length) {
      throw new CestaError('internal', `tensor ${name}: expected ${elementCount(shape)} elements for shape [${shape.join(', ')}], got ${data.length}`);
    }
    entries[name] = { dtype: dtypeOf(data), shape: [...shape], data_offsets: [size, size + data.byteLength] };
    size = Math.ceil((size + data.byteLength) / 8) * 8;
  }
  return { entries, size };
}

/** @param body zeros, of the size laid out */
function writeBody(body: Uint8Array, tensors: NamedTensors, entries: Entries): void {
  for (const [name, { data }] of Object.entries(tensors)) {
    body.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), entries[name].data_offsets[0]);
  }
}

/**
 * @example
 * const bytes = encodeTensors({ bias: { shape: [2], data: Float32Array.of(1, 2) } }, { kind: 'popularity' });
 * decodeTensors(bytes).tensors['bias'].data; // Float32Array [1, 2]
 */
export function encodeTensors(tensors: NamedTensors, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const { entries, size } = layOut(tensors);
  const json = new TextEncoder().encode(JSON.stringify({ __metadata__: metadata, ...entries }));
  const headerLength = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerLength + size).fill(0x20, 8, 8 + headerLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.set(json, 8);
  writeBody(bytes.subarray(8 + headerLength), tensors, entries);
  return bytes;
}

/** What a signed manifest names: equal to `contentDigest()` of the decoded file. */
export function tensorsDigest(tensors: NamedTensors): string {
  const { entries, size } = layOut(tensors);
  const body = new Uint8Array(size);
  writeBody(body, tensors, entries);
  return digestContent(entries, body);
}

function digestContent(entries: unknown, body: Uint8Array): string {
  const digest = createDigest();
  digest.update(new TextEncoder().encode(canonicalJson(entries)));
  digest.update(body);
  return digest.hex();
}

/**
 * Parses bytes from outside. The tensors are copies aligned to their element size, and the input may be reused; with
 * `share` they are views of it where they lie aligned, for who is done with them before the input changes.
 * @param options `maxHeaderBytes`: 1 MiB by default
 * @throws CestaError `protocol.malformed`
 */
export function decodeTensors(bytes: Uint8Array, { share = false, maxHeaderBytes = defaultMaxHeaderBytes }: { readonly share?: boolean; readonly maxHeaderBytes?: number } = {}): TensorFile {
  const { header, bodyStart } = readHeader(bytes, maxHeaderBytes);
  const { __metadata__: metadata, ...rest } = header;
  const body = bytes.subarray(bodyStart);
  const parsedMetadata = metadataSchema.safeParse(metadata ?? {});
  if (!parsedMetadata.success) throw malformed('__metadata__: expected strings');
  // Own properties whatever their names, `__proto__` included: nothing may hide from who counts them.
  const tensors: NamedTensors = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, readTensor(name, value, body, share)]));
  return { tensors, metadata: parsedMetadata.data, contentDigest: () => digestContent(rest, body) };
}

function readHeader(bytes: Uint8Array, maxHeaderBytes: number): { header: Record<string, unknown>; bodyStart: number } {
  if (bytes.length < 8) throw malformed(`expected at least 8 bytes, got ${bytes.length}`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(Math.min(maxHeaderBytes, bytes.length - 8))) throw malformed(`header length: expected at most ${Math.min(maxHeaderBytes, bytes.length - 8)}, got ${length}`);
  const bodyStart = 8 + Number(length);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, bodyStart)));
  } catch (cause) {
    throw new CestaError('protocol.malformed', 'tensor file: expected a JSON header, got other bytes', { cause });
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) throw malformed('expected a JSON object as header');
  return { header: header as Record<string, unknown>, bodyStart };
}

function readTensor(name: string, value: unknown, body: Uint8Array, share: boolean): Tensor {
  const entry = entrySchema.safeParse(value);
  if (!entry.success) throw malformed(`tensor ${name}: ${describeIssues(entry.error)}`);
  const { dtype, shape, data_offsets: [start, end] } = entry.data;
  const constructor = dtypes[dtype];
  const expectedBytes = elementCount(shape) * constructor.BYTES_PER_ELEMENT;
  if (end > body.length || end - start !== expectedBytes) {
    throw malformed(`tensor ${name}: expected ${expectedBytes} bytes inside a body of ${body.length}, got offsets ${start}..${end}`);
  }
  if (share && (body.byteOffset + start) % constructor.BYTES_PER_ELEMENT === 0) return { shape, data: new constructor(body.buffer as ArrayBuffer, body.byteOffset + start, elementCount(shape)) };
  // Not `body.slice`: that of a Node Buffer is a view, unaligned and shared.
  return { shape, data: new constructor(Uint8Array.prototype.slice.call(body, start, end).buffer) };
}

function malformed(what: string): CestaError {
  return new CestaError('protocol.malformed', `tensor file: ${what}`);
}
