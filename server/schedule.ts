/**
 * When the rounds of one task open, and when it is over. A round opens as soon as the wanted number of shops is ready,
 * or when the first has waited long enough and the quorum is there; not before its timetable says, nor while another
 * task has the floor; after a failure, not before a pause that doubles. It is the journal's count of charged rounds that
 * ends a task, whatever was asked for.
 */
import { randomFillSync } from 'node:crypto';
import { purposeOf, type Purpose } from '../shared/federation/plan.ts';
import type { Round } from '../shared/federation/round.ts';
import { secureRandom, shuffle } from '../shared/numerics/random.ts';
import type { ErrorCode } from '../shared/protocol/error-table.ts';
import { toCestaError, type CestaError } from '../shared/protocol/errors.ts';
import { publicMessage } from './disclosure.ts';
import type { Floor } from './floor.ts';
import type { GatewayEvents } from './gateway/context.ts';
import type { Gateway } from './gateway.ts';
import { createRoundSource, type RoundSource, type RoundSourceOptions } from './next-round.ts';
import { eventsOfRounds } from './open-round-events.ts';
import { openPlan, type OpeningContext } from './opening.ts';
import { startRound, type RoundContext, type RoundOutcome, type RoundRun } from './rounds.ts';
import type { Storage } from './storage/storage.ts';
import { createStragglers, routeStragglers, type Stragglers } from './stragglers.ts';
import { whyOver, type TaskOver } from './task-over.ts';
import { nextRoundAtMs } from './timetable.ts';

export type SchedulePhase = 'waiting' | 'opening' | Round['phase'] | 'pausing' | 'paused' | 'over' | 'stopped';

export interface ScheduleOptions extends OpeningContext, Omit<RoundSourceOptions, 'logger'> {
  readonly storage: Storage;
  readonly gateway: Gateway;
  readonly floor: Floor;
  /** When the task was made, in Unix milliseconds. */
  readonly createdAtMs: number;
  /** Opens nothing until it is resumed. */
  readonly isPaused?: boolean;
  /** Releases wanted in all. */
  readonly roundsWanted: number;
  /** How long the first ready shop waits for more than the quorum. */
  readonly gatherMs: number;
  /** Pause after the first failure in a row. */
  readonly retryMs: number;
  readonly round: Pick<RoundContext, 'areas' | 'key' | 'clock' | 'logger' | 'meter' | 'stallMs' | 'stageMs' | 'acknowledgeMs'>;
  readonly onProgress: (round: Round) => void;
  /** Whether a shop still owes another task a report: an invitation would have it drop that. */
  readonly isBusy?: (participant: string) => boolean;
  /** Hears when shops may have become free for other tasks. */
  readonly onFree?: () => void;
  readonly onOver: (over: TaskOver) => void;
}

export interface Schedule extends GatewayEvents {
  readonly phase: SchedulePhase;
  readonly over: TaskOver | null;
  /** Opens the first round when shops are ready; ends the task at once when nothing is left to do. */
  start(): Promise<void>;
  /** Whether a shop is slow in a round of this task that is over, and may still report. */
  owes(participant: string): boolean;
  /** Opens a round, if it is time to. */
  consider(): void;
  /** Opens no further rounds until `resume`; the open one goes on. */
  pause(): void;
  resume(): void;
  /** Opens no more rounds; resolves when the open one has ended by itself, or was stopped. */
  drain(): Promise<void>;
  /** Opens no more rounds and ends the open one; resolves when that is recorded. */
  stop(reason: string): Promise<void>;
  /** `stop`, and the task is over for good. */
  cancel(over: TaskOver): Promise<void>;
}

interface State {
  readonly options: ScheduleOptions;
  phase: 'waiting' | 'opening' | 'running' | 'pausing' | 'over' | 'stopped';
  isPaused: boolean;
  /** Unix milliseconds before which the timetable lets no round open. */
  dueAtMs: number;
  /** What rounds are for, one after the other. */
  readonly source: RoundSource;
  /** What the next round is for, as `dueAtMs` has it; null where nobody could look. */
  expects: Purpose | null;
  run: RoundRun | null;
  /** Shops that broke a masked session: left out while this process lasts, or each could fail every round. */
  readonly faulty: Set<string>;
  readonly stragglers: Stragglers;
  /** The last round that ended, for those who were away then. */
  last: RoundOutcome | null;
  over: TaskOver | null;
  isDraining: boolean;
  /** When somebody became ready after nobody was. */
  firstReadyAt: number | null;
  failuresInARow: number;
  cancelTimer: () => void;
  readonly stopping: AbortController;
  /** What is under way and has to be waited for when stopping. */
  work: Promise<void>;
}

