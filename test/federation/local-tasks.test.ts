import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemRandom } from '../../client/secure-random.ts';
import { checkPromise, checkShape } from '../../client/plan-checks.ts';
import { spendOf } from '../../client/spends.ts';
import { createAccumulator, maxCoordinate, type DecodedReports } from '../../shared/federation/accumulator.ts';
import { budgetReport, describePrivacy, roundCost } from '../../shared/federation/budget-report.ts';
import { contributionCount } from '../../shared/federation/contribution-count.ts';
import { parsePlan, type Plan } from '../../shared/federation/plan.ts';
import { planEvents, planSensitivity } from '../../shared/federation/plan-cost.ts';
import { contributeShop } from '../../shared/federation/shop-change.ts';
import { countStepsOf, startStatistic } from '../../shared/federation/statistic.ts';
import { makePlan, parseTaskSpec, type TaskSpec } from '../../shared/federation/task.ts';
import type { ShopperHistory } from '../../shared/commerce/history.ts';
import { seededRandom } from '../../shared/numerics/random.ts';
import type { AnyFederatedModel } from '../../shared/recommender/federated-model.ts';
import { createModel } from '../../shared/recommender/registry.ts';
import { codeOf } from '../recommender/fixtures.ts';
import { buyer, quadraticCatalogue as catalogue, quadraticItems, quadraticModel } from './quadratic.ts';

const model = quadraticModel() as AnyFederatedModel;
const noisy = { mode: 'local', epsilon: 4, delta: 1e-5, rounds: 2, clipNorm: 0.5 };
const rotated = { ...noisy, encoding: 'rotated' };

function task(privacy: object, changes: object = {}): TaskSpec {
  return parseTaskSpec({
    name: 'main', model: { kind: 'sequence' }, privacy, cohort: { minParticipants: 1, targetParticipants: 4, overSelection: 1 },
    deadlines: { recruitingMs: 1000, trainingMs: 1000 }, maxShoppersPerShop: 20, ...changes,
  });
}

function planOf(privacy: object, changes: object = {}, of: AnyFederatedModel = model): Plan {
  return makePlan(task(privacy, changes), { model: of, catalogue, roundNumber: 1, baseRelease: null });
}

const messageOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    return `${(error as { code?: string }).code}: ${(error as Error).message}`;
  }
  return 'nothing thrown';
};

async function shopSum(plan: Plan, histories: readonly ShopperHistory[], of = model): Promise<Int32Array> {
  return (await contributeShop({ plan, model: of, params: of.initial(), histories, controls: null, random: seededRandom(1), pause: () => Promise.resolve() })).sum;
}

function decoded(plan: Plan, sums: readonly Int32Array[]): DecodedReports {
  const accumulator = createAccumulator(plan);
  for (const sum of sums) accumulator.add(sum);
  return accumulator.decode();
}

const rounded = (values: Iterable<number>, digits = 4): number[] => Array.from(values, (value) => Math.round(value * 10 ** digits) / 10 ** digits + 0);

