import { describe, expect, it } from 'vitest';
import { checkBudget, checkPromise, checkShape, checkSignature, checkTask, refuseUnreadable } from '../../client/plan-checks.ts';
import { spendOf, totalSpent, type SpendRecord } from '../../client/spends.ts';
import { planHash, planStatement, type Plan } from '../../shared/federation/plan.ts';
import { makePlan, parseTaskSpec } from '../../shared/federation/task.ts';
import { filterOrderOf } from '../../shared/privacy/budget.ts';
import { skellamNoiseStd } from '../../shared/privacy/accounting/skellam.ts';
import { createModel } from '../../shared/recommender/registry.ts';
import { examplePlan } from '../federation/plans.ts';
import { catalogueOf } from '../ranking/training.ts';
import { codeOf, coordinator } from './fakes.ts';

type Local = Extract<Plan['privacy'], { mode: 'local' }>;

/** A plan whose noise is exactly what its promise needs. */
function honestPlan({ epsilon = 1, rounds = 1, round = 'main-1' } = {}): Plan {
  const { bounds, statisticLength } = examplePlan();
  const filterOrder = filterOrderOf({ epsilon, delta: 1e-5, rounds, sampling: 1 });
  const noiseStd = skellamNoiseStd({ epsilon, delta: 1e-5, clipNorm: 1, gridScale: bounds.gridScale, length: statisticLength, rounds, orders: [filterOrder] });
  return examplePlan({ round, privacy: { mode: 'local', epsilon, delta: 1e-5, rounds, noiseStd, mechanism: 'skellam', sampling: 1, filterOrder, shopsPerShopper: 2 } });
}

const catalogue = catalogueOf('a', 'b', 'c');
const model = createModel('popularity', catalogue, {});

/** What an honest coordinator makes of a task. */
function taskPlan(privacy: object): Plan {
  const task = parseTaskSpec({ name: 'main', model: { kind: 'popularity' }, privacy: { mode: 'local', epsilon: 2, delta: 1e-5, ...privacy }, cohort: { minParticipants: 1, targetParticipants: 2 }, deadlines: { recruitingMs: 1, trainingMs: 1 } });
  return makePlan(task, { model, catalogue, roundNumber: 1, baseRelease: null });
}
const kinds = [
  ['plain', {}], ['sampled', { sampling: { rate: 0.1, drawnBy: 'shop' } }], ['rotated', { encoding: 'rotated' }],
  ['adaptive', { adaptiveClip: { expectedShoppers: 500 } }], ['rotated and adaptive', { encoding: 'rotated', adaptiveClip: { expectedShoppers: 500 } }],
] as const;

const sign = (plan: Plan): string => coordinator.sign(planStatement(planHash(plan)));

describe('the signature of a plan', () => {
  it('is accepted from the coordinator over exactly this plan', async () => {
    expect(await codeOf(() => checkSignature(honestPlan(), sign(honestPlan()), coordinator.publicKey))).toBe('no error');
  });

  it('is refused over another plan, by another key, and when no key is known', async () => {
    const plan = honestPlan();
    expect(await codeOf(() => checkSignature({ ...plan, round: 'main-2' }, sign(plan), coordinator.publicKey))).toBe('plan.invalid');
    expect(await codeOf(() => checkSignature(plan, sign(plan), 'ab'.repeat(32)))).toBe('plan.invalid');
    expect(await codeOf(() => checkSignature(plan, sign(plan), null))).toBe('plan.invalid');
  });
});

describe('the shape of a plan', () => {
  it.each(kinds)('fits the model and the slots of a %s plan', async (_, privacy) => {
    expect(await codeOf(() => checkShape(taskPlan(privacy), model))).toBe('no error');
  });

  it.each(kinds)('is refused for another length, slot or model of a %s plan', async (_, privacy) => {
    const plan = taskPlan(privacy);
    const { bounds } = plan;
    const other = bounds.clipBit === null ? { value: 0.1, quantile: 0.5, rate: 0.2 } : null;
    for (const lie of [{ ...plan, statisticLength: plan.statisticLength + 1 }, { ...plan, bounds: { ...bounds, clipBit: other } }, { ...plan, model: { ...plan.model, kind: 'ease' as const } }]) {
      expect(await codeOf(() => checkShape(lie, model))).toBe('plan.invalid');
    }
  });

  it('is refused for none of the tasks that the participant limits itself to', async () => {
    const plan = taskPlan(kinds[0][1]);
    expect(await codeOf(() => checkTask(plan, ['other']))).toBe('plan.invalid');
    expect(await codeOf(() => checkTask(plan, ['other', plan.task]))).toBe('no error');
    expect(await codeOf(() => checkTask(plan, undefined))).toBe('no error');
  });
});

