/**
 * Reads a log from its first entry and checks what it says of itself: each round has one plan, one roster, one spend,
 * one set of survivors and one result, in an order in which nothing was done before it was charged, and the budget adds
 * up from the plans alone. It cannot see what was left out: that takes the members, who know what they took part in.
 */
import type { PrivacyEvent } from '../privacy/accounting/events.ts';
import { composedRdp } from '../privacy/accounting/rdp.ts';
import { ledgerOrders } from '../privacy/budget.ts';
import { canonicalJson } from '../protocol/canonical-json.ts';
import { CestaError, toCestaError } from '../protocol/errors.ts';
import { requireGroups, requireWithinRoster, type GroupRule } from './group-rosters.ts';
import { inconsistent } from './inconsistent.ts';
import { cumulate, decodeEntry, hashOfPlan, type LogEntry, type LogEntryOf } from './log-entries.ts';
import { addResult, addServed, emptyReleaseBook, type ReleaseBook } from './release-book.ts';

/** What follows from a plan alone. Each may throw for a plan it cannot read, and is told the plan as the log has it. */
export interface PlanRules {
  /** What one round costs. */
  recompute(plan: unknown): readonly PrivacyEvent[];
  /** What a task promises: the same for all its plans. */
  terms?(plan: unknown): string;
  /** The RDP at one order that a task may spend in all; null where nothing is promised. A part of the terms. */
  limit?(plan: unknown): { readonly order: number; readonly rdp: number } | null;
  /** The groups that its members are drawn into; null where there are none. */
  groups?(plan: unknown): GroupRule | null;
}

export interface TaskTotals {
  readonly task: string;
  readonly plans: number;
  /** Everything charged, in order. */
  readonly events: readonly PrivacyEvent[];
  /** Cumulative RDP at `ledgerOrders`; null for an infinite one. */
  readonly rdp: readonly (number | null)[];
  /** `held`: of those released, how many were held back and never served under their own version. */
  readonly rounds: { readonly charged: number; readonly released: number; readonly held: number };
  /** What should be served. */
  readonly release: ReleaseBook['served'];
  /** The newest plan. */
  readonly plan: unknown;
}

export interface ReplayTotals {
  readonly entries: number;
  readonly tasks: readonly TaskTotals[];
  readonly nodes: { readonly enrolled: number; readonly revoked: number };
  readonly equivocations: number;
}

export interface Inconsistency {
  /** Of the entry in the log. */
  readonly index: number;
  readonly reason: string;
}

export interface Replay {
  /**
   * Takes the next entry in. What is known of thousands of rounds is changed in place: copying it for each entry would
   * cost the square of their number.
   * @throws CestaError `log.inconsistent` saying what contradicts what; the entry is then not taken in.
   */
  add(entry: LogEntry): void;
  totals(): ReplayTotals;
  /** Cumulative RDP of a task; zeros before its first round. */
  rdpOf(task: string): readonly (number | null)[];
  /** How far a round has come; null before its plan. */
  roundOf(round: string): { readonly isCharged: boolean; readonly isDone: boolean } | null;
  /** The highest version of a task, held back or not, and the one that is served; 0 for none. */
  versionsOf(task: string): { readonly newest: number; readonly served: number };
  /** What the record says of a node's key; null where it says nothing. */
  nodeState(node: string): 'enrolled' | 'revoked' | null;
}

interface RoundBook {
  readonly task: string;
  readonly planHash: string;
  readonly plan: unknown;
  roster: LogEntryOf<'roster'> | null;
  isCharged: boolean;
  hasSurvivors: boolean;
  isDone: boolean;
}

interface TaskBook {
  readonly task: string;
  plans: number;
  terms: string | null;
  events: PrivacyEvent[];
  rdp: readonly (number | null)[];
  /** RDP at the order of the limit. */
  spent: number;
  charged: number;
  released: number;
  readonly releases: ReleaseBook;
  plan: unknown;
}

interface Books {
  readonly rules: PlanRules | null;
  readonly rounds: Map<string, RoundBook>;
  readonly tasks: Map<string, TaskBook>;
  readonly nodes: Map<string, 'enrolled' | 'revoked'>;
  /** Digests of the releases of all tasks. */
  readonly releases: Set<string>;
  entries: number;
  equivocations: number;
}

const noRdp: readonly number[] = ledgerOrders.map(() => 0);

/** Another engine may round powers and logarithms otherwise; a round left out is larger than this by far. */
const tolerance = 1e-9;

/**
 * @param rules null to take the spends as they are said: for whoever wrote them
 */