describe('a task is refused when it is submitted', () => {
  const neighbours = createModel('neighbours', catalogue, {});
  const unknownRate = quadraticModel({ rate: null }) as AnyFederatedModel;
  const scaffold = { strategy: { kind: 'scaffold', localSteps: 2 } };
  it.each([
    ['a strategy that its model has no use for', { strategy: { kind: 'fedavg' } }, neighbours, 'plan.invalid: strategy: expected none for neighbours'],
    ['unit shop and a sum over shoppers', { unit: 'shop' }, neighbours, 'plan.invalid: unit: expected shopper for neighbours'],
    ['weights without events', { weightedUpTo: 9 }, neighbours, 'plan.invalid: weightedUpTo: expected none for neighbours'],
    ['fedprox of single shoppers', { strategy: { kind: 'fedprox' } }, model, 'plan.invalid: strategy: expected unit shop for fedprox'],
    ['scaffold of single shoppers', scaffold, model, 'plan.invalid: strategy: expected unit shop for scaffold'],
    ['scaffold and steps of several rates', { unit: 'shop', ...scaffold }, unknownRate, 'plan.invalid: strategy: expected a model that trains by plain gradient steps'],
    ['scaffold and weights', { unit: 'shop', ...scaffold, weightedUpTo: 3 }, model, 'plan.invalid: weightedUpTo: expected none with scaffold'],
    ['weights of shops and a rule that compares them one by one', { unit: 'shop', weightedUpTo: 3, robust: { rule: 'median', byzantine: 1 }, cohort: { minParticipants: 3, targetParticipants: 4 } }, model, 'plan.invalid: weightedUpTo: expected none with unit shop and median of reports'],
    ['scaffold and a rule that is no mean', { unit: 'shop', ...scaffold, robust: { rule: 'median', byzantine: 1 }, cohort: { minParticipants: 3, targetParticipants: 4 } }, model, 'plan.invalid: robust: expected none with scaffold'],
    ['scaffold and late reports', { unit: 'shop', ...scaffold, aggregation: { kind: 'buffered', maxStaleness: 2 } }, model, 'plan.invalid: aggregation: expected rounds with scaffold'],
  ])('%s', (_what, changes, of, message) => {
    expect(messageOf(() => planOf({ mode: 'none' }, changes, of))).toContain(message);
  });

  it('a field that its strategy does not know, a gate or a sample with unit shop, a canary with scaffold', () => {
    expect(messageOf(() => task({ mode: 'none' }, { strategy: { kind: 'fedadam', momentum: 0.9 } }))).toMatch(/^plan\.invalid: .*momentum[\s\S]*strategy/);
    expect(messageOf(() => task({ mode: 'none', rounds: 2 }, { unit: 'shop', gate: {} }))).toMatch(/expected none with unit shop[\s\S]*gate/);
    expect(messageOf(() => task({ mode: 'none', rounds: 2 }, { unit: 'shop', ...scaffold, canary: {} }))).toMatch(/expected none with scaffold[\s\S]*canary/);
    expect(messageOf(() => task({ ...rotated, sampling: { rate: 0.5, drawnBy: 'shop' } }, { unit: 'shop' }))).toMatch(/expected 1 with unit shop[\s\S]*sampling/);
    expect(planOf({ ...rotated, sampling: { rate: 1, drawnBy: 'shop' } }, { unit: 'shop' }).privacy).toMatchObject({ sampling: 1 });
  });

  it('noise on a whole shop without a clip norm, or on a grid that rounds its small entries away', () => {
    const { clipNorm: _clipNorm, ...unclipped } = rotated;
    expect(messageOf(() => planOf(unclipped, { unit: 'shop' }))).toContain('privacy.invalid: privacy.clipNorm: expected a positive number, since contributions of a whole shop');
    expect(messageOf(() => planOf(noisy, { unit: 'shop' }))).toContain('privacy.invalid: privacy.encoding: expected rotated with unit shop');
  });
});