describe('the promise of a plan', () => {
  const changed = (plan: Plan, privacy: Partial<Local>, bounds: Partial<Plan['bounds']> = {}): Plan => ({
    ...plan, privacy: { ...(plan.privacy as Local), ...privacy }, bounds: { ...plan.bounds, ...bounds },
  });

  it('holds when the noise is what the accountant asks for, for one round and for many', async () => {
    expect(await codeOf(() => checkPromise(honestPlan()))).toBe('no error');
    expect(await codeOf(() => checkPromise(honestPlan({ rounds: 2 })))).toBe('no error');
  });

  it('is broken by a little less noise, more rounds, a larger norm, a smaller delta or epsilon', async () => {
    const plan = honestPlan();
    const { noiseStd } = plan.privacy as Local;
    for (const lie of [changed(plan, { noiseStd: noiseStd * 0.999 }), changed(plan, { rounds: 2 }), changed(plan, {}, { clipNorm: 1.01 }), changed(plan, { delta: 1e-6 }), changed(plan, { epsilon: 0.99 })]) {
      expect(await codeOf(() => checkPromise(lie))).toBe('privacy.invalid');
    }
  });

  it.each(kinds)('of a %s task is what its noise gives, and no less noise gives it', async (_, privacy) => {
    const plan = taskPlan(privacy);
    expect(await codeOf(() => checkPromise(plan))).toBe('no error');
    expect(await codeOf(() => checkPromise(changed(plan, { noiseStd: (plan.privacy as Local).noiseStd * 0.99 })))).toBe('privacy.invalid');
  });

  it('is broken by a sample that takes more than it says', async () => {
    expect(await codeOf(() => checkPromise(changed(taskPlan({ sampling: { rate: 0.1, drawnBy: 'shop' } }), { sampling: 0.11 })))).toBe('privacy.invalid');
  });

  it('is broken by slots that leave the model no room', async () => {
    const slots = (clipNorm: number, countValue: number, value: number): Plan => changed(honestPlan(), { noiseStd: 7 }, { clipNorm, countValue, clipBit: { value, quantile: 0.5, rate: 0.2 } });
    expect(await codeOf(() => checkPromise(slots(1, 0.6, 0.79)))).toBe('no error');
    expect(await codeOf(() => checkPromise(slots(1, 0.6, 0.8)))).toBe('privacy.invalid');
    // The norm of these slots rounds to the clip norm; the difference of the squares is below 0.
    expect(await codeOf(() => checkPromise(slots(0.2665566053393729, 0.1119376874462652, 0.24191398880435266)))).toBe('privacy.invalid');
    expect(await codeOf(() => checkPromise(changed(honestPlan(), {}, { countValue: 1 })))).toBe('privacy.invalid');
  });

  it('is broken by bounds that clip nothing', async () => {
    expect(await codeOf(() => checkPromise(changed(honestPlan(), {}, { clipNorm: null })))).toBe('privacy.invalid');
    expect(await codeOf(() => checkPromise(changed(honestPlan(), {}, { countValue: 1.5 })))).toBe('privacy.invalid');
  });

  it('is refused when it needs more noise than can be drawn', async () => {
    expect(await codeOf(() => checkPromise(changed(honestPlan(), { noiseStd: 8.01 })))).toBe('privacy.infeasible');
    expect(await codeOf(() => checkPromise(changed(honestPlan(), { noiseStd: 8 })))).toBe('no error');
  });

  it('of mode none is none, and nothing is checked', async () => {
    expect(await codeOf(() => checkPromise(examplePlan({ privacy: { mode: 'none' } })))).toBe('no error');
  });
});

