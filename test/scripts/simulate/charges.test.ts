import { describe, expect, it } from 'vitest';
import { admit, settled, type Charge } from '../../../scripts/simulate/charges.ts';
import { createCatalogue } from '../../../shared/commerce/catalogue.ts';
import { taskBudget, type JournalledSpend } from '../../../shared/federation/budget-report.ts';
import { planEvents } from '../../../shared/federation/plan-cost.ts';
import type { Plan } from '../../../shared/federation/plan.ts';
import { makePlan, parseTaskSpec } from '../../../shared/federation/task.ts';
import { reportBudget } from '../../../shared/privacy/budget.ts';
import type { AnyFederatedModel } from '../../../shared/recommender/federated-model.ts';
import { createPopularity } from '../../../shared/recommender/popularity.ts';

const catalogue = createCatalogue([{ id: 'cup', title: '' }, { id: 'pot', title: '' }]);
const model = createPopularity(catalogue) as AnyFederatedModel;
const task = parseTaskSpec({ name: 'simulation', model: { kind: 'popularity', hyperParameters: {} }, privacy: { mode: 'local', epsilon: 3, delta: 1e-5, rounds: 40 }, cohort: { minParticipants: 5, targetParticipants: 5 }, deadlines: { recruitingMs: 1000, trainingMs: 1000 }, maxShoppersPerShop: 100 });
const planOf = (roundNumber: number): Plan => makePlan(task, { catalogue, model, roundNumber, baseRelease: null, clipNorm: null });

describe('charges of a simulated task', () => {
  it('cost what a journal of every single round costs, to the bit, and are no more for more rounds alike', () => {
    const journal: JournalledSpend[] = [];
    let charges: readonly Charge[] = [];
    for (let round = 1; round <= 40; round += 1) {
      const plan = planOf(round);
      const reserved = admit(task, charges, plan);
      if (reserved === null) throw new Error(`expected room for round ${round}`);
      const state = round % 4 === 0 ? 'abandoned' : 'committed';
      const after = settled(charges, reserved, state);
      charges = after.charges;
      journal.push({ round: plan.round, purpose: 'training', state, event: planEvents(plan) });
      const budget = taskBudget(task, journal);
      expect(after.epsilon).toBe(budget === null ? null : reportBudget(budget).spent.epsilon);
    }
    expect(charges).toEqual([{ round: planOf(1).round, events: planEvents(planOf(1)).map((event) => ({ ...event, count: 30 })) }]);
  });

  it('leave no room beyond the promise', () => {
    let charges: readonly Charge[] = [];
    for (let round = 1; round <= 40; round += 1) {
      const reserved = admit(task, charges, planOf(round));
      if (reserved !== null) ({ charges } = settled(charges, reserved, 'committed'));
    }
    expect(admit(task, charges, planOf(41))).toBeNull();
  });
});
