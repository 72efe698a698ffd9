/**
 * When rounds open, and when the task is over. A round opens as soon as the wanted number of shops is ready, or when
 * the first has waited long enough and the quorum is there; after a failure, not before a pause that doubles. It is
 * the journal's count of charged rounds that ends a task, whatever was asked for.
 */
import { randomFillSync } from 'node:crypto';
import type { Catalogue } from '../shared/commerce/catalogue.ts';
import { planHash, type Plan } from '../shared/federation/plan.ts';
import { continuesFrom, nextModel, withFirstCount, type StageModel, type StageRelease } from '../shared/federation/stages.ts';
import { canonicalJson } from '../shared/protocol/canonical-json.ts';
import type { Round } from '../shared/federation/round.ts';
import { makePlan, type TaskSpec } from '../shared/federation/task.ts';
import { secureRandom, shuffle } from '../shared/numerics/random.ts';
import { CestaError, toCestaError, type ErrorCode } from '../shared/protocol/errors.ts';
import type { AnyFederatedModel } from '../shared/recommender/federated-model.ts';
import { admit, spendOf } from './budget-admission.ts';
import type { CatalogueRoom } from './catalogue-room.ts';
import { publicMessage } from './disclosure.ts';
import type { RoundMessage } from './gateway/connection.ts';
import type { GatewayEvents } from './gateway/context.ts';
import type { Gateway } from './gateway.ts';
import { requireRecordable, type RoundLedger } from './ledger/round-ledger.ts';
import type { LoadedRelease, Releases } from './releases.ts';
import { startRound, type RoundContext, type RoundOutcome, type RoundRun } from './rounds.ts';
import type { Storage } from './storage/storage.ts';

/** Why no further round opens: `code` is null when everything that was asked for is done. */
export interface TaskOver {
  readonly code: ErrorCode | null;
  readonly message: string;
}

export type SchedulePhase = 'waiting' | 'opening' | Round['phase'] | 'pausing' | 'over' | 'stopped';

export interface ScheduleOptions {
  readonly task: TaskSpec;
  /** Releases wanted in all. */
  readonly roundsWanted: number;
  /** How long the first ready shop waits for more than the quorum. */
  readonly gatherMs: number;
  /** Pause after the first failure in a row. */
  readonly retryMs: number;
  readonly storage: Storage;
  readonly releases: Releases;
  readonly gateway: Gateway;
  readonly room: CatalogueRoom;
  /** Makes the catalogue durable, before a plan names it; harmless to repeat. */
  readonly keepCatalogue: (catalogue: Catalogue) => Promise<void>;
  readonly createModel: (catalogue: Catalogue, stage: StageModel) => AnyFederatedModel;
  /** Puts the plan of a round into the public record; if that fails, so has the round. */
  readonly openLedger: (plan: Plan, signal: AbortSignal) => Promise<RoundLedger>;
  readonly round: Pick<RoundContext, 'areas' | 'key' | 'clock' | 'logger' | 'meter' | 'stallMs' | 'stageMs'>;
  readonly onProgress: (round: Round) => void;
  readonly onOver: (over: TaskOver) => void;
}

export interface Schedule extends GatewayEvents {
  readonly phase: SchedulePhase;
  readonly over: TaskOver | null;
  /** Opens the first round when shops are ready; ends the task at once when nothing is left to do. */
  start(): Promise<void>;
  /** Opens no more rounds; resolves when the open one has ended by itself, or was stopped. */
  drain(): Promise<void>;
  /** Opens no more rounds and ends the open one; resolves when that is recorded. */
  stop(reason: string): Promise<void>;
}

