/**
 * What a participant has spent of its shoppers' privacy, by its own record. Everything is composed by the RDP filter
 * of `shared/privacy/budget.ts` at one order that follows from the participant's own limits: sound although a
 * coordinator chooses later plans after seeing earlier outputs. Whatever delta a plan claims, epsilon is stated at
 * the participant's own. All of it is about one shopper: a round whose unit is the shop costs a shopper more than the shop.
 */
import * as z from 'zod';
import { shopperEvents } from '../shared/federation/plan-cost.ts';
import type { Plan } from '../shared/federation/plan.ts';
import { rdpToEpsilon } from '../shared/privacy/accounting/conversions.ts';
import { privacyEventsSchema, type PrivacyEvent } from '../shared/privacy/accounting/events.ts';
import { composedRdp } from '../shared/privacy/accounting/rdp.ts';
import { chargedEvents, generalFilterOrder, reserve, restoreBudget, type BudgetState } from '../shared/privacy/budget.ts';

/** One noising of the data. */
export interface Spend {
  /** What it costs under any accountant; null is a report without protection. */
  readonly events: readonly PrivacyEvent[] | null;
  readonly round: string;
  readonly planHash: string;
  /** ISO 8601. */
  readonly at: string;
}

/** A spend as it was kept. */
export const spendSchema = z.object({
  events: privacyEventsSchema.nullable(),
  round: z.string(),
  planHash: z.string(),
  at: z.string(),
});

export interface SpendRecord {
  readonly spends: readonly Spend[];
  /**
   * Lines cut off by a crash. Nothing was sent for them, since a line is safe on disk before the first byte leaves; each
   * counts as much as the most expensive line that can be read all the same, because a record may only err upwards.
   */
  readonly unreadable: number;
}

export const emptyRecord: SpendRecord = { spends: [], unreadable: 0 };

/** What a participant accepts in all, over all tasks. */
export interface SpendLimits {
  readonly maxEpsilon: number;
  readonly maxDelta: number;
}

/** Delta that epsilon is stated at unless told otherwise. */
export const defaultMaxDelta = 1e-4;

/** The order is for this epsilon where a participant has no limit of its own. */
const usualEpsilon = 10;

/** What one more noising under this plan is recorded as. */
export function spendOf(plan: Plan, planHash: string, at: string): Spend {
  return { events: plan.privacy.mode === 'none' ? null : shopperEvents(plan), round: plan.round, planHash, at };
}

export interface Spent {
  /** Infinity once anything was reported without protection. */
  readonly epsilon: number;
  /** What epsilon is stated at. */
  readonly delta: number;
}

/** The composition of a record at `maxDelta`. */
export function totalSpent(record: SpendRecord, { maxEpsilon, maxDelta }: Partial<SpendLimits> = {}): Spent {
  const limits = { maxEpsilon: maxEpsilon ?? usualEpsilon, maxDelta: maxDelta ?? defaultMaxDelta };
  if (record.spends.some(({ events }) => events === null)) return { epsilon: Infinity, delta: limits.maxDelta };
  return { epsilon: spentEpsilon(budgetOf(record, limits)), delta: limits.maxDelta };
}

/**
 * What would be spent after one more round under this plan.
 * @throws CestaError `budget.exhausted` when the filter does not admit it.
 */
export function spentAfter(record: SpendRecord, plan: Plan, limits: SpendLimits): Spent {
  const events = shopperEvents(plan);
  return { epsilon: spentEpsilon(reserve(budgetOf(record, limits, events), 'next', events)), delta: limits.maxDelta };
}

/** @param known the plan at hand, where nothing else tells what an unreadable line may have cost */
function budgetOf({ spends, unreadable }: SpendRecord, { maxEpsilon, maxDelta }: SpendLimits, known: readonly PrivacyEvent[] = []): BudgetState {
  const filterOrder = generalFilterOrder({ epsilon: maxEpsilon, delta: maxDelta });
  const costly = spends.reduce<readonly PrivacyEvent[]>((most, { events }) => (events !== null && composedRdp(events, filterOrder) > composedRdp(most, filterOrder) ? events : most), known);
  const lines = [...spends.map(({ events }) => events ?? []), ...Array.from({ length: unreadable }, () => costly)];
  return restoreBudget({ epsilon: maxEpsilon, delta: maxDelta, filterOrder, shopsPerShopper: 1 }, lines.map((events, index) => ({ kind: 'reserved', id: `${index}`, events })));
}

function spentEpsilon(state: BudgetState): number {
  const events = chargedEvents(state);
  if (events.length === 0) return 0;
  const { filterOrder, delta } = state.terms;
  return rdpToEpsilon(filterOrder, composedRdp(events, filterOrder), delta);
}
