import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { CestaError } from '../../shared/protocol/errors.ts';
import { chunkBytes, decodeChunk, encodeChunk, parseClientMessage, parseServerMessage } from '../../shared/protocol/messages.ts';
import { encodeTensors } from '../../shared/protocol/tensors.ts';

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (thrown) {
    return thrown instanceof CestaError ? thrown.code : `not coded: ${String(thrown)}`;
  }
  return 'no error';
};

describe('control messages', () => {
  it('are parsed strictly: an unknown field, type or error code is refused', () => {
    const join = { type: 'join', seq: 1, round: 'main-1', planHash: '0'.repeat(64) };
    expect(parseClientMessage(JSON.stringify(join))).toEqual(join);
    for (const bad of [{ ...join, extra: 1 }, { ...join, type: 'jump' }, { ...join, seq: 0 }, { ...join, seq: 1.5 }, { ...join, planHash: 'x' }]) {
      expect(codeOf(() => parseClientMessage(JSON.stringify(bad)))).toBe('protocol.malformed');
    }
    expect(codeOf(() => parseServerMessage(JSON.stringify({ type: 'error', code: 'no.such', message: '', hint: '' })))).toBe('protocol.malformed');
  });

  it('are refused in few words, however much is wrong with them', () => {
    const keys = Array.from({ length: 5_000 }, (_, index) => `"key ${index}":1`).join(',');
    for (const text of [`{"type":"join",${keys}}`, `{"type":"products","seq":1,"last":true,"products":[${'{},'.repeat(400)}{}]}`]) {
      expect(() => parseClientMessage(text)).toThrow(expect.objectContaining({ message: expect.stringMatching(/^.{10,600}$/s) as string }) as Error);
    }
  });

  it('never throw anything but a coded error, whatever text comes', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(codeOf(() => parseClientMessage(text))).toBe('protocol.malformed');
    }));
  });
});

describe('chunks', () => {
  it('carry ring elements and their place unchanged', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { maxLength: 50 }), fc.nat(1_000_000), (values, offset) => {
      const chunk = { round: 'main-1', seq: 3, offset, data: Int32Array.from(values) };
      expect(decodeChunk(encodeChunk(chunk))).toEqual(chunk);
    }));
  });

  it('are refused with a header that is longer than any needs, or a second tensor of whatever name', () => {
    const chunk = { shape: [1], data: Int32Array.of(1) };
    const metadata = { round: 'main-1', seq: '1', offset: '0' };
    const hidden = Buffer.from(encodeTensors({ chunk, prototype: chunk }, metadata)).toString('latin1').replace('prototype', '__proto__');
    expect(codeOf(() => decodeChunk(Buffer.from(hidden, 'latin1')))).toBe('protocol.malformed');
    for (const tensors of [{ chunk, other: chunk }, Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`t${index}`, { shape: [0], data: new Int32Array(0) }]))]) {
      expect(codeOf(() => decodeChunk(encodeTensors(tensors, metadata)))).toBe('protocol.malformed');
    }
    expect(() => decodeChunk(encodeTensors({ chunk }, { ...metadata, more: 'x'.repeat(2_000) }))).toThrow(/header length/);
    expect(decodeChunk(encodeChunk({ round: '\u0000'.repeat(96), seq: 999_999_999_999_999, offset: 9_999_999_999, data: Int32Array.of(1) })).round).toHaveLength(96);
  });

  it('are refused when too large, of another type, or damaged anywhere', () => {
    const good = encodeChunk({ round: 'main-1', seq: 1, offset: 0, data: new Int32Array(8) });
    expect(codeOf(() => decodeChunk(encodeChunk({ round: 'main-1', seq: 1, offset: 0, data: new Int32Array(chunkBytes / 4 + 1) })))).toBe('protocol.malformed');
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(codeOf(() => decodeChunk(bytes))).toBe('protocol.malformed');
    }));
    fc.assert(fc.property(fc.nat(good.length - 1), fc.nat(good.length), (at, keep) => {
      const flipped = Uint8Array.from(good);
      flipped[at] ^= 0x41;
      expect(['no error', 'protocol.malformed']).toContain(codeOf(() => decodeChunk(flipped)));
      if (keep < good.length) expect(codeOf(() => decodeChunk(good.subarray(0, keep)))).toBe('protocol.malformed');
    }));
  });
});