describe('the own limit of a participant', () => {
  const after = (...plans: Plan[]): SpendRecord => ({ spends: plans.map((plan) => spendOf(plan, planHash(plan), '')), unreadable: 0 });
  const within = (maxEpsilon: number, maxDelta = 1e-5) => ({ maxEpsilon, maxDelta });

  it('admits rounds up to it, and none beyond', async () => {
    const [first, second, third] = [1, 2, 3].map((number) => honestPlan({ round: `main-${number}` }));
    // Two releases of epsilon 1 compose to about 1.5.
    expect(await codeOf(() => checkBudget(first, after(), within(1.6)))).toBe('no error');
    expect(await codeOf(() => checkBudget(second, after(first), within(1.6)))).toBe('no error');
    expect(await codeOf(() => checkBudget(third, after(first, second), within(1.6)))).toBe('budget.exhausted');
    expect(await codeOf(() => checkBudget(first, after(), within(0.98)))).toBe('budget.exhausted');
  });

  it('admits the rounds that share a promise, and not the first beyond it', async () => {
    const plans = Array.from({ length: 4 }, (_, index) => honestPlan({ epsilon: 2, rounds: 3, round: `main-${index}` }));
    expect(await codeOf(() => checkBudget(plans[2], after(...plans.slice(0, 2)), within(2.01)))).toBe('no error');
    expect(await codeOf(() => checkBudget(plans[3], after(...plans.slice(0, 3)), within(2.01)))).toBe('budget.exhausted');
  });

  it('says what would be spent, and what is', () => {
    const [first, second] = [honestPlan({ round: 'main-1' }), honestPlan({ round: 'main-2' })];
    const limits = within(1.1);
    const [before, beyond] = [after(first), after(first, second)].map((record) => totalSpent(record, limits).epsilon);
    expect(beyond).toBeGreaterThan(1.1);
    expect(() => checkBudget(second, after(first), limits)).toThrow(`epsilon: expected at most 1.1 spent by this participant, got ${beyond} after main-2 (${before} so far)`);
  });

  it('leaves other refusals as they are', async () => {
    const open = examplePlan({ bounds: { ...examplePlan().bounds, clipNorm: null } });
    expect(await codeOf(() => checkBudget(open, after(), within(1)))).toBe('privacy.invalid');
    expect(() => checkBudget(open, after(), within(1))).toThrow(/^bounds.clipNorm/);
  });

  it('is stated at the participant\'s own delta: a plan that claims a large one buys nothing', async () => {
    expect(await codeOf(() => checkBudget(honestPlan(), after(), within(1.01)))).toBe('no error');
    expect(await codeOf(() => checkBudget(honestPlan(), after(), within(1.01, 1e-6)))).toBe('budget.exhausted');
    const generous = examplePlan({ privacy: { ...(examplePlan().privacy as Local), epsilon: 1e-9, delta: 0.999, noiseStd: 0.05 } });
    expect(await codeOf(() => checkBudget(generous, after(), within(10, 1e-4)))).toBe('budget.exhausted');
  });

  it('refuses every round without a promise, and every round after one', async () => {
    const open = examplePlan({ privacy: { mode: 'none' } });
    expect(await codeOf(() => checkBudget(open, after(), within(1_000)))).toBe('privacy.mode-unavailable');
    expect(await codeOf(() => checkBudget(honestPlan(), after(open), within(1_000)))).toBe('budget.exhausted');
  });

  it('counts a line that was cut off as the plan at hand when nothing else is known', async () => {
    expect(await codeOf(() => checkBudget(honestPlan(), { spends: [], unreadable: 1 }, within(1.2)))).toBe('budget.exhausted');
    expect(await codeOf(() => checkBudget(honestPlan(), { spends: [], unreadable: 1 }, within(1.6)))).toBe('no error');
  });
});

describe('an invitation that cannot be read', () => {
  const invite = (plan: object): string => JSON.stringify({ type: 'invite', plan, signature: '00' });

  it('is declined with the reason that can be seen', () => {
    const { privacy: _, ...rest } = examplePlan();
    expect(refuseUnreadable(invite({ ...rest, privacy: { mode: 'central', shares: 3 } }))).toMatchObject({ round: 'main-1', code: 'privacy.mode-unavailable' });
    expect(refuseUnreadable(invite({ ...examplePlan(), protocol: 2 }))).toMatchObject({ round: 'main-1', code: 'protocol.version' });
    expect(refuseUnreadable(invite({ ...examplePlan(), model: { kind: 'oracle' } }))).toMatchObject({ round: 'main-1', code: 'model.unknown' });
    expect(refuseUnreadable(invite({ ...examplePlan(), cohort: 'everybody' }))).toMatchObject({ round: 'main-1', code: 'plan.invalid' });
  });

  it('is nothing to answer when it names no round, or is no invitation', () => {
    for (const text of ['', 'null', '{"type":"train"}', invite({ round: '' }), invite({}), '{"type":"invite"}']) expect(refuseUnreadable(text)).toBeNull();
  });
});
