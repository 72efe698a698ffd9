import { describe, expect, it } from 'vitest';
import { CestaError } from '../../shared/protocol/errors.ts';
import { decodeTensors, encodeTensors, tensorsDigest } from '../../shared/protocol/tensors.ts';
import { canonicalJson } from '../../shared/protocol/canonical-json.ts';

const tensors = {
  weights: { shape: [2, 2], data: Float32Array.of(1, -2, 3.5, 0) },
  items: { shape: [3], data: Uint16Array.of(1, 2, 65_535) },
  empty: { shape: [0], data: new Int32Array(0) },
};

describe('tensors that are shared', () => {
  const data = Int32Array.of(1, -2, 3);
  const encoded = encodeTensors({ data: { shape: [3], data } });
  const at = (offset: number): Uint8Array => {
    const buffer = new Uint8Array(encoded.length + 8);
    buffer.set(encoded, offset);
    return buffer.subarray(offset, offset + encoded.length);
  };

  it('are views where they lie aligned, and copies elsewhere', () => {
    for (const [offset, isView] of [[0, true], [4, true], [1, false], [6, false]] as const) {
      const bytes = at(offset);
      const read = decodeTensors(bytes, { share: true }).tensors['data'].data;
      expect([...read]).toEqual([1, -2, 3]);
      expect(read.buffer === bytes.buffer).toBe(isView);
    }
  });

  it('are copies unless they are asked for', () => {
    const bytes = at(0);
    expect(decodeTensors(bytes).tensors['data'].data.buffer === bytes.buffer).toBe(false);
  });
});

describe('tensor files', () => {
  it('keep every element type, shape and metadata', () => {
    const file = decodeTensors(encodeTensors(tensors, { a: 'b' }));
    expect(file.tensors).toEqual(tensors);
    expect(file.metadata).toEqual({ a: 'b' });
  });

  it('have a digest that covers names, shapes and values, and not the metadata', () => {
    const digest = tensorsDigest(tensors);
    expect(decodeTensors(encodeTensors(tensors, { a: 'b' })).contentDigest()).toBe(digest);
    expect(tensorsDigest({ ...tensors, weights: { shape: [4], data: tensors.weights.data } })).not.toBe(digest);
    expect(tensorsDigest({ ...tensors, weights: { shape: [2, 2], data: Float32Array.of(1, -2, 3.5, 1) } })).not.toBe(digest);
    const { items, ...others } = tensors;
    expect(tensorsDigest({ ...others, renamed: items })).not.toBe(digest);
  });

  it('have tensors of any name, which none can hide behind', () => {
    const file = Buffer.from(encodeTensors({ prototype: tensors.items, chunk: tensors.empty })).toString('latin1').replace('prototype', '__proto__');
    const { tensors: decoded } = decodeTensors(Buffer.from(file, 'latin1'));
    expect(Object.keys(decoded).sort()).toEqual(['__proto__', 'chunk']);
  });

  it('refuse offsets outside the body, overlapping claims of length and huge headers', () => {
    const file = (header: unknown, body = 16): Uint8Array => {
      const json = new TextEncoder().encode(JSON.stringify(header).padEnd(Math.ceil(JSON.stringify(header).length / 8) * 8));
      const bytes = new Uint8Array(8 + json.length + body);
      new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
      bytes.set(json, 8);
      return bytes;
    };
    const entry = (changes: object): object => ({ x: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...changes } });
    expect(decodeTensors(file(entry({}))).tensors['x'].data).toHaveLength(2);
    for (const bad of [{ data_offsets: [12, 20] }, { shape: [3] }, { data_offsets: [8, 0] }, { shape: [2 ** 40] }, { dtype: 'F16' }, { shape: [-2] }, { shape: [1.5] }]) {
      expect(() => decodeTensors(file(entry(bad)))).toThrow(CestaError);
    }
    const huge = file(entry({}));
    new DataView(huge.buffer).setBigUint64(0, 2n ** 63n, true);
    expect(() => decodeTensors(huge)).toThrow(/header length/);
  });
});

describe('canonical JSON', () => {
  it('is the same for equal values whatever the order of keys, and different when a key differs', () => {
    expect(canonicalJson({ b: 1, a: [true, null, 'x'], c: undefined })).toBe('{"a":[true,null,"x"],"b":1}');
    expect(canonicalJson({ a: 1 })).not.toBe(canonicalJson({ b: 1 }));
  });

  it('refuses what JSON cannot carry', () => {
    expect(() => canonicalJson({ a: NaN })).toThrow(/finite/);
    expect(() => canonicalJson(() => 1)).toThrow(CestaError);
  });
});