describe('a plan of unit shop', () => {
  it('has room for one contribution a shop, whatever the task says of shoppers', () => {
    const plan = planOf(rotated, { unit: 'shop', strategy: { kind: 'fedadam' } });
    expect(plan).toMatchObject({ unit: 'shop', strategy: { kind: 'fedadam', tau: 1e-3 }, bounds: { maxShoppersPerShop: 1, rowCap: 0.5 } });
    expect(maxCoordinate(plan)).toBeLessThan(maxCoordinate(planOf(rotated)));
    checkShape(plan, model);
    checkPromise(plan);
  });

  it('is refused by a shop that cannot train so, and by both sides with a sample or room for more', () => {
    const plan = planOf(rotated, { unit: 'shop' });
    expect(codeOf(() => checkShape({ ...plan, strategy: { kind: 'scaffold', learningRate: 1, localSteps: 2 } }, quadraticModel({ rate: null }) as AnyFederatedModel))).toBe('plan.invalid');
    expect(codeOf(() => checkShape(plan, { ...model, local: undefined } as unknown as AnyFederatedModel))).toBe('plan.invalid');
    expect(codeOf(() => parsePlan({ ...plan, privacy: { ...plan.privacy, sampling: 0.5 } }))).toBe('plan.invalid');
    expect(codeOf(() => parsePlan({ ...plan, bounds: { ...plan.bounds, maxShoppersPerShop: 2 } }))).toBe('plan.invalid');
    expect(codeOf(() => startStatistic(model, model.initial(), plan, systemRandom()))).toBe('plan.invalid');
  });

  it('costs a shop what it says and one of its shoppers as much as a pair', () => {
    const spec = task(rotated, { unit: 'shop' });
    const plan = planOf(rotated, { unit: 'shop' });
    const [event] = planEvents(plan);
    const spent = spendOf(plan, '', '').events?.[0];
    expect(event).toMatchObject({ kind: 'skellam', sampling: 1, l2: planSensitivity(plan).l2 });
    expect(spent).toMatchObject({ l2: 2 * planSensitivity(plan).l2 });
    const report = budgetReport(spec, [{ round: plan.round, purpose: 'training', state: 'committed', event: roundCost(plan).events }]);
    expect(report).toMatchObject({ unit: 'one whole shop', shopLedger: null, shopperLedger: { unit: 'one shopper in one shop' } });
    expect(report.adjacency).toContain('all data of one shop');
    expect(report.epsilonSpent).toBeLessThan(report.shopperLedger?.epsilon ?? NaN);
    expect(report.shopperLedger?.epsilon).toBeLessThan(report.epsilonAcrossShops ?? NaN);
    expect(report.assumptions.join(' ')).toContain('up to twice the clip norm');
    const statement = describePrivacy({ ...plan, weightedUpTo: 7 }, planEvents(plan), { noiseStd: 1 });
    expect(statement.unit).toBe('one whole shop');
    expect(statement.assumptions.join(' ')).toContain('counts min(n, 7) / 7');
  });
});

