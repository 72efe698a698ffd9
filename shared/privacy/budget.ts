/**
 * The privacy budget of one unit, as plain data and pure transitions: an append-only journal of reservations, and an
 * RDP filter at an order fixed in advance. Papers: Feldman and Zrnic 2021 ("Individual privacy accounting via a Renyi
 * filter": fully adaptive composition at a fixed order); Canonne, Kamath and Steinke 2020 (conversion).
 * It trusts its caller to reserve before anything is sent, and to abandon only what was never released.
 */
import { CestaError } from '../protocol/errors.ts';
import type { NoiseTarget } from './accounting/calibration.ts';
import { epsilonOf, type EpsilonReport } from './accounting/epsilon.ts';
import { checkEvent, type PrivacyEvent } from './accounting/events.ts';
import { integerOrders } from './accounting/integer-orders.ts';
import { composedRdp, rdpEpsilon } from './accounting/rdp.ts';
import { integerSensitivity, skellamNoiseStd } from './accounting/skellam.ts';
import { invalid, requireDelta, requireInteger, requirePositive } from './checks.ts';
import { finestScale } from './grid-calibration.ts';

/** What a budget promises; fixed when it is opened. */
export interface BudgetTerms {
  readonly epsilon: number;
  readonly delta: number;
  /** The Renyi order the filter runs at: the plan's optimum, from {@link filterOrderFor}. Fixed before the first event. */
  readonly filterOrder: number;
  /** Shops one person may be a shopper of, at most: the second epsilon of the report is for that person. */
  readonly shopsPerShopper: number;
}

/** One line of the journal. Lines are appended, never changed. */
export type BudgetEntry =
  | { readonly kind: 'reserved'; readonly id: string; readonly events: readonly PrivacyEvent[] }
  | { readonly kind: 'committed'; readonly id: string }
  | { readonly kind: 'abandoned'; readonly id: string };

export interface BudgetState {
  readonly terms: BudgetTerms;
  readonly journal: readonly BudgetEntry[];
  /** Composed RDP of everything charged, at {@link ledgerOrders}. */
  readonly rdp: readonly number[];
}

/** Orders a ledger keeps: integers, where every mechanism's curve is known. A later accountant has the events. */
export const ledgerOrders: readonly number[] = [2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 48, 64, 96, 128, 256, 512, 1024];

/**
 * The integer order at which a filter admits the most Gaussian-like noise in all: the best one when nothing is known of
 * the plans to come. It depends on the promise alone, so whoever keeps a ledger fixes it before the first event.
 */
export function generalFilterOrder({ epsilon, delta }: { readonly epsilon: number; readonly delta: number }): number {
  requirePositive('epsilon', epsilon);
  requireDelta('delta', delta);
  // RDP of such noise is rho times the order: the order that admits the largest rho admits the most rounds.
  const admitted = (order: number): number => filterLimit({ epsilon, delta, filterOrder: order }) / order;
  let best = 2;
  for (const order of integerOrders) if (admitted(order) > admitted(best)) best = order;
  return best;
}

/**
 * The order a filter should fix for a declared plan: that of the plan's own Renyi bound. It is an integer when the plan
 * holds a Skellam event; a filter at another order cannot be charged one.
 */
export function filterOrderFor(planned: readonly PrivacyEvent[], delta: number): number {
  return rdpEpsilon(planned, delta).order;
}

/**
 * The same for `rounds` Skellam sums that together spend a promise exactly, on a grid so fine that it does not matter:
 * a function of the promise alone, the same for every round of a task.
 */
export function filterOrderOf({ epsilon, delta, rounds, sampling }: NoiseTarget): number {
  const fine = { clipNorm: 1, gridScale: finestScale(1), length: 1, rounds, delta, sampling };
  const noiseStd = skellamNoiseStd({ ...fine, epsilon });
  return filterOrderFor([{ kind: 'skellam', ...integerSensitivity(fine.gridScale, 1), variance: (fine.gridScale * noiseStd) ** 2, sampling, count: rounds }], delta);
}

