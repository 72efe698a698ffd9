/**
 * Unsigned variable-length integers (LEB128) and strings in one growing or bounded run of bytes. The reader
 * trusts nothing: every read is checked against the end, every count against the bytes that are left.
 */
import { CestaError } from '../protocol/errors.ts';

export interface ByteWriter {
  /** An integer in 0..2^53-1. */
  uint(value: number): void;
  /** A string as its UTF-8 length and bytes. */
  text(value: string): void;
  bytes(): Uint8Array;
}

export function byteWriter(): ByteWriter {
  let buffer = new Uint8Array(65_536);
  let length = 0;
  const reserve = (extra: number): void => {
    if (length + extra <= buffer.length) return;
    const grown = new Uint8Array(Math.max(buffer.length * 2, length + extra));
    grown.set(buffer);
    buffer = grown;
  };
  const uint = (value: number): void => {
    if (!Number.isSafeInteger(value) || value < 0) throw new CestaError('internal', `uint: expected an integer in 0..2^53-1, got ${value}`);
    reserve(8);
    let rest = value;
    while (rest >= 128) {
      buffer[length] = (rest % 128) + 128;
      length += 1;
      rest = Math.floor(rest / 128);
    }
    buffer[length] = rest;
    length += 1;
  };
  return {
    uint,
    text(value) {
      const encoded = new TextEncoder().encode(value);
      uint(encoded.length);
      reserve(encoded.length);
      buffer.set(encoded, length);
      length += encoded.length;
    },
    bytes: () => buffer.slice(0, length),
  };
}

export interface ByteReader {
  /** An integer in 0..`max` (2^53-1 unless told). */
  uint(field: string, max?: number): number;
  /** How many entries follow, each of at least one byte: a forged count cannot ask for more memory than the file has bytes. */
  count(field: string): number;
  text(field: string): string;
  /** Refuses bytes after the last field. */
  end(): void;
}

/** @throws CestaError `data.unreadable`, from any of its members, for bytes that are not what was asked for. */
export function byteReader(bytes: Uint8Array): ByteReader {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let offset = 0;
  const refuse = (field: string, expected: string, got: string | number): never => {
    throw new CestaError('data.unreadable', `${field}: expected ${expected}, got ${got} at byte ${offset}`);
  };
  const uint = (field: string, max = Number.MAX_SAFE_INTEGER): number => {
    let value = 0;
    // Eight groups of 7 bits hold 2^53; a longer run is no integer of ours.
    for (let scale = 1, group = 0; group < 8; group += 1, scale *= 128) {
      if (offset >= bytes.length) refuse(field, 'more bytes', 'the end');
      const byte = bytes[offset];
      offset += 1;
      value += (byte & 127) * scale;
      if (byte < 128) return value <= max ? value : refuse(field, `an integer in 0..${max}`, value);
    }
    return refuse(field, 'an integer of at most 8 bytes', 'a longer one');
  };
  const count = (field: string): number => {
    const entries = uint(field);
    return entries <= bytes.length - offset ? entries : refuse(field, `at most ${bytes.length - offset} entries`, entries);
  };
  return {
    uint,
    count,
    text(field) {
      const length = count(field);
      try {
        const text = decoder.decode(bytes.subarray(offset, offset + length));
        offset += length;
        return text;
      } catch {
        return refuse(field, 'UTF-8 text', 'other bytes');
      }
    },
    end() {
      if (offset !== bytes.length) refuse('end of data', 'no more bytes', bytes.length - offset);
    },
  };
}
