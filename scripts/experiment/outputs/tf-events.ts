/**
 * Event files of TensorFlow: TFRecord frames (length, masked CRC-32C of it, bytes, masked CRC-32C of them; tensorflow/core/lib/io/
 * record_writer.h) around `Event` messages of Protocol Buffers (tensorflow/core/util/event.proto), of which only scalars are
 * needed: the few fields are written here, since TensorFlow's own writer needs its native library.
 */
import { crc32c } from './crc32c.ts';
import type { Scalars } from './scalars.ts';

/** The first record of a file: `Event` { wall_time = 1, file_version = 3 }. */
export function versionRecord(wallSeconds: number): Uint8Array {
  return tfRecord(message([doubleField(1, wallSeconds), textField(3, 'brain.Event:2')]));
}

/** `Event` { wall_time = 1, step = 2, summary = 5 { repeated value = 1 { tag = 1, simple_value = 2 } } }; values become float32. */
export function scalarRecord({ wallSeconds, step }: { readonly wallSeconds: number; readonly step: number }, scalars: Scalars): Uint8Array {
  const summary = message(scalars.map(([tag, value]) => bytesField(1, message([textField(1, tag), floatField(2, value)]))));
  return tfRecord(message([doubleField(1, wallSeconds), varintField(2, step), bytesField(5, summary)]));
}

/** Length as 64 bits, its checksum, the bytes, theirs; little endian. */
function tfRecord(bytes: Uint8Array): Uint8Array {
  const record = new Uint8Array(bytes.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(bytes.length), true);
  view.setUint32(8, maskedCrc(record.subarray(0, 8)), true);
  record.set(bytes, 12);
  view.setUint32(12 + bytes.length, maskedCrc(bytes), true);
  return record;
}

/** Rotated right by 15 bits, plus a constant: a checksum of bytes that hold checksums would be weak. */
function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function message(fields: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(fields));
}

/** Wire types of Protocol Buffers: 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes. */
function varintField(field: number, value: number): Uint8Array {
  return Uint8Array.of(field << 3, ...varint(value));
}

function doubleField(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(9);
  bytes[0] = (field << 3) | 1;
  new DataView(bytes.buffer).setFloat64(1, value, true);
  return bytes;
}

function floatField(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(5);
  bytes[0] = (field << 3) | 5;
  new DataView(bytes.buffer).setFloat32(1, value, true);
  return bytes;
}

function bytesField(field: number, value: Uint8Array): Uint8Array {
  return message([Uint8Array.of((field << 3) | 2, ...varint(value.length)), value]);
}

function textField(field: number, value: string): Uint8Array {
  return bytesField(field, new TextEncoder().encode(value));
}

/** Seven bits a byte, lowest first; of whole numbers below 2^31. */
function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}
