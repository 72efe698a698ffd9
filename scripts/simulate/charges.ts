/**
 * What a simulated task has spent. A coordinator journals each round by itself; here rounds that cost the same are one charge with
 * their count, which every accountant takes for the same: to go through thousands of charges before each round would take longer
 * than the rounds.
 */
import { taskBudget, type JournalledSpend } from '../../shared/federation/budget-report.ts';
import { planEvents } from '../../shared/federation/plan-cost.ts';
import type { Plan } from '../../shared/federation/plan.ts';
import type { TaskSpec } from '../../shared/federation/task.ts';
import type { PrivacyEvent } from '../../shared/privacy/accounting/events.ts';
import { abandon, commit, reportBudget, reserve, type BudgetState } from '../../shared/privacy/budget.ts';
import { CestaError } from '../../shared/protocol/errors.ts';

/** Of all rounds of one cost. */
export interface Charge {
  /** The first of them. */
  readonly round: string;
  readonly events: readonly PrivacyEvent[];
}

export interface Reservation {
  readonly round: string;
  readonly events: readonly PrivacyEvent[];
  /** With the reservation in it; null where the task promises nothing. */
  readonly budget: BudgetState | null;
}

/** As the coordinator journals it before anybody is invited; null where the filter does not admit it. */
export function admit(task: TaskSpec, charges: readonly Charge[], plan: Plan): Reservation | null {
  const { round } = plan;
  const events = planEvents(plan);
  const budget = taskBudget(task, charges.map(journalled));
  try {
    return { round, events, budget: budget === null ? null : reserve(budget, round, events) };
  } catch (thrown) {
    if (thrown instanceof CestaError && thrown.code === 'budget.exhausted') return null;
    throw thrown;
  }
}

/** The charges after a round, and the epsilon of all of them; null where nothing is promised. */
export function settled(charges: readonly Charge[], { round, events, budget }: Reservation, state: 'committed' | 'abandoned'): { readonly charges: readonly Charge[]; readonly epsilon: number | null } {
  return {
    charges: state === 'abandoned' ? charges : withCharge(charges, { round, events }),
    epsilon: budget === null ? null : reportBudget((state === 'abandoned' ? abandon : commit)(budget, round)).spent.epsilon,
  };
}

function journalled({ round, events }: Charge): JournalledSpend {
  return { round, purpose: 'training', state: 'committed', event: events };
}

function withCharge(charges: readonly Charge[], charge: Charge): readonly Charge[] {
  const alike = charges.findIndex(({ events }) => costOf(events) === costOf(charge.events));
  return alike < 0 ? [...charges, charge] : charges.map((known, at) => (at === alike ? together(known, charge) : known));
}

function together({ round, events }: Charge, more: Charge): Charge {
  return { round, events: events.map((event, at) => ({ ...event, count: event.count + more.events[at].count })) };
}

function costOf(events: readonly PrivacyEvent[]): string {
  return JSON.stringify(events.map((event) => ({ ...event, count: 1 })));
}