export function createReplay(rules: PlanRules | null): Replay {
  const books: Books = { rules, rounds: new Map(), tasks: new Map(), nodes: new Map(), releases: new Set(), entries: 0, equivocations: 0 };
  return {
    add(entry) {
      take(books, entry);
      books.entries += 1;
    },
    totals: () => totalsOf(books),
    rdpOf: (task) => books.tasks.get(task)?.rdp ?? noRdp,
    versionsOf(task) {
      const releases = books.tasks.get(task)?.releases;
      return { newest: releases?.newest ?? 0, served: releases?.served?.version ?? 0 };
    },
    nodeState: (node) => books.nodes.get(node) ?? null,
    roundOf(round) {
      const book = books.rounds.get(round);
      return book === undefined ? null : { isCharged: book.isCharged, isDone: book.isDone };
    },
  };
}

/**
 * Replays the leaves of a log in order, up to the first inconsistency.
 * @returns the totals of what came before it, and the inconsistency, or null.
 * @example
 * const { totals, inconsistency } = replayLog(entries, planRules);
 */
export function replayLog(leaves: Iterable<Uint8Array>, rules: PlanRules | null): { readonly totals: ReplayTotals; readonly inconsistency: Inconsistency | null } {
  const replay = createReplay(rules);
  let index = 0;
  for (const leaf of leaves) {
    try {
      replay.add(decodeEntry(leaf));
    } catch (thrown) {
      return { totals: replay.totals(), inconsistency: { index, reason: toCestaError(thrown).message } };
    }
    index += 1;
  }
  return { totals: replay.totals(), inconsistency: null };
}

function totalsOf({ entries, tasks, nodes, equivocations }: Books): ReplayTotals {
  const states = [...nodes.values()];
  return {
    entries,
    tasks: [...tasks.values()].map(({ task, plans, events, rdp, charged, released, releases, plan }) => ({ task, plans, events: [...events], rdp, rounds: { charged, released, held: releases.held.size }, release: releases.served, plan })),
    nodes: { enrolled: states.length, revoked: states.filter((state) => state === 'revoked').length },
    equivocations,
  };
}

function take(books: Books, entry: LogEntry): void {
  switch (entry.type) {
    case 'round-plan':
      return takePlan(books, entry);
    case 'roster':
      return takeRoster(books, bookOf(books, entry), entry);
    case 'budget-spend':
      return takeSpend(books, entry);
    case 'survivors':
      return takeSurvivors(books, bookOf(books, entry), entry);
    case 'round-result':
      return takeResult(books, entry);
    case 'release-served':
      return addServed(books.tasks.get(entry.task)?.releases ?? emptyReleaseBook(), books.releases, entry);
    case 'node-enrolled':
      if (books.nodes.has(entry.node)) throw inconsistent(`node ${entry.node}: expected one enrolment, got a second`);
      return void books.nodes.set(entry.node, 'enrolled');
    case 'node-revoked':
      // A key may have been in use without an enrolment, where that is not required.
      if (books.nodes.get(entry.node) === 'revoked') throw inconsistent(`node ${entry.node}: expected one revocation, got a second`);
      return void books.nodes.set(entry.node, 'revoked');
    case 'equivocation':
      if (entry.first.statement === entry.second.statement) throw inconsistent(`equivocation of ${entry.node}: expected two different statements, got one twice`);
      books.equivocations += 1;
      return;
    default:
      return entry satisfies never;
  }
}

function takePlan(books: Books, { plan, planHash }: LogEntryOf<'round-plan'>): void {
  const hash = hashOfPlan(plan);
  if (hash !== planHash) throw inconsistent(`plan of ${plan.round}: expected the hash ${hash}, got ${planHash}`);
  if (books.rounds.has(plan.round)) throw inconsistent(`round ${plan.round}: expected one plan, got a second`);
  const terms = readPlan(plan.round, () => books.rules?.terms?.(plan) ?? null);
  const book = books.tasks.get(plan.task) ?? { task: plan.task, plans: 0, terms, events: [], rdp: noRdp, spent: 0, charged: 0, released: 0, releases: emptyReleaseBook(), plan };
  if (book.terms !== terms) throw inconsistent(`plan of ${plan.round}: expected the terms of task ${plan.task}, ${String(book.terms)}, got ${String(terms)}`);
  books.tasks.set(plan.task, book);
  book.plans += 1;
  book.plan = plan;
  books.rounds.set(plan.round, { task: plan.task, planHash, plan, roster: null, isCharged: false, hasSurvivors: false, isDone: false });
}

function readPlan<T>(round: string, read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    throw inconsistent(`plan of ${round}: ${toCestaError(thrown).message}`);
  }
}

