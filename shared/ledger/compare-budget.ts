/** Whether a budget is what the events of its log come to: anybody can compute that. */
import { parsePlan } from '../federation/plan.ts';
import type { PrivacyEvent } from '../privacy/accounting/events.ts';
import { reportBudget, restoreBudget } from '../privacy/budget.ts';
import { cumulate } from './log-entries.ts';
import { planRules } from './plan-rules.ts';
import type { TaskTotals } from './replay.ts';

/** Accountants of different platforms round differently; a round left out is larger than this by far. */
const tolerance = 1e-6;

/** A budget as it is served. */
export interface ServedBudget {
  readonly mode: 'none' | 'local' | 'distributed';
  readonly roundsCharged: number;
  readonly evaluationsCharged: number;
  readonly epsilonSpent: number | null;
  readonly rdp: { readonly orders: readonly number[]; readonly values: readonly number[] } | null;
}

/** Epsilon of a task from the events of its log alone; null where nothing is promised. */
export function epsilonOfTask({ plan, events }: Pick<TaskTotals, 'plan' | 'events'>): { readonly epsilon: number | null; readonly delta: number | null } {
  const { privacy } = parsePlan(plan);
  if (privacy.mode === 'none') return { epsilon: null, delta: null };
  const { epsilon, delta, filterOrder, shopsPerShopper } = privacy;
  const charged = events.length === 0 ? [] : [{ kind: 'reserved', id: 'log', events }] as const;
  return { epsilon: reportBudget(restoreBudget({ epsilon, delta, filterOrder, shopsPerShopper }, charged)).spent.epsilon, delta };
}

/** Rounds that set their share aside and do not train yet: the budget counts them, the log has no spend of theirs. */
export interface Reserved {
  readonly rounds: number;
  readonly events: readonly PrivacyEvent[];
}

/** What the rounds of a journal have set aside. */
export function reservedOf(rounds: readonly { readonly plan: unknown; readonly budget: 'reserved' | 'committed' | 'abandoned' | null }[]): Reserved {
  const reserved = rounds.filter(({ budget }) => budget === 'reserved');
  return { rounds: reserved.length, events: reserved.flatMap(({ plan }) => planRules.recompute(plan)) };
}

/** What differs, a sentence each. @param logged null where the log has no round of the task */
export function compareBudget(budget: ServedBudget, logged: TaskTotals | null, reserved: Reserved): string[] {
  const differences: string[] = [];
  const charged = (logged?.rounds.charged ?? 0) + reserved.rounds;
  const served = budget.roundsCharged + budget.evaluationsCharged;
  if (served !== charged) differences.push(`budget: expected ${charged} rounds charged, as the log has them, got ${served}`);
  if (logged === null || budget.mode === 'none') return differences;
  const rdp = cumulate(logged.rdp, reserved.events);
  const wrong = budget.rdp?.values.findIndex((value, i) => !isClose(value, rdp[i] ?? Infinity)) ?? 0;
  if (wrong >= 0) differences.push(`budget: expected RDP ${rdp[wrong]} at order ${budget.rdp?.orders[wrong] ?? 'unknown'}, from the events in the log, got ${budget.rdp?.values[wrong] ?? 'none'}`);
  const { epsilon } = epsilonOfTask({ plan: logged.plan, events: [...logged.events, ...reserved.events] });
  if (epsilon === null || budget.epsilonSpent === null || !isClose(budget.epsilonSpent, epsilon)) {
    differences.push(`budget: expected epsilon ${epsilon} spent, from the events in the log, got ${budget.epsilonSpent}`);
  }
  return differences;
}

function isClose(a: number, b: number): boolean {
  return a === b || Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b));
}
