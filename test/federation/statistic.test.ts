import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { historyOf, type ShopperHistory } from '../../shared/commerce/history.ts';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { createAccumulator, maxCoordinate } from '../../shared/federation/accumulator.ts';
import { budgetReport, describePrivacy, epsilonSpent } from '../../shared/federation/budget-report.ts';
import { parsePlan, planHash, type Plan } from '../../shared/federation/plan.ts';
import { maskStatistic, noiseStatistic, startStatistic } from '../../shared/federation/statistic.ts';
import { makePlan, parseTaskSpec, type TaskSpec } from '../../shared/federation/task.ts';
import { systemRandom } from '../../client/secure-random.ts';
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

function clippedSum(plan: Plan, histories: readonly ShopperHistory[]): Int32Array {
  const statistic = startStatistic(model, model.initial(), plan);
  for (const history of histories) statistic.add(history);
  return statistic.finish();
}

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
      accumulator.add(maskStatistic(noiseStatistic(startedWith(plan, [history, history]), plan, secure), plan));
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
      for (const value of noiseStatistic(startedWith(plan, []), plan, secure)) {
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
    const statistic = startStatistic(model, model.initial(), plan);
    statistic.add(historyOf([]));
    expect(() => statistic.add(historyOf([]))).toThrow(/expected at most 1 in one shop/);
    expect(() => startStatistic(model, model.initial(), { ...plan, statisticLength: 9 })).toThrow(/expected 7 .* got 9/);
  });

  function startedWith(plan: Plan, histories: readonly ShopperHistory[]) {
    const statistic = startStatistic(model, model.initial(), plan);
    for (const history of histories) statistic.add(history);
    return statistic.finish();
  }
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
    const statistic = startStatistic(model, model.initial(), plan);
    for (const history of full) statistic.add(history);
    const report = noiseStatistic(statistic.finish(), plan, secure);
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
      const spent = epsilonSpent(plan, rounds) ?? NaN;
      expect(spent).toBeLessThanOrEqual(2);
      expect(spent).toBeGreaterThan(1.99);
    }
  });

  it('is refused with the field and the reason when nothing could enforce it', () => {
    expect(() => planFor({ mode: 'distributed', epsilon: 1, delta: 1e-5 })).toThrow(/secure aggregation/);
    expect(() => planFor({ mode: 'central', epsilon: 1, delta: 1e-5 })).toThrow(/experiments only/);
    expect(() => planFor({ mode: 'none', epsilon: 1 })).toThrow(/mode none/);
    expect(() => planFor({ mode: 'local' })).toThrow(/expected epsilon and delta/);
    for (const privacy of [{ mode: 'local', epsilon: 0, delta: 1e-5 }, { mode: 'local', epsilon: -1, delta: 1e-5 }, { mode: 'local', epsilon: 1, delta: 1 }, { mode: 'local', epsilon: 1, delta: 0 }, { mode: 'local', epsilon: NaN, delta: 1e-5 }, { mode: 'sideways' }]) {
      expect(() => task(privacy)).toThrow(/task: /);
    }
    expect(() => task({ mode: 'none' }, { unknownField: 1 })).toThrow(/unknownField/);
    expect(() => planFor({ mode: 'local', epsilon: 0.01, delta: 1e-9 }, { maxShoppersPerShop: 10_000_000, cohort: { minParticipants: 1, targetParticipants: 10_000 } })).toThrow(/gridScale/);
  });
});

describe('a budget report', () => {
  it('names unit, adjacency, delta, assumptions and the threat model, and what is left', () => {
    const spec = task({ mode: 'local', epsilon: 2, delta: 1e-5, rounds: 4 });
    const plan = makePlan(spec, { model, catalogue, roundNumber: 1, baseRelease: null });
    const before = budgetReport(spec, null, 0);
    expect(before).toMatchObject({ epsilonLimit: 2, epsilonSpent: 0, epsilonLeft: 2, roundsLeft: 4, delta: 1e-5 });
    const after = budgetReport(spec, plan, 3);
    expect(after.roundsLeft).toBe(1);
    expect(after.epsilonSpent).toBeGreaterThan(0);
    expect(after.epsilonSpent).toBeLessThan(2);
    expect(after.unit).toContain('shopper');
    expect(after.threatModel).toContain('coordinator');
    expect(describePrivacy(plan, 4, 3).noiseStd).toBeCloseTo((plan.privacy.mode === 'local' ? plan.privacy.noiseStd : NaN) * Math.sqrt(3), 12);
  });

  it('promises nothing in mode none', () => {
    expect(budgetReport(task({ mode: 'none' }), planFor({ mode: 'none' }), 1)).toMatchObject({ epsilonLimit: null, epsilonSpent: null, epsilonLeft: null, delta: null });
  });
});
