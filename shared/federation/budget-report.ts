/**
 * What a task promises and has spent, in numbers and in words. Every report names unit, adjacency, delta,
 * assumptions and the threat model, because an epsilon without them says nothing.
 */
import type { PrivacyStatement } from './release.ts';
import { totalNoiseStd, type Plan } from './plan.ts';
import type { TaskSpec } from './task.ts';
import { skellamEpsilon } from '../privacy/accounting/skellam.ts';

const unit = 'one shopper in one shop';
const adjacency = 'add or remove all records of one shopper at one shop';

const assumptions = [
  'A shopper of k shops is protected by k times the epsilon stated here, or less.',
  'Every round uses the whole of a shop\'s consenting shoppers: no amplification by sampling is claimed.',
  'Parameters of a task are fixed before its first round.',
] as const;

const threatModel: Record<Plan['privacy']['mode'], string> = {
  none: 'No protection: the coordinator receives every shop\'s exact sums. For tests and for data that may be public.',
  local: 'Each shop adds all of the noise itself, so the guarantee holds against the coordinator, the other shops and every reader of a release, whoever of them collude. It does not protect a shopper from the shop that holds the orders.',
};

/** One private sum, as a ledger keeps it: enough for any later accountant to recompute the cost. */
export interface SpendEvent {
  readonly mechanism: 'skellam' | 'none';
  readonly clipNorm: number | null;
  readonly noiseStd: number;
  readonly gridScale: number;
  readonly length: number;
}

function spendEvent(plan: Plan): SpendEvent {
  const { privacy, bounds } = plan;
  return {
    mechanism: privacy.mode === 'none' ? 'none' : privacy.mechanism,
    clipNorm: bounds.clipNorm,
    noiseStd: privacy.mode === 'none' ? 0 : privacy.noiseStd,
    gridScale: bounds.gridScale,
    length: plan.statisticLength,
  };
}

/** Epsilon of `rounds` rounds under this plan at its delta; null where the plan promises nothing. */
export function epsilonSpent(plan: Plan, rounds: number): number | null {
  const { privacy, bounds } = plan;
  if (privacy.mode === 'none' || bounds.clipNorm === null) return null;
  if (rounds === 0) return 0;
  return skellamEpsilon({
    noiseStd: privacy.noiseStd,
    clipNorm: bounds.clipNorm,
    gridScale: bounds.gridScale,
    length: plan.statisticLength,
    rounds,
    delta: privacy.delta,
  });
}

/** What a journal records before a round's first frame is sent. */
export interface RoundCost {
  /** Of this round by itself; null where nothing is promised. */
  readonly epsilon: number | null;
  readonly delta: number | null;
  readonly event: SpendEvent;
}

export function roundCost(plan: Plan): RoundCost {
  return { epsilon: epsilonSpent(plan, 1), delta: plan.privacy.mode === 'none' ? null : plan.privacy.delta, event: spendEvent(plan) };
}

/** The privacy paragraph of a release's manifest, after `rounds` rounds, the last with `participants` reports. */
export function describePrivacy(plan: Plan, rounds: number, participants: number): PrivacyStatement {
  return {
    mode: plan.privacy.mode,
    unit,
    adjacency,
    epsilon: epsilonSpent(plan, rounds),
    delta: plan.privacy.mode === 'none' ? null : plan.privacy.delta,
    noiseStd: totalNoiseStd(plan.privacy, participants),
    clipNorm: plan.bounds.clipNorm,
    assumptions: [...assumptions, threatModel[plan.privacy.mode]],
  };
}

/** `GET /v1/budget` and `cesta budget`: one task. */
export interface BudgetReport {
  readonly task: string;
  readonly mode: Plan['privacy']['mode'];
  readonly unit: string;
  readonly adjacency: string;
  readonly delta: number | null;
  readonly epsilonLimit: number | null;
  readonly epsilonSpent: number | null;
  readonly epsilonLeft: number | null;
  readonly roundsCharged: number;
  readonly roundsLeft: number;
  readonly assumptions: readonly string[];
  readonly threatModel: string;
}

/** `plan` is the last plan of the task, or null before the first; all its rounds have the same noise. */
export function budgetReport(task: TaskSpec, plan: Plan | null, roundsCharged: number): BudgetReport {
  const mode = plan?.privacy.mode ?? (task.privacy.mode === 'local' ? 'local' : 'none');
  const limit = mode === 'none' ? null : (task.privacy.epsilon ?? null);
  const spent = plan === null ? (limit === null ? null : 0) : epsilonSpent(plan, roundsCharged);
  return {
    task: task.name,
    mode,
    unit,
    adjacency,
    delta: mode === 'none' ? null : (task.privacy.delta ?? null),
    epsilonLimit: limit,
    epsilonSpent: spent,
    epsilonLeft: limit === null || spent === null ? null : Math.max(0, limit - spent),
    roundsCharged,
    roundsLeft: Math.max(0, task.privacy.rounds - roundsCharged),
    assumptions,
    threatModel: threatModel[mode],
  };
}
