import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { historyOf } from '../../shared/commerce/history.ts';
import { byteReader, byteWriter } from '../../shared/datasets/compact-bytes.ts';
import { decodeDataset, encodeDataset, isCompact, seal } from '../../shared/datasets/compact-dataset.ts';
import type { Dataset } from '../../shared/datasets/dataset.ts';
import { codeOf } from './code-of.ts';

const complaint = { kind: 'bad-timestamp', effect: 'dropped' as const, text: 'dropped', count: 1, lines: [4] };
const sample: Dataset = {
  name: 'sample',
  catalogue: createCatalogue([
    { id: 'chair', title: 'Chair', category: 'Furniture', brand: 'Håg', price: 199.99 },
    { id: 'desk', title: '' },
    { id: 'lamp', title: 'Reading lamp 💡', price: 0 },
  ]),
  shoppers: [
    { id: 'ana', history: historyOf([{ time: 60, items: [0, 2] }, { time: 60, items: [1] }, { time: 6000, items: [0] }]), group: 'ES', degree: 3 },
    { id: 'bo', history: historyOf([{ time: 120, items: [1] }]), group: '', degree: 0 },
    { id: 'cem', history: historyOf([]), group: 'TR', degree: 2 },
  ],
  report: { lines: 6, used: 5, complaints: [complaint] },
};
const encoded = encodeDataset(sample);
const body = encoded.subarray(8, -32);

describe('the compact form', () => {
  it('gives back what was put in', () => {
    expect(decodeDataset(encoded)).toEqual(sample);
    expect(isCompact(encoded)).toBe(true);
  });

  it('gives back any data set with times on its grid', () => {
    const visits = fc.array(fc.record({ time: fc.nat(1e9).map((minute) => minute * 60), items: fc.uniqueArray(fc.nat(2), { minLength: 1 }).map((items) => items.sort()) }), { maxLength: 6 });
    const shoppers = fc.uniqueArray(fc.record({ id: fc.string({ unit: 'grapheme' }), group: fc.constantFrom('', 'ES', 'PL'), degree: fc.constantFrom(0, 1, 2, 3), visits }), { selector: ({ id }) => id, maxLength: 8 });
    fc.assert(fc.property(shoppers, (drawn) => {
      const dataset: Dataset = { ...sample, shoppers: drawn.map(({ id, group, degree, visits: own }) => ({ id, group, degree, history: historyOf(own) })) };
      expect(decodeDataset(encodeDataset(dataset))).toEqual(dataset);
    }));
  });

  it('refuses to round a time or a price', () => {
    const late: Dataset = { ...sample, shoppers: [{ ...sample.shoppers[0], history: historyOf([{ time: 0, items: [0] }, { time: 61, items: [1] }]) }] };
    expect(codeOf(() => encodeDataset(late))).toBe('internal');
    expect(decodeDataset(encodeDataset(late, 1))).toEqual(late);
    const dear: Dataset = { ...sample, catalogue: createCatalogue([{ id: 'chair', title: '', price: 0.001 }]), shoppers: [] };
    expect(codeOf(() => encodeDataset(dear))).toBe('internal');
  });
});

describe('damaged compact bytes', () => {
  it('are unreadable wherever they are cut', () => {
    for (let length = 0; length < encoded.length; length += 1) {
      expect(codeOf(() => decodeDataset(encoded.subarray(0, length)))).toBe('data.unreadable');
    }
  });

  it('are unreadable wherever any bits of one byte flip', () => {
    fc.assert(fc.property(fc.nat(encoded.length - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
      const damaged = encoded.slice();
      damaged[at] ^= bits;
      expect(codeOf(() => decodeDataset(damaged))).toBe('data.unreadable');
    }), { numRuns: 2000 });
  });

  it('are unreadable with bytes appended, of another version, and when they are anything else', () => {
    expect(codeOf(() => decodeDataset(Uint8Array.of(...encoded, 0)))).toBe('data.unreadable');
    expect(codeOf(() => decodeDataset(seal(Uint8Array.of(...body, 0))))).toBe('data.unreadable');
    const nextVersion = encoded.slice();
    nextVersion[7] = 2;
    expect(() => decodeDataset(nextVersion)).toThrow('expected version 1, got 2');
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(codeOf(() => decodeDataset(bytes))).toBe('data.unreadable');
    }));
  });

  it('with a digest that was made to fit are unreadable, or a data set within its bounds', () => {
    let unreadable = 0;
    fc.assert(fc.property(fc.nat(body.length - 1), fc.nat(255), fc.nat(3), (at, value, cut) => {
      const forged = body.slice(0, body.length - cut);
      if (at < forged.length) forged[at] = value;
      try {
        const { catalogue, shoppers } = decodeDataset(seal(forged));
        for (const { history } of shoppers) {
          expect(history.items.every((item) => item >= 0 && item < catalogue.products.length)).toBe(true);
          expect(history.visitTimes.every((time, visit) => Number.isFinite(time) && (visit === 0 || time >= history.visitTimes[visit - 1]))).toBe(true);
        }
      } catch (thrown) {
        if (codeOf(() => { throw thrown; }) !== 'data.unreadable') throw thrown;
        unreadable += 1;
      }
    }), { numRuns: 3000 });
    expect(unreadable).toBeGreaterThan(0);
  });

  it('with a forged count do not make the reader ask for memory it cannot fill', () => {
    const forged = byteWriter();
    forged.text('name');
    forged.text(JSON.stringify(sample.report));
    forged.uint(Number.MAX_SAFE_INTEGER);
    expect(() => decodeDataset(seal(forged.bytes()))).toThrow('item count: expected at most 0 entries, got 9007199254740991');
  });
});

describe('variable-length integers', () => {
  it('come back for every safe integer, alone and in a row', () => {
    fc.assert(fc.property(fc.array(fc.maxSafeNat()), (values) => {
      const out = byteWriter();
      for (const value of [0, 127, 128, Number.MAX_SAFE_INTEGER, ...values]) out.uint(value);
      const input = byteReader(out.bytes());
      expect([0, 127, 128, Number.MAX_SAFE_INTEGER, ...values].map(() => input.uint('value'))).toEqual([0, 127, 128, Number.MAX_SAFE_INTEGER, ...values]);
      input.end();
    }));
  });

  it.each([-1, 0.5, NaN, 2 ** 53])('are not made of %d', (value) => {
    expect(codeOf(() => byteWriter().uint(value))).toBe('internal');
  });

  it('are refused when they are too long, cut or above their bound', () => {
    expect(codeOf(() => byteReader(new Uint8Array(9).fill(255)).uint('value'))).toBe('data.unreadable');
    expect(codeOf(() => byteReader(Uint8Array.of(128)).uint('value'))).toBe('data.unreadable');
    expect(codeOf(() => byteReader(Uint8Array.of(8)).uint('value', 7))).toBe('data.unreadable');
    expect(byteReader(Uint8Array.of(7)).uint('value', 7)).toBe(7);
  });
});