describe('the contribution of a shop', () => {
  it('is the change of one training on all its shoppers, counted as one', async () => {
    const plan = planOf({ mode: 'none' }, { unit: 'shop' });
    const sums = [await shopSum(plan, [buyer(0), buyer(0, 1)]), await shopSum(plan, [buyer(2)])];
    const { sum, shoppers } = decoded(plan, sums);
    expect(shoppers).toBe(2);
    // Two steps at rate 1/4 go 1 - (3/4)^2 = 7/16 of the way to the mean of a shop's shoppers.
    expect(rounded(sum)).toEqual([0.4375, 0.2188, 0.4375, 0, 0]);
  });

  it('is nothing where nobody consents or nothing can be trained on', async () => {
    const plan = planOf({ mode: 'none' }, { unit: 'shop' });
    const idle = quadraticModel({ steps: 0 }) as AnyFederatedModel;
    expect([...(await shopSum(plan, []))].every((value) => value === 0)).toBe(true);
    expect([...(await shopSum(plan, [buyer(1)], idle))].every((value) => value === 0)).toBe(true);
  });

  it('loads what it computes with whoever consents: that is told with the report', async () => {
    const plan = planOf({ mode: 'none' }, { unit: 'shop' });
    let loads = 0;
    const loading = { ...model, prepare: () => Promise.resolve(void (loads += 1)) };
    await shopSum(plan, [], loading);
    await shopSum(plan, [buyer(1)], loading);
    expect(loads).toBe(2);
  });

  it('obeys the plan: the proximal term, the steps of scaffold and its correction', async () => {
    const start = { params: model.initial(), model, histories: [buyer(0)], random: seededRandom(1), pause: () => Promise.resolve() };
    const prox = planOf({ mode: 'none' }, { unit: 'shop', strategy: { kind: 'fedprox', mu: 1 } });
    const { sum } = await contributeShop({ ...start, plan: prox, controls: null });
    // 1/4, then 1/4 + 1/4 (3/4 - 1/4): the pull back to the start is as strong as the distance.
    expect(rounded(decoded(prox, [sum]).sum)[0]).toBe(0.375);
    const scaffold = planOf({ mode: 'none' }, { unit: 'shop', strategy: { kind: 'scaffold', localSteps: 1 } });
    const controls = { control: Float32Array.of(2, 0, 0, 0, 0), own: Float32Array.of(1, 0, 0, 0, 0) };
    const corrected = await contributeShop({ ...start, plan: scaffold, controls });
    // One step of 1/4 on gradient -1 + (2 - 1): none.
    expect(rounded(decoded(scaffold, [corrected.sum]).sum)[0]).toBe(0);
    expect(corrected.own).toEqual(Float32Array.of(-1, 0, 0, 0, 0));
  });

  it('is refused when training is not what the coordinator reckons with', async () => {
    const plan = planOf({ mode: 'none' }, { unit: 'shop', strategy: { kind: 'scaffold', localSteps: 3 } });
    const controls = { control: new Float32Array(quadraticItems), own: new Float32Array(quadraticItems) };
    const lying = (change: object): AnyFederatedModel => ({ ...model, local: { learningRate: 0.25, train: () => Promise.resolve({ change: new Float32Array(quadraticItems), steps: 3, learningRate: 0.25, ...change }) } });
    for (const change of [{ steps: 2 }, { learningRate: 0.5 }, { change: new Float32Array(3) }]) {
      await expect(contributeShop({ plan, model: lying(change), params: null, histories: [buyer(0)], controls, random: seededRandom(1), pause: () => Promise.resolve() })).rejects.toMatchObject({ code: 'model.unusable' });
    }
  });

  it('moves the sum by no more than the sensitivity, whatever it is made of', async () => {
    const plan = planOf(rotated, { unit: 'shop', weightedUpTo: 5 });
    const anyShop = fc.array(fc.array(fc.nat(quadraticItems - 1), { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 5 });
    await fc.assert(fc.asyncProperty(anyShop, async (shoppers) => {
      const sum = await shopSum(plan, shoppers.map((items) => buyer(...items)));
      expect(Math.hypot(...sum)).toBeLessThanOrEqual(planSensitivity(plan).l2);
    }), { numRuns: 50 });
  });
});

describe('weights', () => {
  const anyHistory = fc.array(fc.nat(quadraticItems - 1), { minLength: 1, maxLength: 40 }).map((items) => buyer(...items));

  it.each(['sparse', 'rotated'] as const)('leave the sensitivity as it is on the %s grid, slots included', (encoding) => {
    for (const adaptiveClip of [undefined, { expectedShoppers: 200 }]) {
      const plan = planOf({ ...noisy, encoding, ...(adaptiveClip === undefined ? {} : { adaptiveClip }) }, { weightedUpTo: 7 });
      fc.assert(fc.property(anyHistory, (history) => {
        const statistic = startStatistic(model, model.initial(), plan, seededRandom(3));
        statistic.add(history);
        const norm = Math.hypot(...statistic.finish());
        expect(norm).toBeLessThanOrEqual(planSensitivity(plan).l2);
        // On the sparse grid a contribution of few events has a part of the norm: its weight, in whole steps of the count slot.
        const weight = Math.min(history.items.length, 7) / 7 + 0.5 / countStepsOf(plan.bounds);
        if (encoding === 'sparse' && adaptiveClip === undefined) expect(norm).toBeLessThanOrEqual(planSensitivity(plan).l2 * weight);
      }), { numRuns: 60 });
    }
  });

  it('leave nothing of a contribution, not even a count, on a grid that is coarser than the clip norm', () => {
    const plan = planOf(noisy);
    for (const weightedUpTo of [undefined, 7]) {
      const statistic = startStatistic(model, model.initial(), { ...plan, weightedUpTo, bounds: { ...plan.bounds, clipNorm: 0.9, rowCap: 0.9, countValue: 0.1, gridScale: 1 } }, seededRandom(3));
      statistic.add(buyer(0, 1));
      expect([...statistic.finish()].every((steps) => steps === 0)).toBe(true);
    }
  });

  it('make the mean of the sum the weighted mean of the contributions', () => {
    const plan = planOf({ mode: 'none' }, { weightedUpTo: 4 });
    const statistic = startStatistic(model, model.initial(), plan, systemRandom());
    for (const history of [buyer(0), buyer(1, 1, 1, 1, 1, 1)]) statistic.add(history);
    const { sum, shoppers } = decoded(plan, [statistic.finish()]);
    expect(shoppers).toBeCloseTo(1.25, 3);
    // 1/4 of 1/4, and the other in full: 1/4 of 6.
    expect(rounded(sum, 2)).toEqual([0.06, 1.5, 0, 0, 0]);
  });

  it('may add up to less than one contribution where no noise asks for a floor', () => {
    const plan = planOf({ mode: 'none' }, { weightedUpTo: 100 });
    const statistic = startStatistic(model, model.initial(), plan, systemRandom());
    statistic.add(buyer(0, 1, 2));
    const { sum, shoppers } = decoded(plan, [statistic.finish()]);
    expect(shoppers).toBeCloseTo(0.03, 3);
    expect(sum[0] / shoppers).toBeCloseTo(0.25, 1);
  });

  it('are about all events of a shop where that is the unit', async () => {
    const plan = planOf({ mode: 'none' }, { unit: 'shop', weightedUpTo: 4 });
    const { shoppers } = decoded(plan, [await shopSum(plan, [buyer(0), buyer(1)]), await shopSum(plan, [buyer(0, 1, 2, 3, 4)])]);
    expect(shoppers).toBeCloseTo(1.5, 5);
  });
});

describe('what a sum is divided by', () => {
  it('is the public number of shops, never the noisy one, where the unit is the shop', () => {
    expect(contributionCount({ unit: 'shop' }, { noisyCount: -40, noiseStd: 30, participants: 8 })).toEqual({ count: 8, divisor: 8 });
  });

  it('is at least 1 of noisy shoppers, as before', () => {
    expect(contributionCount({}, { noisyCount: 0.3, noiseStd: 2, participants: 8 })).toEqual({ count: 0.3, divisor: 1 });
    expect(contributionCount({}, { noisyCount: 12.5, noiseStd: 2, participants: 8 }).divisor).toBe(12.5);
  });

  it('is what weights of shops may add up to: what was seen where noise is small, the middle where it is large', () => {
    const counted = (noisyCount: number, noiseStd: number): number => contributionCount({ unit: 'shop', weightedUpTo: 9 }, { noisyCount, noiseStd, participants: 8 }).divisor;
    expect(counted(3, 0)).toBe(3);
    expect(counted(3, 0.01)).toBeCloseTo(3, 6);
    expect(counted(3, 1e6)).toBeCloseTo(4, 3);
    fc.assert(fc.property(fc.double({ min: -1e4, max: 1e4, noNaN: true }), fc.double({ min: 1e-3, max: 1e3, noNaN: true }), (seen, std) => {
      expect(counted(seen, std)).toBeGreaterThan(0);
      expect(counted(seen, std)).toBeLessThanOrEqual(8);
    }));
  });
});

describe('rounding', () => {
  it('keeps the mean of small changes in mode none, where the grid has room for many shoppers', () => {
    const plan = planOf({ mode: 'none' }, { maxShoppersPerShop: 1_000_000 });
    const tiny = quadraticModel({ rate: 0.3 / plan.bounds.gridScale }) as AnyFederatedModel;
    const statistic = startStatistic(tiny, tiny.initial(), plan, seededRandom(5));
    for (let shopper = 0; shopper < 4000; shopper += 1) statistic.add(buyer(0));
    // Each is 0.3 of a step: 4000 coins of variance 0.21, six standard deviations.
    expect(Math.abs(statistic.finish()[0] - 1200)).toBeLessThan(6 * Math.sqrt(4000 * 0.21));
  });
});
