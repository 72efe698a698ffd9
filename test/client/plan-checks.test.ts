import { describe, expect, it } from 'vitest';
import { checkBudget, checkPromise, checkSignature, refuseUnreadable } from '../../client/plan-checks.ts';
import { emptyRecord, spendOf, withSpend, type SpendRecord } from '../../client/spends.ts';
import { planHash, planStatement, type Plan } from '../../shared/federation/plan.ts';
import { skellamNoiseStd } from '../../shared/privacy/accounting/skellam.ts';
import { examplePlan } from '../federation/plans.ts';
import { codeOf, coordinator } from './fakes.ts';

type Local = Extract<Plan['privacy'], { mode: 'local' }>;

/** A plan whose noise is exactly what its promise needs. */
function honestPlan({ epsilon = 1, rounds = 1, round = 'main-1' } = {}): Plan {
  const { bounds, statisticLength } = examplePlan();
  const noiseStd = skellamNoiseStd({ epsilon, delta: 1e-5, clipNorm: 1, gridScale: bounds.gridScale, length: statisticLength, rounds });
  return examplePlan({ round, privacy: { mode: 'local', epsilon, delta: 1e-5, rounds, noiseStd, mechanism: 'skellam' } });
}
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
  const after = (...plans: Plan[]): SpendRecord => plans.reduce((record, plan) => withSpend(record, spendOf(plan, planHash(plan), '')), emptyRecord);

  it('admits rounds up to it, and none beyond', async () => {
    const [first, second, third] = [1, 2, 3].map((number) => honestPlan({ round: `main-${number}` }));
    // Equal terms with one round each: every round is a promise of its own.
    expect(await codeOf(() => checkBudget(first, after(), 2))).toBe('no error');
    expect(await codeOf(() => checkBudget(second, after(first), 2))).toBe('no error');
    expect(await codeOf(() => checkBudget(third, after(first, second), 2))).toBe('budget.exhausted');
    expect(await codeOf(() => checkBudget(first, after(), 0.999))).toBe('budget.exhausted');
  });

  it('is not moved by rounding: ten tenths are one', async () => {
    const plans = Array.from({ length: 10 }, (_, index) => honestPlan({ epsilon: 0.1, round: `main-${index}` }));
    expect(await codeOf(() => checkBudget(plans[9], after(...plans.slice(0, 9)), 1))).toBe('no error');
    expect(await codeOf(() => checkBudget(plans[9], after(...plans), 1))).toBe('budget.exhausted');
  });

  it('admits the rounds that share a promise', async () => {
    const plans = Array.from({ length: 4 }, (_, index) => honestPlan({ epsilon: 2, rounds: 3, round: `main-${index}` }));
    expect(await codeOf(() => checkBudget(plans[2], after(...plans.slice(0, 2)), 2))).toBe('no error');
    expect(await codeOf(() => checkBudget(plans[3], after(...plans.slice(0, 3)), 2))).toBe('budget.exhausted');
  });

  it('has a limit for delta of its own, which no small epsilon buys', async () => {
    expect(await codeOf(() => checkBudget(honestPlan(), after(), 10, 1e-5))).toBe('no error');
    expect(await codeOf(() => checkBudget(honestPlan(), after(), 10, 0.9e-5))).toBe('budget.exhausted');
    const generous = examplePlan({ privacy: { mode: 'local', epsilon: 1e-9, delta: 0.999, rounds: 1, noiseStd: 0.2, mechanism: 'skellam' } });
    expect(await codeOf(() => checkBudget(generous, after(), 10))).toBe('budget.exhausted');
  });

  it('refuses every round without a promise', async () => {
    expect(await codeOf(() => checkBudget(examplePlan({ privacy: { mode: 'none' } }), after(), 1_000))).toBe('privacy.mode-unavailable');
  });

  it('counts a line that was cut off as the plan at hand when nothing else is known', async () => {
    expect(await codeOf(() => checkBudget(honestPlan(), { spends: [], unreadable: [{ epsilon: 'unknown' }] }, 1.5))).toBe('budget.exhausted');
    expect(await codeOf(() => checkBudget(honestPlan(), { spends: [], unreadable: [{ epsilon: 'unknown' }] }, 2))).toBe('no error');
  });
});

describe('an invitation that cannot be read', () => {
  const invite = (plan: object): string => JSON.stringify({ type: 'invite', plan, signature: '00' });

  it('is declined with the reason that can be seen', () => {
    const { privacy: _, ...rest } = examplePlan();
    expect(refuseUnreadable(invite({ ...rest, privacy: { mode: 'distributed', shares: 3 } }))).toMatchObject({ round: 'main-1', code: 'privacy.mode-unavailable' });
    expect(refuseUnreadable(invite({ ...examplePlan(), protocol: 2 }))).toMatchObject({ round: 'main-1', code: 'protocol.version' });
    expect(refuseUnreadable(invite({ ...examplePlan(), model: { kind: 'oracle' } }))).toMatchObject({ round: 'main-1', code: 'model.unknown' });
    expect(refuseUnreadable(invite({ ...examplePlan(), cohort: 'everybody' }))).toMatchObject({ round: 'main-1', code: 'plan.invalid' });
  });

  it('is nothing to answer when it names no round, or is no invitation', () => {
    for (const text of ['', 'null', '{"type":"train"}', invite({ round: '' }), invite({}), '{"type":"invite"}']) expect(refuseUnreadable(text)).toBeNull();
  });
});
