import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { historyOf, type ShopperHistory } from '../../shared/commerce/history.ts';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { createAccumulator, maxCoordinate } from '../../shared/federation/accumulator.ts';
import { budgetReport, describePrivacy, roundCost } from '../../shared/federation/budget-report.ts';
import { parsePlan, planHash, totalNoiseStd, type Plan } from '../../shared/federation/plan.ts';
import { epsilonOfRounds, planEvents } from '../../shared/federation/plan-cost.ts';
import { drawNoise } from '../../shared/federation/noise-shares.ts';
import { addDrawnNoise, startStatistic, withoutMask } from '../../shared/federation/statistic.ts';
import { makePlan, parseTaskSpec, type TaskSpec } from '../../shared/federation/task.ts';
import { systemRandom } from '../../client/secure-random.ts';
import { composedRdp } from '../../shared/privacy/accounting/rdp.ts';
import type { Clipped } from '../../shared/privacy/vectors.ts';
import { seededRandom } from '../../shared/numerics/random.ts';
import { createModel } from '../../shared/recommender/registry.ts';

const items = 6;
const catalogue = createCatalogue(Array.from({ length: items }, (_, index) => ({ id: `item-${index}`, title: `thing ${index}` })));
const model = createModel('popularity', catalogue, {});
const secure = systemRandom();

function task(privacy: object, changes: object = {}): TaskSpec {
  return parseTaskSpec({
    name: 'main',
    model: { kind: 'popularity' },
    privacy,
    cohort: { minParticipants: 1, targetParticipants: 4 },
    deadlines: { recruitingMs: 1000, trainingMs: 1000 },
    maxShoppersPerShop: 50,
    ...changes,
  });
}

function planFor(privacy: object, changes: object = {}): Plan {
  return makePlan(task(privacy, changes), { model, catalogue, roundNumber: 1, baseRelease: null });
}

const anyHistory: fc.Arbitrary<ShopperHistory> = fc
  .array(fc.array(fc.nat(items - 1), { minLength: 1, maxLength: 5 }), { maxLength: 4 })
  .map((visits) => historyOf(visits.map((visit, time) => ({ time, items: visit }))));

function startedSum(plan: Plan, histories: readonly ShopperHistory[]): Clipped {
  const statistic = startStatistic(model, model.initial(), plan, secure);
  for (const history of histories) statistic.add(history);
  return statistic.finish();
}

const clippedSum = (plan: Plan, histories: readonly ShopperHistory[]): Int32Array => startedSum(plan, histories);

describe('a statistic', () => {
  it('moves by at most gridScale * clipNorm when one shopper is added', () => {
    const plan = planFor({ mode: 'local', epsilon: 1, delta: 1e-5 });
    const limit = plan.bounds.gridScale * (plan.bounds.clipNorm ?? NaN);
    fc.assert(fc.property(fc.array(anyHistory, { maxLength: 5 }), anyHistory, (others, shopper) => {
      const without = clippedSum(plan, others);
      const moved = clippedSum(plan, [...others, shopper]).reduce((sum, value, index) => sum + (value - without[index]) ** 2, 0);
      expect(Math.sqrt(moved)).toBeLessThanOrEqual(limit);
    }));
  });

  it('counts shoppers inside the vector, and the sum of several shops decodes to what they hold', () => {
    const plan = planFor({ mode: 'none' });
    const history = historyOf([{ time: 1, items: [2] }]);
    const accumulator = createAccumulator(plan);
    for (let shop = 0; shop < 3; shop += 1) {
      accumulator.add(withoutMask(addDrawnNoise(startedSum(plan, [history, history]), drawNoise(plan, 1, secure)), plan));
    }
    const aggregate = accumulator.decode();
    expect(aggregate.shoppers).toBe(6);
    expect(aggregate.noiseStd).toBe(0);
    expect([...aggregate.sum].map((value) => Math.round(value * 1000) / 1000)).toEqual([0, 0, 6, 0, 0, 0]);
  });

  it('carries noise of the plan\'s standard deviation in mode local', () => {
    // The same plan over a long vector: 400 zero statistics of 7 coordinates.
    const plan = planFor({ mode: 'local', epsilon: 1, delta: 1e-5 });
    const noiseStd = plan.privacy.mode === 'local' ? plan.privacy.noiseStd * plan.bounds.gridScale : NaN;
    let [sum, squares, draws] = [0, 0, 0];
    for (let repeat = 0; repeat < 400; repeat += 1) {
      for (const value of addDrawnNoise(startedSum(plan, []), drawNoise(plan, 1, secure))) {
        sum += value;
        squares += value * value;
        draws += 1;
      }
    }
    // Six standard errors: a false alarm once in 10^8 runs.
    expect(Math.abs(sum / draws)).toBeLessThan(6 * noiseStd / Math.sqrt(draws));
    expect(Math.abs(squares / draws / noiseStd ** 2 - 1)).toBeLessThan(6 * Math.sqrt(2 / draws));
  });

  it('refuses a shopper too many and a plan of another length', () => {
    const plan = planFor({ mode: 'none' }, { maxShoppersPerShop: 1 });
    const statistic = startStatistic(model, model.initial(), plan, secure);
    statistic.add(historyOf([]));
    expect(() => statistic.add(historyOf([]))).toThrow(/expected at most 1 in one shop/);
    expect(() => startStatistic(model, model.initial(), { ...plan, statisticLength: 9 }, secure)).toThrow(/expected 7 .* got 9/);
  });
});

