import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeTensors, encodeTensors, type NamedTensors } from '../../shared/protocol/tensors.ts';
import { quantiseRows, requireRowTable } from '../../shared/recommender/quantised-rows.ts';
import { modelKinds, type AnyFederatedModel, type ModelKind } from '../../shared/recommender/federated-model.ts';
import { createModel } from '../../shared/recommender/registry.ts';
import { servingForm } from '../../shared/federation/serving-form.ts';
import { trainCentrally } from '../evaluation/central-training.ts';
import { codeOf, scoresOf, teaCatalogue, visits } from './fixtures.ts';

const table = (numbers: readonly number[]): NamedTensors => ({ table: { shape: [numbers.length], data: Float32Array.from(numbers) } });
const quantised = (numbers: readonly number[], width: number): { rows: number[]; scales: number[] } => {
  const { table: rows, table_scale: scales } = quantiseRows('table', table(numbers), width);
  return { rows: [...rows.data], scales: [...scales.data] };
};

describe('rows at one byte a number', () => {
  it('keep the largest number of every row, and zero, each row at a scale of its own', () => {
    expect(quantised([1.27, -0.02, 0, 254, -254, 100], 3)).toEqual({ rows: [127, -2, 0, 127, -127, 50], scales: [Math.fround(Math.fround(1.27) / 127), 2] });
  });

  it('are off by no more than half a step and what float32 rounds', () => {
    const number = fc.float({ noNaN: true, noDefaultInfinity: true });
    const row = fc.oneof(fc.array(number, { minLength: 4, maxLength: 4 }), fc.array(fc.float({ min: -1, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 }));
    fc.assert(fc.property(fc.array(row, { maxLength: 5 }), (rows) => {
      const numbers = rows.flat();
      const tensors = decodeTensors(encodeTensors(quantiseRows('table', table(numbers), 4))).tensors;
      const read = requireRowTable(tensors, 'table', rows.length, 4);
      const scales = tensors['table_scale'].data;
      numbers.forEach((expected, at) => {
        const scale = scales[Math.floor(at / 4)];
        // A row of scale 0 is one whose numbers are all below what a scale could hold.
        expect(Math.abs(read[at] - expected)).toBeLessThanOrEqual(scale === 0 ? 1.5e-36 : (0.5 + 2 ** -17) * scale);
      });
      expect(read.every(Number.isFinite)).toBe(true);
    }), { numRuns: 500 });
  });

  it('reach the largest float32 there is', () => {
    const largest = (2 - 2 ** -23) * 2 ** 127;
    const [above, below] = requireRowTable(quantiseRows('table', table([largest, -largest]), 2), 'table', 1, 2);
    expect([Math.abs(above / largest - 1) < 1e-6, below]).toEqual([true, -above]);
  });

  it('stay the same when they are read and rounded again', () => {
    fc.assert(fc.property(fc.array(fc.float({ min: -1000, max: 1000, noNaN: true }), { minLength: 6, maxLength: 6 }), (numbers) => {
      const once = quantiseRows('table', table(numbers), 3);
      const read = requireRowTable(once, 'table', 2, 3);
      expect(quantiseRows('table', { table: { shape: [6], data: read } }, 3)['table']).toEqual(once['table']);
    }));
  });

  it('are zeros with scale zero where there is nothing to scale', () => {
    expect(quantised([0, 0, 2 ** -149, -(2 ** -130), 3e-37, 0], 2)).toEqual({ rows: [0, 0, 0, 0, 0, 0], scales: [0, 0, 0] });
    expect(requireRowTable(quantiseRows('table', table([0, 0]), 2), 'table', 1, 2)).toEqual(Float32Array.of(0, 0));
  });

  it.each([NaN, Infinity, -Infinity])('are none with %s in them', (value) => {
    expect(codeOf(() => quantiseRows('table', table([1, value]), 2))).toBe('release.untrusted');
  });

  it('are made of whole rows of float32, once', () => {
    const twice = quantiseRows('table', table([1, 2]), 2);
    for (const [tensors, width] of [[table([1, 2, 3]), 2], [{}, 2], [twice, 2], [{ table: { shape: [2], data: Float64Array.of(1, 2) } }, 2]] as const) {
      expect(codeOf(() => quantiseRows('table', tensors, width))).toBe('release.untrusted');
    }
  });
});

describe('a table of a release', () => {
  const good = quantiseRows('table', table([1, 2, 3, 4, 5, 6]), 3);
  const read = (changes: NamedTensors, without: readonly string[] = []): unknown =>
    codeOf(() => requireRowTable(Object.fromEntries(Object.entries({ ...good, ...changes }).filter(([name]) => !without.includes(name))), 'table', 2, 3));

  it('is read in either form, flat or as rows', () => {
    const numbers = Float32Array.of(1, 2, 3, 4, 5, 6);
    for (const shape of [[6], [2, 3]]) expect(requireRowTable({ table: { shape, data: numbers } }, 'table', 2, 3)).toEqual(numbers);
    expect([...requireRowTable(good, 'table', 2, 3)].map((value) => Math.round(value * 10) / 10)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(read({})).toBe('nothing thrown');
  });

  it.each([NaN, Infinity, -Infinity, -1e-9, 3e36])('is refused with a scale of %s', (scale) => {
    expect(read({ table_scale: { shape: [2], data: Float32Array.of(1, scale) } })).toBe('release.untrusted');
  });

  it('is refused without its scales, or with those of another table', () => {
    expect(read({}, ['table_scale'])).toBe('release.untrusted');
    for (const scales of [{ shape: [3], data: new Float32Array(3) }, { shape: [1, 2], data: new Float32Array(2) }, { shape: [2], data: new Float64Array(2) }]) expect(read({ table_scale: scales })).toBe('release.untrusted');
  });

  it('is refused in another shape or type, or with a number that no row has', () => {
    for (const shape of [[6], [3, 2], [1, 2, 3]]) expect(read({ table: { ...good['table'], shape } })).toBe('release.untrusted');
    expect(read({ table: { shape: [2, 4], data: new Int8Array(8) } })).toBe('release.untrusted');
    expect(read({ table: { shape: [2, 3], data: new Uint8Array(6) } })).toBe('release.untrusted');
    expect(read({ table: { shape: [2, 3], data: Int8Array.of(1, 2, 3, 4, 5, -128) } })).toBe('release.untrusted');
    expect(read({}, ['table'])).toBe('release.untrusted');
  });

  it('is refused as float32 with scales beside it: it is one or the other', () => {
    expect(read({ table: { shape: [6], data: new Float32Array(6) } })).toBe('release.untrusted');
  });
});

/** A network of the usual size would only make the tests slow. */
const modelOf = (kind: ModelKind, items: number): AnyFederatedModel => createModel(kind, teaCatalogue(items), kind === 'sequence' ? { width: 8, negatives: 3 } : {});

describe.each(modelKinds.filter((kind) => modelOf(kind, 4).rowTables !== undefined))('%s', async (kind) => {
  const items = 7;
  const model = modelOf(kind, items);
  await model.prepare?.();
  const trained = trainCentrally(model, [visits([0, 1], [2]), visits([0, 1, 3]), visits([4], [5], [0, 4]), visits([1, 2, 6])]);
  const form = servingForm(model.encode(trained), model, 'int8');

  it('scores with 8-bit numbers nearly as it does with its own', () => {
    const read = model.decode(form?.tensors ?? {});
    for (const history of [visits(), visits([0]), visits([1], [2])]) {
      const exact = scoresOf(model, trained, history, items);
      const span = Math.max(...exact) - Math.min(...exact);
      scoresOf(model, read, history, items).forEach((score, item) => expect(Math.abs(score - exact[item])).toBeLessThan(0.05 * span));
    }
  });

  it('is refused with tables of another width, or of another catalogue', () => {
    expect(codeOf(() => modelOf(kind, items + 1).decode(form?.tensors ?? {}))).toBe('release.untrusted');
    for (const table of Object.keys(model.rowTables ?? {})) {
      const { [table]: { data } } = form?.tensors ?? {};
      expect(codeOf(() => model.decode({ ...form?.tensors, [table]: { shape: [items, data.length / items + 1], data: new Int8Array(data.length + items) } }))).toBe('release.untrusted');
    }
  });
});
