import { describe, expect, it } from 'vitest';
import { emptyRecord, spendOf, spentAfter, totalSpent, type SpendRecord } from '../../client/spends.ts';
import { makePlan, parseTaskSpec } from '../../shared/federation/task.ts';
import { planHash, type Plan } from '../../shared/federation/plan.ts';
import { createModel } from '../../shared/recommender/registry.ts';
import { examplePlan } from '../federation/plans.ts';
import { catalogueOf } from '../ranking/training.ts';

const catalogue = catalogueOf('a', 'b', 'c');

function plansOf(privacy: object, count: number, kind: 'popularity' | 'neighbours' = 'popularity'): Plan[] {
  const model = createModel(kind, catalogue, {});
  const task = parseTaskSpec({ name: 'main', model: { kind }, privacy: { mode: 'local', delta: 1e-5, ...privacy }, cohort: { minParticipants: 1, targetParticipants: 2 }, deadlines: { recruitingMs: 1, trainingMs: 1 } });
  return Array.from({ length: count }, (_, index) => makePlan(task, { model, catalogue, roundNumber: index + 1, baseRelease: null }));
}

const recordOf = (...plans: Plan[]): SpendRecord => ({ spends: plans.map((plan) => spendOf(plan, planHash(plan), '2026-01-01T00:00:00Z')), unreadable: 0 });
const limits = { maxEpsilon: 3, maxDelta: 1e-5 };

/** Rounds of a task that a participant with these limits takes part in. */
function admitted(plans: readonly Plan[], own: typeof limits): number {
  const taken: Plan[] = [];
  for (const plan of plans) {
    try {
      spentAfter(recordOf(...taken), plan, own);
      taken.push(plan);
    } catch {
      break;
    }
  }
  return taken.length;
}

describe('what was spent', () => {
  it('is nothing before the first round, and states the participant\'s own delta', () => {
    expect(totalSpent(emptyRecord)).toEqual({ epsilon: 0, delta: 1e-4 });
    expect(totalSpent(emptyRecord, limits)).toEqual({ epsilon: 0, delta: 1e-5 });
  });

  it('composes: rounds of one task cost together what the task promises, not a promise each', () => {
    const plans = plansOf({ epsilon: 3, rounds: 5 }, 5);
    const { epsilon } = totalSpent(recordOf(...plans), limits);
    expect(epsilon).toBeLessThanOrEqual(3 * (1 + 1e-9));
    expect(epsilon).toBeGreaterThan(2.99);
  });

  it.each([[3, 1], [3, 7], [1, 20], [8, 4]])('admits a whole task of epsilon %d in %d rounds under equal limits, and not a round more', (epsilon, rounds) => {
    const plans = plansOf({ epsilon, rounds }, rounds + 1);
    const own = { maxEpsilon: epsilon, maxDelta: 1e-5 };
    // Without sampling the order that the limits fix is the task's own: nothing is lost.
    expect(admitted(plans, own)).toBe(rounds);
  });

  it('admits a first count of popularity and the neighbours behind it under one promise', () => {
    const privacy = { epsilon: 3, rounds: 2 };
    const plans = [...plansOf(privacy, 1), ...plansOf(privacy, 2, 'neighbours')];
    expect(admitted(plans, limits)).toBe(2);
  });

  it('loses rounds, never the limit, where a secret sample wants another order than the limits fix', () => {
    const [plan] = plansOf({ epsilon: 3, rounds: 20, sampling: { rate: 0.1, drawnBy: 'shop' } }, 1);
    const plans = Array.from({ length: 20 }, () => plan);
    const taken = admitted(plans, limits);
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(20);
    expect(totalSpent(recordOf(...plans.slice(0, taken)), limits).epsilon).toBeLessThanOrEqual(3);
  });

  it('of two tasks is more than of each, and less than their sum', () => {
    const both = [...plansOf({ epsilon: 1 }, 1), ...plansOf({ epsilon: 2 }, 1)];
    const { epsilon } = totalSpent(recordOf(...both), limits);
    expect(epsilon).toBeGreaterThan(2);
    expect(epsilon).toBeLessThan(3);
  });

  it('is less where the sample is secret', () => {
    const plans = plansOf({ epsilon: 1, sampling: { rate: 0.1, drawnBy: 'shop' } }, 1);
    const known = plans.map((plan): Plan => ({ ...plan, privacy: plan.privacy.mode === 'local' ? { ...plan.privacy, sampling: 1 } : plan.privacy }));
    expect(totalSpent(recordOf(...plans), limits).epsilon).toBeLessThan(0.7 * totalSpent(recordOf(...known), limits).epsilon);
  });

  it('is without bound once anything was reported without privacy', () => {
    expect(totalSpent(recordOf(examplePlan(), examplePlan({ privacy: { mode: 'none' } }))).epsilon).toBe(Infinity);
  });

  it('counts a line that a crash cut off as the most expensive known', () => {
    const [cheap, dear] = [plansOf({ epsilon: 0.5 }, 1)[0], plansOf({ epsilon: 1 }, 1)[0]];
    const cut = { ...recordOf(cheap, dear), unreadable: 1 };
    expect(totalSpent(cut, limits).epsilon).toBeCloseTo(totalSpent(recordOf(cheap, dear, dear), limits).epsilon, 9);
    // Nothing known: as the plan at hand.
    expect(spentAfter({ spends: [], unreadable: 1 }, dear, limits).epsilon).toBeCloseTo(totalSpent(recordOf(dear, dear), limits).epsilon, 9);
  });
});