const longestPauseMs = 60_000;
/** Longer waits are looked at again: timers end at 2^31 ms, and wall clocks are set. */
const longestWaitMs = 3_600_000;

export function createSchedule(options: ScheduleOptions): Schedule {
  const { gateway, round: { logger, clock }, task: { aggregation } } = options;
  const stragglers = createStragglers({ gateway, logger, clock, maxStaleness: aggregation.kind === 'buffered' ? aggregation.maxStaleness : 0, onChange: () => (options.onFree ?? (() => consider(state)))() });
  const state: State = {
    options, source: createRoundSource({ ...options, logger: options.round.logger }), phase: 'waiting', isPaused: options.isPaused === true, dueAtMs: 0, expects: null,
    run: null, faulty: new Set(), stragglers, last: null, over: null, isDraining: false,
    firstReadyAt: null, failuresInARow: 0, cancelTimer: () => undefined, stopping: new AbortController(), work: Promise.resolve(),
  };
  return {
    ...routeStragglers(stragglers, eventsOfRounds(state, gateway, () => consider(state))),
    get phase() {
      return phaseOf(state);
    },
    get over() {
      return state.over;
    },
    async start() {
      const over = await lookAhead(state);
      if (over === null) consider(state);
      else end(state, over);
    },
    owes: (participant) => stragglers.owes(participant),
    consider: () => consider(state),
    pause() {
      state.isPaused = true;
      state.cancelTimer();
      if (state.run === null && state.phase !== 'opening') options.floor.give(options.task.name);
    },
    resume() {
      state.isPaused = false;
      if (state.phase === 'pausing') state.phase = 'waiting';
      consider(state);
    },
    async drain() {
      state.isDraining = true;
      await state.work;
      await state.run?.ended;
    },
    async stop(reason) {
      state.phase = 'stopped';
      await halt(state, reason);
    },
    async cancel(over) {
      state.phase = 'over';
      await halt(state, over.message);
      end(state, over);
    },
  };
}

function phaseOf({ phase, run, isPaused }: State): SchedulePhase {
  if (phase === 'running') return run?.state.phase ?? 'waiting';
  return isPaused && (phase === 'waiting' || phase === 'pausing') ? 'paused' : phase;
}

async function halt(state: State, reason: string): Promise<void> {
  state.cancelTimer();
  state.stopping.abort();
  await state.work;
  state.run?.stop(reason);
  await state.run?.ended;
  state.stragglers.close(reason);
  state.options.floor.give(state.options.task.name);
}

/** Whose late report is in the buffer may score releases: it would only count twice in a sum of training. */
function invitable({ options, faulty, stragglers }: State, purpose: Purpose): string[] {
  const isTaken = (participant: string): boolean => (purpose === 'evaluation' ? stragglers.owes(participant) : stragglers.isBusy(participant));
  return options.gateway.ready().filter((participant) => !faulty.has(participant) && !isTaken(participant) && options.isBusy?.(participant) !== true);
}

/** Opens a round if it is time to, or sets the timer for when it will be. */
function consider(state: State): void {
  const { options } = state;
  const { clock } = options.round;
  const { minParticipants, targetParticipants } = options.task.cohort;
  const purpose = state.expects ?? 'training';
  const ready = invitable(state, purpose).length;
  state.firstReadyAt = ready === 0 ? null : (state.firstReadyAt ?? clock.now());
  if (state.phase !== 'waiting' || state.isPaused || state.isDraining) return;
  state.cancelTimer();
  if (state.firstReadyAt === null) return;
  const gatherMs = state.firstReadyAt + options.gatherMs - clock.now();
  const dueMs = state.dueAtMs - clock.date().getTime();
  const reports = ready + (purpose === 'training' ? state.stragglers.held : 0);
  const isEnough = reports >= targetParticipants || (reports >= minParticipants && gatherMs <= 0);
  if (dueMs > 0 || !isEnough) {
    const waitMs = Math.max(dueMs, isEnough ? 0 : gatherMs);
    if (waitMs > 0) state.cancelTimer = clock.after(Math.min(waitMs, longestWaitMs), () => consider(state));
    return;
  }
  if (!options.floor.take(options.task.name, () => consider(state))) return;
  state.phase = 'opening';
  state.work = open(state).catch((error: unknown) => recover(state, toCestaError(error)));
}