describe('an accumulator', () => {
  it('refuses a report of another length and an empty sum', () => {
    const accumulator = createAccumulator(planFor({ mode: 'none' }));
    expect(() => accumulator.add(new Int32Array(3))).toThrow(/expected 7 coordinates, got 3/);
    expect(() => accumulator.decode()).toThrow(/at least one report/);
  });

  it('accepts what any honest shop reports: the range covers all its shoppers and its noise', () => {
    const plan = planFor({ mode: 'local', epsilon: 0.5, delta: 1e-6 });
    const full = Array.from({ length: 50 }, () => historyOf([{ time: 0, items: [1] }]));
    const statistic = startStatistic(model, model.initial(), plan, secure);
    for (const history of full) statistic.add(history);
    const report = addDrawnNoise(statistic.finish(), drawNoise(plan, 1, secure));
    expect(Math.max(...report.map(Math.abs))).toBeLessThanOrEqual(maxCoordinate(plan));
    expect(maxCoordinate(plan)).toBeLessThan(2 ** 31);
  });
});

describe('a plan', () => {
  it('has the same hash on both sides and another for any change', () => {
    const plan = planFor({ mode: 'local', epsilon: 1, delta: 1e-5 });
    expect(planHash(parsePlan(JSON.parse(JSON.stringify(plan))))).toBe(planHash(plan));
    expect(planHash({ ...plan, round: 'main-2' })).not.toBe(planHash(plan));
    expect(planHash({ ...plan, bounds: { ...plan.bounds, gridScale: plan.bounds.gridScale / 2 } })).not.toBe(planHash(plan));
  });

  it('spends no more than it promises, and nearly all of it', () => {
    for (const rounds of [1, 7]) {
      const plan = planFor({ mode: 'local', epsilon: 2, delta: 1e-5, rounds });
      const spent = epsilonOfRounds(plan, rounds) ?? NaN;
      expect(spent).toBeLessThanOrEqual(2);
      expect(spent).toBeGreaterThan(1.99);
    }
  });

  it('is refused with the field and the reason when nothing could enforce it', () => {
    expect(() => planFor({ mode: 'distributed', epsilon: 1, delta: 1e-5 })).toThrow(/minParticipants: expected at least 4 .* got 1/);
    expect(() => planFor({ mode: 'local', epsilon: 1, delta: 1e-5, tolerated: 1 })).toThrow(/privacy.tolerated/);
    expect(() => planFor({ mode: 'central', epsilon: 1, delta: 1e-5 })).toThrow(/experiments only/);
    for (const given of [{ epsilon: 1 }, { clipNorm: 2 }]) expect(() => planFor({ mode: 'none', ...given })).toThrow(/mode none/);
    expect(() => planFor({ mode: 'local' })).toThrow(/expected epsilon and delta/);
    for (const privacy of [{ mode: 'local', epsilon: 0, delta: 1e-5 }, { mode: 'local', epsilon: -1, delta: 1e-5 }, { mode: 'local', epsilon: 1, delta: 1 }, { mode: 'local', epsilon: 1, delta: 0 }, { mode: 'local', epsilon: NaN, delta: 1e-5 }, { mode: 'sideways' }]) {
      expect(() => task(privacy)).toThrow(/task: /);
    }
    expect(() => task({ mode: 'none' }, { unknownField: 1 })).toThrow(/unknownField/);
    expect(() => planFor({ mode: 'local', epsilon: 0.01, delta: 1e-9 }, { maxShoppersPerShop: 10_000_000, cohort: { minParticipants: 1, targetParticipants: 10_000 } })).toThrow(/gridScale/);
  });
});

/** Journal lines of `count` rounds under a plan. */
function spendsOf(plan: Plan, count: number, state: 'reserved' | 'committed' | 'abandoned' = 'committed') {
  return Array.from({ length: count }, (_, index) => ({ round: `main-${index + 1}`, purpose: 'training' as const, state, event: JSON.parse(JSON.stringify(roundCost(plan).events)) as unknown }));
}