/** The open round an entry is about, under the plan it names. */
function bookOf({ rounds }: Books, { type, task, round, planHash }: LogEntryOf<'roster' | 'budget-spend' | 'survivors' | 'round-result'>): RoundBook {
  const book = rounds.get(round);
  if (book === undefined) throw inconsistent(`${type} of ${round}: expected the plan before it, got none`);
  if (book.task !== task) throw inconsistent(`${type} of ${round}: expected task ${book.task}, got ${task}`);
  if (book.planHash !== planHash) throw inconsistent(`${type} of ${round}: expected the plan ${book.planHash}, got ${planHash}`);
  if (book.isDone) throw inconsistent(`${type} of ${round}: expected nothing after the result of the round`);
  return book;
}

function takeRoster({ rules }: Books, book: RoundBook, entry: LogEntryOf<'roster'>): void {
  const { round } = entry;
  if (book.roster !== null) throw inconsistent(`round ${round}: expected one roster, got a second`);
  requireGroups(entry, readPlan(round, () => rules?.groups?.(book.plan)));
  book.roster = entry;
}

function takeSpend(books: Books, entry: LogEntryOf<'budget-spend'>): void {
  const { round, events, cumulative } = entry;
  const book = bookOf(books, entry);
  const task = taskBook(books, book);
  if (book.isCharged) throw inconsistent(`round ${round}: expected one spend, got a second`);
  const { rules } = books;
  const expected = rules === null ? events : readPlan(round, () => rules.recompute(book.plan));
  if (canonicalJson(cumulative.orders) !== canonicalJson(ledgerOrders)) throw inconsistent(`spend of ${round}: expected RDP at the orders ${ledgerOrders.join(', ')}`);
  if (!isSameCost(events, expected)) throw inconsistent(`spend of ${round}: expected the events of its plan, ${canonicalJson(expected)}, got ${canonicalJson(events)}`);
  const sum = cumulate(task.rdp, events);
  const wrong = sum.findIndex((value, i) => !isClose(value, cumulative.rdp[i] ?? null));
  if (wrong >= 0 || cumulative.rdp.length !== sum.length) {
    throw inconsistent(`spend of ${round}: expected cumulative RDP ${sum[wrong] ?? 'infinite'} at order ${ledgerOrders[wrong] ?? 'unknown'}, got ${cumulative.rdp[wrong] ?? 'another list'}`);
  }
  const limit = readPlan(round, () => rules?.limit?.(book.plan) ?? null);
  const spent = task.spent + (limit === null ? 0 : composedRdp(events, limit.order));
  if (limit !== null && spent > limit.rdp * (1 + tolerance)) throw inconsistent(`spend of ${round}: expected at most ${limit.rdp} in RDP at order ${limit.order}, which is all of the budget, got ${spent}`);
  task.spent = spent;
  book.isCharged = true;
  task.charged += 1;
  task.events.push(...events);
  task.rdp = sum;
}

function taskBook({ tasks }: Books, { task }: RoundBook): TaskBook {
  const book = tasks.get(task);
  if (book === undefined) throw new CestaError('internal', `replay: expected the task ${task} of a known round`);
  return book;
}

function isClose(a: number | null, b: number | null): boolean {
  if (a === null || b === null) return a === b;
  return Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b));
}

/** The same events, numbers up to rounding. */
function isSameCost(got: readonly PrivacyEvent[], expected: readonly PrivacyEvent[]): boolean {
  return got.length === expected.length && got.every((event, i) => {
    const fields = Object.entries(event);
    const others = new Map<string, unknown>(Object.entries(expected[i]));
    return fields.length === others.size && fields.every(([name, value]: [string, unknown]) => {
      const other = others.get(name);
      return typeof value === 'number' && typeof other === 'number' ? isClose(value, other) : value === other;
    });
  });
}

function takeSurvivors({ rules }: Books, book: RoundBook, entry: LogEntryOf<'survivors'>): void {
  const { round } = entry;
  if (book.hasSurvivors) throw inconsistent(`round ${round}: expected one set of survivors, got a second`);
  if (book.roster === null) throw inconsistent(`survivors of ${round}: expected the roster before them, got none`);
  if (!book.isCharged) throw inconsistent(`survivors of ${round}: expected the spend before them, got none`);
  requireGroups(entry, readPlan(round, () => rules?.groups?.(book.plan)));
  requireWithinRoster(entry, book.roster);
  book.hasSurvivors = true;
}

function takeResult(books: Books, entry: LogEntryOf<'round-result'>): void {
  const book = bookOf(books, entry);
  const task = taskBook(books, book);
  if (!book.isCharged) throw inconsistent(`result of ${entry.round}: expected the spend before it, got none`);
  addResult(task.releases, books.releases, entry);
  book.isDone = true;
  task.released += 1;
}
