/** What a round costs its task, and whether the task's budget still admits it. */
import { roundCost, taskBudget } from '../shared/federation/budget-report.ts';
import { planEvents } from '../shared/federation/plan-cost.ts';
import type { Plan } from '../shared/federation/plan.ts';
import type { TaskSpec } from '../shared/federation/task.ts';
import { reserve } from '../shared/privacy/budget.ts';
import type { Spend, SpendRecord } from './storage/storage.ts';

export function spendOf(plan: Plan): Spend {
  const { epsilon, delta, events } = roundCost(plan);
  return { epsilon, delta, event: events.map((event) => ({ ...event })) };
}

/** @throws CestaError `budget.exhausted` when the task's filter does not admit the plan after what was spent. */
export function admit(task: TaskSpec, plan: Plan, spends: readonly SpendRecord[]): void {
  const budget = taskBudget(task, spends);
  if (budget !== null) reserve(budget, plan.round, planEvents(plan));
}
