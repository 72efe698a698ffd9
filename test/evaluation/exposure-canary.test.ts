import { describe, expect, it } from 'vitest';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { askCanary, canaryProbes, canarySchema, exposures, jumps } from '../../shared/evaluation/exposure-canary.ts';
import type { ScoredRelease } from '../../shared/evaluation/release-scores.ts';
import { createModel } from '../../shared/recommender/registry.ts';

const items = 60;
const catalogue = createCatalogue(Array.from({ length: items }, (_, i) => ({ id: `item-${String(i).padStart(2, '0')}`, title: `thing ${i}` })));
const model = createModel('popularity', catalogue, {});
const pause = () => Promise.resolve();
const spec = canarySchema.parse({});

/** Items are the more popular the lower their number, but for those that are pushed. */
function release(pushed: Readonly<Record<number, number>> = {}): ScoredRelease {
  const sum = Float64Array.from({ length: items }, (_, item) => pushed[item] ?? 1000 - item);
  return { model, params: model.update(model.initial(), { sum, shoppers: 100, noiseStd: 0 }) };
}

describe('probes', () => {
  it('are histories of one item, and pairs of those that are ranked first for nobody in particular', () => {
    const probes = canaryProbes(release(), items, 1);
    const singles = probes.filter((probe) => probe.items.length === 1).map((probe) => probe.items[0]);
    const pairs = probes.filter((probe) => probe.items.length === 2);
    expect(new Set(singles).size).toBe(items);
    expect(pairs.length).toBe(500);
    expect(Math.max(...pairs.flatMap((probe) => [...probe.items]))).toBeLessThan(40);
  });

  it('are a sample where the catalogue is large, another one for every seed, and the same for the same', () => {
    const many = 100_000;
    const large: ScoredRelease = { model: { ...model, score: (_params, _history, scores) => void scores.forEach((_, item) => (scores[item] = -item)) }, params: null };
    const [one, again, other] = [1, 1, 2].map((seed) => canaryProbes(large, many, seed));
    expect(one).toHaveLength(200);
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
  });
});

describe('exposure', () => {
  it('is 1 for the first place of every list, less for later ones, and nothing beyond the twentieth', async () => {
    const probes = canaryProbes(release(), items, 1).filter((probe) => probe.items.length === 1);
    const shares = await exposures(release(), probes, items, pause);
    // Every item is missing from the list of its own probe, where those behind it are one place further up.
    expect(shares[0]).toBeCloseTo(59 / 60, 12);
    expect(shares[1]).toBeCloseTo((58 * 0.95 + 1) / 60, 12);
    expect(shares[20]).toBeCloseTo((20 * 0.05) / 60, 12);
    expect(shares[21]).toBe(0);
  });

  it('jumps where it is more by the factor and by the share, largest first', () => {
    const served = Float64Array.of(0.1, 0, 0.2, 0.01, 0);
    const candidate = Float64Array.of(0.29, 0.05, 0.9, 0.2, 0.051);
    expect(jumps(served, candidate, { factor: 3, share: 0.05 }).map(({ item }) => item)).toEqual([2, 3, 4]);
  });
});

describe('a canary', () => {
  const ask = (served: ScoredRelease, candidate: ScoredRelease) => askCanary(served, candidate, { spec, catalogue, seed: 7, pause });

  it('names what jumped', async () => {
    const verdict = await ask(release(), release({ 59: 5000, 40: 5001 }));
    expect(verdict).toMatchObject({ factor: 3, share: 0.1, items: [{ item: 'item-40', served: 0 }, { item: 'item-59', served: 0 }] });
    expect(verdict?.items.every(({ candidate }) => candidate > 0.9)).toBe(true);
  });

  it('has nothing to say where ranks change places only', async () => {
    expect(await ask(release(), release({ 5: 1200, 6: 980.5 }))).toBeNull();
  });

  it('does not compare models of different kinds', async () => {
    const other: ScoredRelease = { ...release({ 59: 5000 }), model: { ...model, kind: 'ease' } };
    expect(await ask(release(), other)).toBeNull();
  });
});
