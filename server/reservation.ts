/** What the journal sets aside for a round before anybody is invited, and whether the budget holds it. */
import { roundCost, taskBudget } from '../shared/federation/budget-report.ts';
import { planEvents } from '../shared/federation/plan-cost.ts';
import type { Plan } from '../shared/federation/plan.ts';
import type { TaskSpec } from '../shared/federation/task.ts';
import { reserve } from '../shared/privacy/budget.ts';
import type { OpenRoundRecord } from './storage/storage.ts';

/** `admit` throws `budget.exhausted` when the task's filter does not admit the plan after what was spent. */
export function reservation(task: TaskSpec, plan: Plan): Pick<OpenRoundRecord, 'spend' | 'admit'> {
  const { epsilon, delta, events } = roundCost(plan);
  const spend = { epsilon, delta, event: events.map((event) => ({ ...event })) };
  if (plan.privacy.mode === 'none') return { spend, admit: null };
  return {
    spend,
    admit(spends) {
      const budget = taskBudget(task, spends);
      if (budget !== null) reserve(budget, plan.round, planEvents(plan));
    },
  };
}