describe('a budget report', () => {
  it('names unit, adjacency, delta, assumptions and the threat model, and what is left', () => {
    const spec = task({ mode: 'local', epsilon: 2, delta: 1e-5, rounds: 4, shopsPerShopper: 3 });
    const plan = makePlan(spec, { model, catalogue, roundNumber: 1, baseRelease: null });
    const before = budgetReport(spec, []);
    expect(before).toMatchObject({ epsilonLimit: 2, epsilonSpent: 0, epsilonLeft: 2, roundsLeft: 4, delta: 1e-5, state: 'open' });
    const after = budgetReport(spec, spendsOf(plan, 3));
    expect(after.roundsLeft).toBe(1);
    expect(after.epsilonSpent).toBeGreaterThan(0);
    expect(after.epsilonSpent).toBeLessThan(2);
    expect(after.unit).toContain('shopper');
    expect(after.threatModel).toContain('coordinator');
    expect(after.filterUsed).toBeCloseTo(0.75, 6);
    const at = after.rdp?.orders.indexOf(8) ?? -1;
    expect(after.rdp?.values[at]).toBeCloseTo(3 * composedRdp(planEvents(plan), 8), 9);
    // A person of three shops shifts the sum three times as far: more than three times the epsilon.
    expect(after.epsilonAcrossShops).toBeGreaterThan(3 * (after.epsilonSpent ?? NaN));
    expect(after.assumptions.join(' ')).toContain('3 shops');
    expect(after.shopLedger).toMatchObject({ unit: 'one whole shop' });
    expect(after.shopLedger?.epsilon).toBeGreaterThan(after.epsilonAcrossShops ?? NaN);
    expect(describePrivacy(plan, planEvents(plan), { noiseStd: totalNoiseStd(plan.privacy, 3) }).noiseStd).toBeCloseTo((plan.privacy.mode === 'local' ? plan.privacy.noiseStd : NaN) * Math.sqrt(3), 12);
  });

  it('counts what is reserved, not what was abandoned, and says when a task has spent all', () => {
    const spec = task({ mode: 'local', epsilon: 2, delta: 1e-5, rounds: 2 });
    const plan = makePlan(spec, { model, catalogue, roundNumber: 1, baseRelease: null });
    expect(budgetReport(spec, spendsOf(plan, 2, 'abandoned'))).toMatchObject({ epsilonSpent: 0, roundsCharged: 0, state: 'open' });
    const spent = budgetReport(spec, spendsOf(plan, 2, 'reserved'));
    expect(spent).toMatchObject({ roundsCharged: 2, roundsLeft: 0, state: 'exhausted' });
    expect(spent.filterUsed).toBeLessThanOrEqual(1);
    expect(spent.epsilonSpent).toBeGreaterThan(1.99);
  });

  it('refuses a journal of something else', () => {
    expect(() => budgetReport(task({ mode: 'local', epsilon: 2, delta: 1e-5 }), [{ round: 'main-1', purpose: 'training', state: 'committed', event: { mechanism: 'skellam' } }])).toThrow(expect.objectContaining({ code: 'storage.failed' }) as Error);
  });

  it('promises nothing in mode none', () => {
    const spends = [{ round: 'main-1', purpose: 'training', state: 'committed', event: [] }] as const;
    expect(budgetReport(task({ mode: 'none' }), spends)).toMatchObject({ epsilonLimit: null, epsilonSpent: null, epsilonLeft: null, delta: null, state: 'unlimited', roundsCharged: 1 });
  });
});

describe('secret sampling', () => {
  const promise = { mode: 'local', epsilon: 1, delta: 1e-6 };

  it('needs less noise for the same promise', () => {
    const noise = (rate: number): number => {
      const { privacy } = planFor({ ...promise, sampling: { rate, drawnBy: 'shop' } });
      return privacy.mode === 'local' ? privacy.noiseStd : NaN;
    };
    expect(noise(0.1)).toBeLessThan(0.5 * noise(1));
    expect(noise(1)).toBeCloseTo((planFor(promise).privacy as { noiseStd: number }).noiseStd, 9);
  });

  it('is refused where the coordinator would choose the sample, and out of range', () => {
    expect(() => planFor({ ...promise, sampling: { rate: 0.1, drawnBy: 'coordinator' } })).toThrow('privacy.sampling.drawnBy: expected shop');
    for (const rate of [0, -1, 1.5, NaN]) expect(() => task({ ...promise, sampling: { rate, drawnBy: 'shop' } })).toThrow('rate');
    expect(() => planFor({ mode: 'none', sampling: { rate: 0.5, drawnBy: 'shop' } })).toThrow('privacy.sampling');
  });

  it('a whole shop is in every round: its ledger claims no amplification', () => {
    const spec = task({ ...promise, sampling: { rate: 0.1, drawnBy: 'shop' } });
    const plan = makePlan(spec, { model, catalogue, roundNumber: 1, baseRelease: null });
    const report = budgetReport(spec, spendsOf(plan, 1));
    expect(report.epsilonSpent).toBeLessThanOrEqual(1);
    expect(report.shopLedger?.epsilon).toBeGreaterThan(100);
    expect(report.assumptions.join(' ')).toContain('probability 0.1');
  });
});