/** An empty budget. @throws CestaError `privacy.invalid` on terms out of range. */
export function openBudget(terms: BudgetTerms): BudgetState {
  requirePositive('epsilon', terms.epsilon);
  requireDelta('delta', terms.delta);
  if (!(terms.filterOrder > 1.01) || !Number.isFinite(terms.filterOrder)) throw invalid('filterOrder', 'a finite number above 1.01', terms.filterOrder);
  requireInteger('shopsPerShopper', terms.shopsPerShopper);
  if (!(filterLimit(terms) > 0)) throw invalid('filterOrder', `an order whose limit is above 0 at epsilon ${terms.epsilon} and delta ${terms.delta}`, terms.filterOrder);
  return { terms, journal: [], rdp: ledgerOrders.map(() => 0) };
}

/** Cumulative RDP the filter admits at its order: epsilon + log(delta a) / (a - 1) - log1p(-1 / a). */
export function filterLimit({ epsilon, delta, filterOrder }: Pick<BudgetTerms, 'epsilon' | 'delta' | 'filterOrder'>): number {
  return epsilon + Math.log(delta * filterOrder) / (filterOrder - 1) - Math.log1p(-1 / filterOrder);
}

/** The budget that a stored journal leads to. @throws CestaError `privacy.invalid` on terms out of range. */
export function restoreBudget(terms: BudgetTerms, journal: readonly BudgetEntry[]): BudgetState {
  return withJournal(openBudget(terms), journal);
}

/** Events that are charged: everything reserved and not abandoned, committed or not. */
export function chargedEvents(state: BudgetState): PrivacyEvent[] {
  const abandoned = new Set(state.journal.filter((entry) => entry.kind === 'abandoned').map((entry) => entry.id));
  return state.journal.flatMap((entry) => (entry.kind === 'reserved' && !abandoned.has(entry.id) ? [...entry.events] : []));
}

/**
 * Charges events before they happen.
 * Guarantee: as long as nothing is released without a reservation, everything ever released under this budget is
 * (epsilon, delta)-DP, also when later events are chosen after seeing earlier outputs.
 * @throws CestaError `budget.exhausted` when the filter does not admit them, and the state stays as it was;
 * `privacy.invalid` on malformed events, an event with a failure probability of its own, or an id used before.
 */
export function reserve(state: BudgetState, id: string, events: readonly PrivacyEvent[]): BudgetState {
  if (statusOf(state, id) !== undefined) throw invalid('id', 'one that was never used', id);
  if (events.length === 0) throw invalid('events', 'at least one', 'none');
  events.forEach(checkEvent);
  // The filter's proof has one delta, that of the conversion.
  if (events.some((event) => event.kind === 'pure' && event.delta > 0)) throw invalid('events', 'none with a failure probability of its own', 'one');
  const { filterOrder, epsilon } = state.terms;
  const spent = composedRdp(merged(chargedEvents(state)), filterOrder);
  const cost = composedRdp(events, filterOrder);
  const limit = filterLimit(state.terms);
  if (!(spent + cost <= limit)) {
    throw new CestaError('budget.exhausted', `budget: expected a cost of at most ${Math.max(0, limit - spent)} in RDP at order ${filterOrder}, got ${cost} (epsilon limit ${epsilon})`);
  }
  return append(state, { kind: 'reserved', id, events: [...events] });
}

/** Marks a reservation as released. It stays charged; there is no way back. */
export function commit(state: BudgetState, id: string): BudgetState {
  requireReserved(state, id);
  return append(state, { kind: 'committed', id });
}

/** Gives a reservation back. Only for one of which nothing left the participants: a frame that was sent is a release. */
export function abandon(state: BudgetState, id: string): BudgetState {
  requireReserved(state, id);
  return append(state, { kind: 'abandoned', id });
}

