/** What has to stand before anybody is invited to a round: the plan and its reservation in the journal, and the plan in the public record. */
import { roundCost, taskBudget } from '../shared/federation/budget-report.ts';
import { planEvents } from '../shared/federation/plan-cost.ts';
import { planHash, type Plan } from '../shared/federation/plan.ts';
import { makePlan, type TaskSpec } from '../shared/federation/task.ts';
import { reserve } from '../shared/privacy/budget.ts';
import { requireRecordable, type RoundLedger } from './ledger/round-ledger.ts';
import type { Commit } from './ledger/public-record.ts';
import type { NextRound } from './next-round.ts';
import type { Sum } from './releases.ts';
import type { Conclusion } from './rounds.ts';
import type { Spend, SpendRecord, Storage } from './storage/storage.ts';

export interface OpeningContext {
  readonly storage: Pick<Storage, 'nextRoundNumber' | 'openRound'>;
  /** Puts the plan of a round into the public record, and what `reserve` adds into the journal; if that fails, so has the round. */
  readonly openLedger: (plan: Plan, reserve: Commit, signal: AbortSignal) => Promise<RoundLedger>;
}

/** A round that may begin. */
export interface Opening {
  readonly plan: Plan;
  readonly ledger: RoundLedger;
  /** What becomes of its sum. */
  readonly conclude: (sum: Sum) => Promise<Conclusion>;
}

/**
 * Journal and public record in one commit: when the invitations go out, the plan is in both, and its budget reserved.
 * @throws CestaError `budget.exhausted`, `storage.failed`, `round.failed` and others.
 */
export async function openPlan({ storage, openLedger }: OpeningContext, next: NextRound, signal: AbortSignal): Promise<Opening> {
  const { task, statistic: model, catalogue, baseRelease, clipNorm, conclude } = next;
  const number = await storage.nextRoundNumber(task.name);
  const plan = makePlan(task, { model, catalogue, roundNumber: number, baseRelease, clipNorm });
  requireRecordable(plan);
  const round = { task: task.name, number, plan, planHash: planHash(plan), spend: spendOf(plan), admit: plan.privacy.mode === 'none' ? null : (spends: readonly SpendRecord[]) => admit(task, plan, spends) };
  const ledger = await openLedger(plan, (log) => storage.openRound(round, log), signal);
  return { plan, ledger, conclude: (sum) => conclude(sum, ledger) };
}

function spendOf(plan: Plan): Spend {
  const { epsilon, delta, events } = roundCost(plan);
  return { epsilon, delta, event: events.map((event) => ({ ...event })) };
}

/** @throws CestaError `budget.exhausted` when the task's filter does not admit the plan after what was spent. */
function admit(task: TaskSpec, plan: Plan, spends: readonly SpendRecord[]): void {
  const budget = taskBudget(task, spends);
  if (budget !== null) reserve(budget, plan.round, planEvents(plan));
}