describe('the rotated encoding', () => {
  const privacy = { mode: 'local', epsilon: 5, delta: 1e-5, encoding: 'rotated' };
  const histories = Array.from({ length: 40 }, (_, shopper) => historyOf([{ time: 0, items: [shopper % 3] }]));

  it('decodes to what the sparse encoding decodes to, up to its noise and rounding', () => {
    const plan = planFor(privacy);
    expect(plan.bounds.encoding).toMatchObject({ kind: 'rotated', vectorLength: 7 });
    expect(plan.statisticLength).toBe(8);
    const accumulator = createAccumulator(plan);
    for (let shop = 0; shop < 2; shop += 1) accumulator.add(clippedSum(plan, histories));
    const { sum, shoppers } = accumulator.decode();
    // Rounding adds at most half a step of standard deviation for each of 80 shoppers: eight of them.
    const tolerance = (8 * 0.5 * Math.sqrt(80)) / plan.bounds.gridScale;
    expect(Math.abs(sum[0] - 28)).toBeLessThan(tolerance);
    expect(Math.abs(sum[5])).toBeLessThan(tolerance);
    expect(Math.abs(shoppers - 80)).toBeLessThan(tolerance / plan.bounds.countValue);
  });

  it('moves by at most its sensitivity when one shopper is added', () => {
    const plan = planFor(privacy);
    const [event] = planEvents(plan);
    const limit = event.kind === 'skellam' ? event.l2 : NaN;
    fc.assert(fc.property(anyHistory, (shopper) => {
      expect(Math.hypot(...clippedSum(plan, [shopper]))).toBeLessThanOrEqual(limit);
    }));
  });

  it('an honest report is in range', () => {
    const plan = planFor(privacy);
    const report = addDrawnNoise(startedSum(plan, histories), drawNoise(plan, 1, secure));
    expect(Math.max(...report.map(Math.abs))).toBeLessThanOrEqual(maxCoordinate(plan));
  });

  it('needs a clip norm', () => {
    expect(() => planFor({ mode: 'none', encoding: 'rotated' })).toThrow('privacy.encoding: expected sparse in mode none');
  });
});

describe('an adaptive clip norm', () => {
  const privacy = { mode: 'local', epsilon: 8, delta: 1e-5, rounds: 30, adaptiveClip: { expectedShoppers: 2000 } };

  it.each(['sparse', 'rotated'])('converges to the median norm from above and from below, %s', (encoding) => {
    // Every contribution of this model has norm 1.
    for (const start of [0.05, 20]) {
      let clipNorm = start;
      for (let round = 1; round <= 30; round += 1) {
        const plan = makePlan(task({ ...privacy, encoding, clipNorm: start }, { maxShoppersPerShop: 2000 }), { model, catalogue, roundNumber: round, baseRelease: null, clipNorm });
        const accumulator = createAccumulator(plan);
        const statistic = startStatistic(model, model.initial(), plan, seededRandom(round, `rounding ${start}`));
        for (let shopper = 0; shopper < 1000; shopper += 1) statistic.add(historyOf([{ time: 0, items: [1] }]));
        accumulator.add(statistic.finish());
        clipNorm = accumulator.decode().nextClipNorm ?? NaN;
      }
      // Two steps of e^(rate quantile) around the norm itself.
      expect(clipNorm).toBeGreaterThan(Math.exp(-0.2));
      expect(clipNorm).toBeLessThan(Math.exp(0.2));
    }
  }, 60_000);

  it('keeps the joint norm within the plan\'s, the bit included', () => {
    const plan = planFor({ ...privacy, clipNorm: 0.7 }, { maxShoppersPerShop: 2000 });
    const limit = plan.bounds.gridScale * (plan.bounds.clipNorm ?? NaN);
    fc.assert(fc.property(anyHistory, (shopper) => {
      expect(Math.hypot(...clippedSum(plan, [shopper]))).toBeLessThanOrEqual(limit);
    }));
    expect(plan.statisticLength).toBe(8);
  });

  it('is refused for small cohorts', () => {
    expect(() => planFor({ ...privacy, epsilon: 1, rounds: 1000, adaptiveClip: { expectedShoppers: 200 } })).toThrow(expect.objectContaining({ code: 'privacy.infeasible' }) as Error);
    expect(() => planFor({ mode: 'none', adaptiveClip: { expectedShoppers: 200 } })).toThrow('privacy.adaptiveClip');
  });
});
