import { describe, expect, it } from 'vitest';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { historyOf } from '../../shared/commerce/history.ts';
import { simulateRound } from '../../shared/evaluation/simulated-round.ts';
import type { Plan } from '../../shared/federation/plan.ts';
import { makePlan, parseTaskSpec } from '../../shared/federation/task.ts';
import type { DecodedSum } from '../../shared/federation/accumulator.ts';
import { createModel } from '../../shared/recommender/registry.ts';

const catalogue = createCatalogue(Array.from({ length: 300 }, (_, i) => ({ id: `p${i}`, title: `Product ${i}` })));
const model = createModel('popularity', catalogue, {});
/** Shoppers of a shop all buy its one item. */
const shopOf = (item: number, shoppers: number): ReturnType<typeof historyOf>[] => Array.from({ length: shoppers }, () => historyOf([{ time: 1, items: [item] }]));
const shops = [...Array.from({ length: 14 }, () => shopOf(0, 300)), shopOf(1, 6000)];

function planOf(robust: object): Plan {
  const task = parseTaskSpec({
    name: 'simulation', model: { kind: 'popularity' }, privacy: { mode: 'distributed', epsilon: 5, delta: 1e-5 },
    cohort: { minParticipants: 12, targetParticipants: 15, overSelection: 1 }, deadlines: { recruitingMs: 1, trainingMs: 1 }, maxShoppersPerShop: 6000, ...robust,
  });
  return makePlan(task, { model, catalogue, roundNumber: 1, baseRelease: null });
}

function perShopper({ sum, shoppers }: DecodedSum, item: number): number {
  return sum[item] / shoppers;
}

describe('a simulated round in groups', () => {
  const base = { params: model.initial(), strategy: null };
  const robust = { rule: 'median', byzantine: 1, groups: 3 };
  const plain = simulateRound(planOf({}), model, base, shops);
  const grouped = simulateRound(planOf({ robust }), model, base, shops);

  it('keeps one shop out of the result, wherever it is drawn', async () => {
    expect(perShopper((await plain.sum(1)).aggregate, 1)).toBeGreaterThan(0.5);
    for (const seed of [1, 2, 3]) {
      const { aggregate } = await grouped.sum(seed);
      expect(Math.abs(perShopper(aggregate, 1))).toBeLessThan(0.05);
      expect(Math.abs(perShopper(aggregate, 0) - 1)).toBeLessThan(0.05);
      expect(aggregate.robust).toMatchObject({ rule: 'median', reports: 3 });
    }
  });

  it('is repeatable, and says how much noisier its result is', async () => {
    expect(await grouped.sum(4)).toEqual(await grouped.sum(4));
    const items = Array.from({ length: 298 }, (_, i) => i + 2);
    const { aggregate: { sum, noiseStd } } = await grouped.sum(4);
    const seen = Math.sqrt(items.reduce((square, item) => square + sum[item] ** 2, 0) / items.length);
    // One group of three is spoilt, so that the median lies between two unequal ones: a rough agreement is all there can be.
    expect(seen / noiseStd).toBeGreaterThan(0.5);
    expect(seen / noiseStd).toBeLessThan(1.5);
    expect(noiseStd).toBeGreaterThan((await plain.sum(4)).aggregate.noiseStd);
  });
});
