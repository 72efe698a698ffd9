/** What every model promises, whatever its layout. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { trainCentrally } from '../evaluation/central-training.ts';
import { decodeTensors, encodeTensors, type NamedTensors } from '../../shared/protocol/tensors.ts';
import { modelKinds, type AnyFederatedModel, type ModelKind } from '../../shared/recommender/federated-model.ts';
import { createModel } from '../../shared/recommender/registry.ts';
import { anyHistory, codeOf, contributionOf, entriesOf, scoresOf, teaCatalogue, visits } from './fixtures.ts';

const items = 7;
const catalogue = teaCatalogue(items);
const histories = [visits([0, 1], [2]), visits([0, 1, 3]), visits([4], [5], [0, 4]), visits([1, 2, 6])];
const exactly = (model: AnyFederatedModel, params: unknown): NamedTensors => decodeTensors(encodeTensors(model.encode(params))).tensors;

/** A network of the usual size would only make the tests slow. */
const settingsOf = (kind: ModelKind): object => (kind === 'sequence' ? { width: 8, negatives: 3 } : {});
const prepared = async (kind: ModelKind): Promise<AnyFederatedModel> => {
  const model = createModel(kind, catalogue, settingsOf(kind));
  await model.prepare?.();
  return model;
};

describe.each(modelKinds)('%s', async (kind) => {
  const model = await prepared(kind);
  const trained = trainCentrally(model, histories);

  it('keeps every contribution inside its bounds, finite, and on distinct coordinates of the statistic', () => {
    fc.assert(fc.property(anyHistory(items), (history) => {
      const entries = entriesOf(contributionOf(model, history));
      const norm = Math.sqrt(entries.reduce((sum, [, value]) => sum + value ** 2, 0));
      expect(norm).toBeLessThanOrEqual(model.normBound * (1 + 1e-12));
      expect(new Set(entries.map(([index]) => index)).size).toBe(entries.length);
      const length = model.statisticLength();
      const fits = ([index, value]: [number, number]): boolean => Number.isInteger(index) && index >= 0 && index < length && Math.abs(value) <= model.entryBound * (1 + 1e-12);
      expect(entries.filter((entry) => !fits(entry))).toEqual([]);
    }));
  });

  it('reaches its entry bound for some shopper, so the bound is not slack by a factor of two', () => {
    const largest = Math.max(...[visits([0]), visits([0, 1]), visits([0], [0])].flatMap((history) => entriesOf(contributionOf(model, history)).map(([, value]) => Math.abs(value))));
    expect(largest).toBeGreaterThan(model.entryBound / 2);
  });

  it('contributes nothing for an empty history', () => {
    expect(entriesOf(contributionOf(model, visits()))).toEqual([]);
  });

  it('scores the same after a release was written and read', () => {
    const reread = model.decode(exactly(model, trained));
    for (const history of histories) expect(scoresOf(model, reread, history, items)).toEqual(scoresOf(model, trained, history, items));
    expect(exactly(model, reread)).toEqual(exactly(model, trained));
  });

  it('writes a finite score for every item, with and without a history, before and after training', () => {
    for (const params of [model.initial(), trained]) {
      for (const history of [visits(), visits([0]), visits([0, 1, 2], [3])]) {
        expect(scoresOf(model, params, history, items).every(Number.isFinite)).toBe(true);
      }
    }
  });

  it('does not let one call change the next', () => {
    const first = scoresOf(model, trained, visits([0, 1]), items);
    scoresOf(model, trained, visits([5], [6]), items);
    expect(scoresOf(model, trained, visits([0, 1]), items)).toEqual(first);
  });

  it('trains the same parameters from the same histories twice', async () => {
    expect(exactly(model, trainCentrally(await prepared(kind), histories))).toEqual(exactly(model, trained));
  });

  it('takes a second round', () => {
    const again = trainCentrally(model, histories, { params: trained });
    expect(scoresOf(model, again, visits([0]), items).every(Number.isFinite)).toBe(true);
  });

  it('passes over items that the release does not know', () => {
    expect(scoresOf(model, trained, visits([0, items + 3]), items)).toEqual(scoresOf(model, trained, visits([0]), items));
  });

  it('explains an item by items of the history alone, strongest first, within the limit', () => {
    const reasons = model.explain(trained, visits([0, 2, 4, 5]), 1, 2);
    expect(reasons.length).toBeLessThanOrEqual(2);
    for (const { item } of reasons) expect([0, 2, 4, 5]).toContain(item);
    expect(reasons.map(({ weight }) => weight)).toEqual(reasons.map(({ weight }) => weight).sort((a, b) => b - a));
    expect(reasons.every(({ weight }) => weight > 0)).toBe(true);
  });

  const names = Object.keys(model.encode(trained));
  it.each(names)('refuses a release without %s, of another shape, or of another type', (name) => {
    const tensors = exactly(model, trained);
    const { [name]: tensor, ...others } = tensors;
    const longer = Float32Array.from({ length: tensor.data.length + 1 }, () => 0);
    const transposed = { shape: [1, tensor.data.length], data: tensor.data };
    const bytes = { shape: [tensor.data.length], data: new Int8Array(tensor.data.length) };
    // Without its memory a release still scores; every other tensor must be there.
    if (!name.startsWith('memory')) expect(codeOf(() => model.decode(others))).toBe('release.untrusted');
    for (const wrong of [{ shape: [longer.length], data: longer }, transposed, bytes]) {
      expect(codeOf(() => model.decode({ ...others, [name]: wrong }))).toBe('release.untrusted');
    }
  });

  it.each([NaN, Infinity, -Infinity])('refuses a release with %s in it', (value) => {
    const tensors = exactly(model, trained);
    for (const name of names) {
      const { shape, data } = tensors[name];
      if (!(data instanceof Float32Array || data instanceof Float64Array) || data.length === 0) continue;
      const spoilt = data.slice();
      spoilt[spoilt.length - 1] = value;
      expect(codeOf(() => model.decode({ ...tensors, [name]: { shape, data: spoilt } }))).toBe('release.untrusted');
    }
  });

  it('refuses partners outside the catalogue, out of order, and offsets that do not fit', () => {
    const tensors = exactly(model, trained);
    for (const name of names) {
      const { shape, data } = tensors[name];
      if (name.endsWith('_partners')) {
        const outside = data.slice();
        outside[0] = items;
        const equal = data.slice().fill(items - 1);
        for (const wrong of [outside, equal]) expect(codeOf(() => model.decode({ ...tensors, [name]: { shape, data: wrong } }))).toBe('release.untrusted');
      }
      if (name.endsWith('_starts')) {
        const falling = data.slice();
        falling[1] = data[data.length - 1] + 1;
        const negative = data.slice();
        negative[0] = -1;
        for (const wrong of [falling, negative]) expect(codeOf(() => model.decode({ ...tensors, [name]: { shape, data: wrong } }))).toBe('release.untrusted');
      }
    }
  });
});