interface State {
  readonly options: ScheduleOptions;
  phase: 'waiting' | 'opening' | 'running' | 'pausing' | 'over' | 'stopped';
  /** The model of the last round: made once as long as rounds train the same. */
  made: { readonly stage: string; readonly model: AnyFederatedModel } | null;
  run: RoundRun | null;
  /** Shops that broke a masked session: left out while this process lasts, or each could fail every round. */
  readonly faulty: Set<string>;
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

export function createSchedule(options: ScheduleOptions): Schedule {
  const state: State = {
    options, phase: 'waiting', made: null, run: null, faulty: new Set(), last: null, over: null, isDraining: false,
    firstReadyAt: null, failuresInARow: 0, cancelTimer: () => undefined, stopping: new AbortController(), work: Promise.resolve(),
  };
  return {
    ...eventsOf(state),
    get phase() {
      return state.phase === 'running' && state.run !== null ? state.run.state.phase : state.phase === 'running' ? 'waiting' : state.phase;
    },
    get over() {
      return state.over;
    },
    async start() {
      const over = await whyOver(options);
      if (over === null) consider(state);
      else end(state, over);
    },
    async drain() {
      state.isDraining = true;
      await state.work;
      await state.run?.ended;
    },
    async stop(reason) {
      state.phase = 'stopped';
      state.cancelTimer();
      state.stopping.abort();
      await state.work;
      state.run?.stop(reason);
      await state.run?.ended;
    },
  };
}

function eventsOf(state: State): GatewayEvents {
  const { gateway } = state.options;
  return {
    ready(participant, resumed) {
      if (resumed && state.run !== null) state.run.resumed(participant);
      // Nobody waits for what a process took with it when it died.
      else if (!resumed) state.run?.restarted(participant);
      else if (state.last?.invited.has(participant) === true) gateway.send(participant, state.last.news);
      if (state.over !== null) gateway.send(participant, { type: 'task-over', ...state.over });
      consider(state);
    },
    message(participant, message) {
      if (state.run !== null) state.run.message(participant, message);
      else refuseWithoutRound(message);
    },
    chunk(participant, chunk) {
      // Pieces of an upload that the end of the round overtook are nobody's fault.
      if (chunk.round === state.last?.round.plan.round) return;
      if (state.run === null) throw new CestaError('update.wrong-round', `round: expected none to be open, got a chunk for ${chunk.round}`);
      state.run.chunk(participant, chunk);
    },
    expelled: (participant, error) => state.run?.expelled(participant, error),
    left(participant) {
      state.run?.left(participant);
      consider(state);
    },
  };
}

function invitable({ options, faulty }: State): string[] {
  return options.gateway.ready().filter((participant) => !faulty.has(participant));
}

function refuseWithoutRound({ type, round }: RoundMessage): void {
  if (type === 'join' || type === 'report') throw new CestaError('round.not-member', `${type}: expected an open round, got ${round}, which is not; wait for the next one`);
}

/** Opens a round if it is time to, or sets the timer for when it will be. */
function consider(state: State): void {
  const { options } = state;
  const { clock } = options.round;
  const { minParticipants, targetParticipants } = options.task.cohort;
  const ready = invitable(state).length;
  state.firstReadyAt = ready === 0 ? null : (state.firstReadyAt ?? clock.now());
  if (state.phase !== 'waiting' || state.isDraining) return;
  state.cancelTimer();
  if (state.firstReadyAt === null) return;
  const waitMs = state.firstReadyAt + options.gatherMs - clock.now();
  if (ready >= targetParticipants || (ready >= minParticipants && waitMs <= 0)) {
    state.phase = 'opening';
    state.work = open(state).catch((error: unknown) => recover(state, toCestaError(error)));
  } else if (waitMs > 0) {
    state.cancelTimer = clock.after(waitMs, () => consider(state));
  }
}

/** Journal first, then the public record: when the invitations go out, the plan and its reservation are in both. */
async function open(state: State): Promise<void> {
  const { options } = state;
  const { storage, releases, gateway, round } = options;
  const { task, model, catalogue, baseRelease } = await settleStage(state);
  const number = await storage.nextRoundNumber(task.name);
  const plan = makePlan(task, { model, catalogue, roundNumber: number, baseRelease, clipNorm: releases.current?.manifest.nextClipNorm ?? null });
  requireRecordable(plan);
  await storage.openRound({ task: task.name, number, plan, planHash: planHash(plan), spend: spendOf(plan), admit: plan.privacy.mode === 'none' ? null : (spends) => admit(task, plan, spends) });
  const ledger = await options.openLedger(plan, state.stopping.signal);
  const candidates = shuffle(invitable(state), secureRandom((bytes) => void randomFillSync(bytes)));
  round.logger.info({ round: plan.round, shops: candidates.length }, 'round opens');
  const run = startRound({ ...round, gateway, releases, storage, ledger, onProgress: options.onProgress }, model, plan, candidates);
  state.run = run;
  if (state.phase === 'opening') state.phase = 'running';
  void run.ended.then((outcome) => {
    state.work = close(state, outcome).catch((error: unknown) => recover(state, toCestaError(error)));
  });
}

interface Stage {
  /** With the rounds that it really takes over this catalogue. */
  readonly task: TaskSpec;
  readonly model: AnyFederatedModel;
  readonly catalogue: Catalogue;
  readonly baseRelease: string | null;
}

/** Fixes the catalogue if it is open still, and says what the next round trains. */
async function settleStage(state: State): Promise<Stage> {
  const { room, gateway, keepCatalogue, releases } = state.options;
  const catalogue = room.fixed ?? room.unite(gateway.ready());
  const task = withFirstCount(state.options.task, catalogue);
  const current = stageOf(releases.current);
  const stage = nextModel(task, catalogue, current);
  const model = modelOf(state, catalogue, stage);
  const baseRelease = continuesFrom(stage, current) ? (releases.current?.sha256 ?? null) : null;
  // A catalogue for which no plan can be made is not kept: other shops may bring a better one.
  if (room.fixed === null) makePlan(task, { model, catalogue, roundNumber: 1, baseRelease });
  await keepCatalogue(catalogue);
  room.fix(catalogue);
  return { task, model, catalogue, baseRelease };
}

function modelOf(state: State, catalogue: Catalogue, stage: StageModel): AnyFederatedModel {
  const name = canonicalJson(stage);
  if (state.made?.stage !== name) state.made = { stage: name, model: state.options.createModel(catalogue, stage) };
  return state.made.model;
}

function stageOf(current: LoadedRelease | null): StageRelease | null {
  return current === null ? null : { model: current.manifest.model, params: current.params };
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
  const over = await whyOver(state.options);
  if (state.phase !== 'running') return;
  if (over !== null) return end(state, over);
  if (failed) return pause(state);
  state.phase = 'waiting';
  consider(state);
}

/** What is left to do, by the journal alone: it counts what earlier processes charged and released, too. */
async function whyOver({ task: asked, roundsWanted: wanted, storage, room }: ScheduleOptions): Promise<TaskOver | null> {
  const task = room.fixed === null ? asked : withFirstCount(asked, room.fixed);
  const roundsWanted = wanted + task.privacy.rounds - asked.privacy.rounds;
  const [newest] = await storage.releases(task.name, { before: Number.MAX_SAFE_INTEGER, limit: 1 });
  const done = newest?.version ?? 0;
  if (done >= roundsWanted) return { code: null, message: `task ${task.name}: ${done} of ${roundsWanted} releases made` };
  if (task.privacy.mode === 'none') return null;
  const charged = await storage.roundsCharged(task.name);
  if (charged < task.privacy.rounds) return null;
  return { code: 'budget.exhausted', message: `task ${task.name}: ${charged} of ${task.privacy.rounds} rounds of its budget spent, ${done} of ${roundsWanted} releases made` };
}

/** What shops published may be at fault, the disk, or witnesses that are away: those are tried again. Anything else would fail the same way. */
const passingFaults: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['storage.failed', 'round.failed', 'catalogue.invalid', 'model.unusable']);

function recover(state: State, error: CestaError): void {
  if (state.phase === 'stopped') return;
  state.options.round.logger.error({ err: error, code: error.code }, 'no round could be opened');
  state.failuresInARow += 1;
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
  const { gateway, round, onOver } = state.options;
  state.phase = 'over';
  state.over = over;
  round.logger.info(over, 'task over');
  for (const participant of gateway.ready()) gateway.send(participant, { type: 'task-over', ...over });
  onOver(over);
}
