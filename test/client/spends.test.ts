import { describe, expect, it } from 'vitest';
import { emptyRecord, spendOf, totalSpent, withSpend, type SpendRecord } from '../../client/spends.ts';
import { planHash, type Plan } from '../../shared/federation/plan.ts';
import { examplePlan } from '../federation/plans.ts';

const spent = (...plans: Plan[]): SpendRecord => plans.reduce((record, plan) => withSpend(record, spendOf(plan, planHash(plan), '2026-01-01T00:00:00Z')), emptyRecord);
const withPrivacy = (changes: object, round = 'main-1'): Plan => examplePlan({ round, privacy: { ...examplePlan().privacy, ...changes } });

describe('what was spent', () => {
  it('is nothing before the first round', () => {
    expect(totalSpent(emptyRecord)).toEqual({ epsilon: 0, delta: 0 });
  });

  it('adds up over plans, epsilon and delta alike', () => {
    const total = totalSpent(spent(withPrivacy({ epsilon: 1, delta: 1e-6 }), withPrivacy({ epsilon: 0.5, delta: 1e-5 }, 'main-2')));
    expect(total.epsilon).toBeCloseTo(1.5, 12);
    expect(total.delta).toBeCloseTo(1.1e-5, 12);
  });

  it('counts one promise for the rounds that share it, and another from the first round beyond them', () => {
    const rounds = Array.from({ length: 7 }, (_, index) => withPrivacy({ epsilon: 2, rounds: 3 }, `main-${index + 1}`));
    expect([1, 3, 4, 6, 7].map((count) => totalSpent(spent(...rounds.slice(0, count))).epsilon)).toEqual([2, 2, 4, 4, 6]);
  });

  it('does not let rounds under other terms share a promise', () => {
    const base = withPrivacy({ epsilon: 2, rounds: 3 });
    const others: Plan[] = [
      { ...base, statisticLength: 5 },
      { ...base, bounds: { ...base.bounds, gridScale: 512 } },
      { ...base, task: 'other' },
      withPrivacy({ epsilon: 2, rounds: 3, noiseStd: 9 }),
    ];
    for (const other of others) expect(totalSpent(spent(base, other)).epsilon).toBe(4);
    expect(totalSpent(spent(base, base)).epsilon).toBe(2);
  });

  it('is without bound once anything was reported without privacy', () => {
    expect(totalSpent(spent(examplePlan(), examplePlan({ privacy: { mode: 'none' } }))).epsilon).toBe(Infinity);
  });

  it('includes lines that a crash cut off: by their epsilon, or by the largest that is known', () => {
    const record = spent(withPrivacy({ epsilon: 1 }), withPrivacy({ epsilon: 3 }, 'main-2'));
    expect(totalSpent({ ...record, unreadable: [{ epsilon: 2 }] }).epsilon).toBe(6);
    expect(totalSpent({ ...record, unreadable: [{ epsilon: 'unknown' }] }).epsilon).toBe(7);
    expect(totalSpent({ ...record, unreadable: [{ epsilon: null }] }).epsilon).toBe(Infinity);
  });
});
