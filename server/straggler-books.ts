/**
 * The books on stragglers: which older plans there are, who is still to report to them, whose late report is in the buffer,
 * and what each of them is told in the end.
 */
import type { Logger } from 'pino';
import type { Plan } from '../shared/federation/plan.ts';
import type { CestaError } from '../shared/protocol/errors.ts';
import type { ServerMessage } from '../shared/protocol/messages.ts';
import type { Aggregation } from './aggregation.ts';
import type { Clock } from './clock.ts';
import type { Gateway } from './gateway.ts';
import type { Receipts } from './receipts.ts';

export type LateEvent = 'late-report' | 'late-loss';

export interface StragglersOptions {
  /** 0 where the task is not buffered: then nobody ever is a straggler. */
  readonly maxStaleness: number;
  readonly gateway: Pick<Gateway, 'send'>;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Somebody may be invited again, or the buffer has grown. */
  readonly onChange: () => void;
}

export interface OlderPlan {
  readonly plan: Plan;
  readonly hash: string;
  readonly aggregation: Aggregation;
  /** Signs for late reports as for those in time. */
  readonly receipts: Receipts;
  /** Releases made when the plan was. */
  readonly born: number;
  /** Members that have not reported. */
  readonly out: Set<string>;
  /** Whose report is here as a whole and waits for the end of a release. */
  readonly waiting: Set<string>;
  /** Whose late report is in the buffer. */
  readonly held: Set<string>;
  cancelTimer: () => void;
}

type Done = Extract<ServerMessage, { type: 'round-done' }>;
export type Failure = Extract<ServerMessage, { type: 'round-failed' }>;
export type News = Done | Failure;
export type Release = Pick<Done, 'version' | 'sha256'>;

export interface State {
  readonly options: StragglersOptions;
  readonly plans: Map<string, OlderPlan>;
  /** The plan that a participant is a straggler of: one at most, since nobody is invited meanwhile. */
  readonly planOf: Map<string, OlderPlan>;
  /** Rounds that nobody is a straggler of any more: pieces of their reports may still be on the way. */
  readonly retired: Set<string>;
  /** How a straggler's round ended, for those who were away then. */
  readonly unheard: Map<string, News>;
  open: { readonly plan: Plan; readonly onLate: (event: LateEvent, participant: string) => void } | null;
  /** Late reports in the release that is being made. */
  taken: { readonly round: string; readonly participant: string }[];
  /** Releases made. */
  made: number;
  /** Zero and empty before the first; until then no plan is older. */
  last: Release;
  isReleasing: boolean;
}

/** A whole report goes into the buffer. */
export function count(state: State, older: OlderPlan, participant: string): void {
  const { options, made, open: current } = state;
  older.out.delete(participant);
  older.waiting.delete(participant);
  older.receipts.report(participant, older.aggregation.accumulate(participant));
  older.held.add(participant);
  options.logger.info({ participant, round: older.plan.round, staleness: made - older.born }, 'late report is in the buffer');
  current?.onLate('late-report', participant);
  options.onChange();
}

/** The participant will not report any more; a report that is here as a whole stays. */
export function lose(state: State, older: OlderPlan | undefined, participant: string): void {
  if (older === undefined || !older.out.delete(participant)) return;
  state.planOf.delete(participant);
  older.aggregation.discard(participant);
  sweep(state, older);
  state.open?.onLate('late-loss', participant);
  state.options.onChange();
}

export function exclude(state: State, older: OlderPlan, participant: string, { code, message }: CestaError): boolean {
  if (!older.out.has(participant)) return false;
  state.options.logger.warn({ participant, round: older.plan.round, code, reason: message }, 'straggler excluded');
  tell(state, participant, { type: 'round-failed', round: older.plan.round, code, message });
  lose(state, older, participant);
  return true;
}

/** @param news for everybody who was waited for, or null where they are told otherwise */
export function retire(state: State, older: OlderPlan, news: News | null): void {
  older.cancelTimer();
  older.aggregation.close();
  state.plans.delete(older.plan.round);
  remember(state, older.plan.round);
  for (const participant of [...older.out, ...older.waiting, ...older.held]) {
    state.planOf.delete(participant);
    if (news !== null) tell(state, participant, news);
  }
}

export function sweep(state: State, older: OlderPlan): void {
  if (!state.isReleasing && older.out.size + older.waiting.size + older.held.size === 0) retire(state, older, null);
}

/**
 * Gives the stragglers of a plan up when as many rounds as their reports may be late by could have run to their deadlines:
 * silent shops that no round may invite would otherwise keep a small federation from ever opening one again.
 */
export function watch(state: State, older: OlderPlan, until: number): void {
  const { clock } = state.options;
  older.cancelTimer = clock.after(until - clock.now(), () => {
    // A release that is being made decides first; and a timer may fire early.
    if (clock.now() < until || state.isReleasing) return watch(state, older, Math.max(until, clock.now() + older.plan.deadlines.trainingMs));
    for (const participant of [...older.out]) {
      tell(state, participant, { type: 'round-done', round: older.plan.round, ...state.last });
      lose(state, older, participant);
    }
  });
}

/** As many as there can be plans: whoever was told of the end of one sends no more pieces for long. */
function remember({ retired, options: { maxStaleness } }: State, round: string): void {
  retired.add(round);
  for (const oldest of retired) {
    if (retired.size <= maxStaleness + 1) return;
    retired.delete(oldest);
  }
}

export function tell({ unheard, options: { gateway } }: State, participant: string, news: News): void {
  if (gateway.send(participant, news)) unheard.delete(participant);
  else unheard.set(participant, news);
}