/** After a crash: commits every open reservation, because nobody knows what was sent. */
export function settle(state: BudgetState): BudgetState {
  const open = state.journal.filter((entry) => entry.kind === 'reserved' && statusOf(state, entry.id) === 'reserved');
  return open.reduce((settled, entry) => commit(settled, entry.id), state);
}

function statusOf(state: BudgetState, id: string): BudgetEntry['kind'] | undefined {
  return state.journal.findLast((entry) => entry.id === id)?.kind;
}

function requireReserved(state: BudgetState, id: string): void {
  const status = statusOf(state, id);
  if (status !== 'reserved') throw invalid('id', 'an open reservation', `${id} (${status ?? 'unknown'})`);
}

function append(state: BudgetState, entry: BudgetEntry): BudgetState {
  return withJournal(state, [...state.journal, entry]);
}

function withJournal(state: BudgetState, journal: readonly BudgetEntry[]): BudgetState {
  const charged = merged(chargedEvents({ ...state, journal }));
  return { ...state, journal, rdp: ledgerOrders.map((order) => composedRdp(charged, order)) };
}

/** Equal events as one with their count: rounds of a task repeat, and accountants take as long for one as for many. */
function merged(events: readonly PrivacyEvent[]): PrivacyEvent[] {
  const counts = new Map<string, PrivacyEvent>();
  for (const event of events) {
    const key = JSON.stringify({ ...event, count: 1 });
    counts.set(key, { ...event, count: (counts.get(key)?.count ?? 0) + event.count });
  }
  return [...counts.values()];
}

export interface BudgetFigures {
  readonly epsilonLimit: number;
  readonly delta: number;
  /** Everything charged, equal events as one. */
  readonly charged: readonly PrivacyEvent[];
  /** What is charged, for one shopper in one shop, by the best sound engine. */
  readonly spent: EpsilonReport;
  /** The same for a person who is a shopper of `shopsPerShopper` shops. */
  readonly spentAcrossShops: EpsilonReport;
  /** Share of the filter's limit that is used: at 1 the task stops. */
  readonly filterUsed: number;
}

/**
 * What was promised and spent. The tight engines' numbers assume that the events were declared before the first
 * output; the filter does not.
 */
export function reportBudget(state: BudgetState): BudgetFigures {
  const { terms } = state;
  const charged = merged(chargedEvents(state));
  return {
    epsilonLimit: terms.epsilon,
    delta: terms.delta,
    charged,
    spent: epsilonOf(charged, terms.delta, { crossCheck: false }),
    spentAcrossShops: epsilonOf(charged.map((event) => acrossShops(event, terms.shopsPerShopper)), terms.delta, { crossCheck: false }),
    filterUsed: composedRdp(charged, terms.filterOrder) / filterLimit(terms),
  };
}

/**
 * The event as one person in `shops` shops sees it. Sensitivities add up; with secret sampling in every shop the person
 * is in the sample with probability 1 - (1 - q)^k, at a shift of at most k. Fewer shops sampled is a smaller shift,
 * hence a post-processing of the larger one.
 */
export function acrossShops(event: PrivacyEvent, shops: number): PrivacyEvent {
  requireInteger('shops', shops);
  const joined = (sampling: number): number => (sampling === 1 ? 1 : -Math.expm1(shops * Math.log1p(-sampling)));
  switch (event.kind) {
    case 'gaussian':
      return { ...event, sigma: event.sigma / shops, sampling: joined(event.sampling) };
    case 'skellam':
      return { ...event, l2: event.l2 * shops, l1: event.l1 * shops, sampling: joined(event.sampling) };
    case 'laplace':
      return { ...event, scale: event.scale / shops };
    case 'zcdp':
      return { ...event, rho: event.rho * shops * shops };
    case 'pure':
      return { ...event, epsilon: event.epsilon * shops, delta: Math.min(0.999_999, event.delta * shops * Math.exp((shops - 1) * event.epsilon)) };
    default:
      return event satisfies never;
  }
}