async function open(state: State): Promise<void> {
  const { gateway, storage, round, onProgress } = state.options;
  const next = await state.source.next();
  // An operator may have decided on the candidate meanwhile: training has a time of its own, and an end.
  if (purposeOf({ model: next.statistic }) !== state.expects) return lookAgain(state);
  const { plan, ledger, conclude } = await openPlan(state.options, next, state.stopping.signal);
  const candidates = shuffle(invitable(state, purposeOf(plan)), secureRandom((bytes) => void randomFillSync(bytes)));
  round.logger.info({ round: plan.round, purpose: purposeOf(plan), shops: candidates.length }, 'round opens');
  const run = startRound({ ...round, gateway, conclude, storage, ledger, stragglers: state.stragglers, onProgress }, plan, candidates);
  state.run = run;
  if (state.phase === 'opening') state.phase = 'running';
  void run.ended.then((outcome) => {
    state.work = close(state, outcome).catch((error: unknown) => recover(state, toCestaError(error)));
  });
}

/** Instead of opening a round. */
async function lookAgain(state: State): Promise<void> {
  const over = await lookAhead(state);
  state.options.floor.give(state.options.task.name);
  if (state.phase !== 'opening') return;
  if (over !== null) return end(state, over);
  state.phase = 'waiting';
  consider(state);
}

async function close(state: State, outcome: RoundOutcome): Promise<void> {
  const { round } = outcome;
  const failed = round.phase === 'failed';
  state.run = null;
  state.last = outcome;
  for (const participant of outcome.faulty) state.faulty.add(participant);
  state.options.round.logger.info({ round: round.plan.round, ...(failed ? { code: round.code, reason: round.reason } : {}) }, failed ? 'round failed' : 'round done');
  state.failuresInARow = failed ? state.failuresInARow + 1 : 0;
  if (state.phase !== 'running') return;
  const over = await lookAhead(state);
  state.options.floor.give(state.options.task.name);
  if (state.phase !== 'running') return;
  if (over !== null) return end(state, over);
  if (failed) return pause(state);
  state.phase = 'waiting';
  consider(state);
}

/** Whether anything is left to do, and since when it may be: a candidate that waits for its evaluation is scored at once. */
async function lookAhead(state: State): Promise<TaskOver | null> {
  const { options, source } = state;
  const { task, storage, createdAtMs } = options;
  state.dueAtMs = 0;
  state.expects = null;
  // None is open here. A disk that failed half-way may have kept one, and its share of the budget with it.
  const left = await storage.failUnfinished(task.name, { code: 'round.failed', message: 'the journal could not be told how it ended' });
  if (left.length > 0) options.round.logger.warn({ rounds: left }, 'rounds that the journal still had open have failed');
  if (await source.awaitsEvaluation()) {
    state.expects = 'evaluation';
    return null;
  }
  const trainedAt = await storage.lastTrainedAt(task.name);
  const over = await whyOver(options);
  state.dueAtMs = nextRoundAtMs(task.schedule, createdAtMs, trainedAt === null ? null : Date.parse(trainedAt));
  state.expects = 'training';
  return over;
}

/** What shops published may be at fault, the disk, or witnesses that are away: those are tried again. Anything else would fail the same way. */
const passingFaults: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['storage.failed', 'round.failed', 'catalogue.invalid', 'model.unusable']);

function recover(state: State, error: CestaError): void {
  state.options.floor.give(state.options.task.name);
  if (state.phase === 'stopped' || state.phase === 'over') return;
  state.options.round.logger.error({ err: error, code: error.code }, 'no round could be opened');
  state.failuresInARow += 1;
  state.expects = null;
  if (passingFaults.has(error.code)) pause(state);
  else end(state, { code: error.code, message: publicMessage(error) });
}

function pause(state: State): void {
  const { options, failuresInARow } = state;
  const delayMs = Math.min(longestPauseMs, options.retryMs * 2 ** Math.min(failuresInARow - 1, 30));
  state.phase = 'pausing';
  state.cancelTimer();
  state.cancelTimer = options.round.clock.after(delayMs, () => {
    state.phase = 'waiting';
    consider(state);
  });
}

function end(state: State, over: TaskOver): void {
  const { task, round, onOver } = state.options;
  state.phase = 'over';
  state.over = over;
  round.logger.info({ task: task.name, ...over }, 'task over');
  // No sum of this task will have their reports, and other tasks may go on for long.
  state.stragglers.close(over.message);
  onOver(over);
}
