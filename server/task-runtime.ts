/** One task of the federation: what it is, what it has released, and when its rounds open. */
import type { Logger } from 'pino';
import { createCatalogue, type Catalogue } from '../shared/commerce/catalogue.ts';
import { withoutLocalTerms } from '../shared/federation/local-terms.ts';
import type { Round } from '../shared/federation/round.ts';
import { nextModel, withFirstCount, type StageModel } from '../shared/federation/stages.ts';
import { makePlan, parseTaskSpec, type TaskSpec } from '../shared/federation/task.ts';
import type { ErrorCode } from '../shared/protocol/error-table.ts';
import { CestaError, toCestaError } from '../shared/protocol/errors.ts';
import type { AnyFederatedModel } from '../shared/recommender/federated-model.ts';
import { createModel } from '../shared/recommender/registry.ts';
import type { CatalogueRoom } from './catalogue-room.ts';
import type { Clock } from './clock.ts';
import type { Floor } from './floor.ts';
import type { Gateway } from './gateway.ts';
import type { Meter } from './meter.ts';
import type { PublicRecord } from './ledger/public-record.ts';
import { createReleaseLedger } from './ledger/release-ledger.ts';
import { reconcile } from './ledger/reconcile.ts';
import { openRoundLedger } from './ledger/round-ledger.ts';
import { keepCatalogue, settleTask, type Records } from './records.ts';
import { createReleases, type Releases } from './releases.ts';
import { createSchedule, type Schedule } from './schedule.ts';
import type { TaskState } from './storage/storage.ts';
import type { TaskOver } from './task-over.ts';
import type { TaskTiming } from './task-timing.ts';
import type { StagingAreas } from './uploads.ts';

/** What all tasks of a federation share. */
export interface SharedContext {
  readonly records: Records;
  readonly record: PublicRecord;
  readonly room: CatalogueRoom;
  readonly floor: Floor;
  readonly areas: StagingAreas;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly timing: TaskTiming;
  /** Cosignatures that a plan needs before anybody is invited. */
  readonly quorum: number;
  /** @throws CestaError `policy.violated` for a task outside of the policy, if there is one */
  readonly requireAllowed: (spec: TaskSpec) => void;
  readonly onProgress: (round: Round) => void;
}

export interface TaskContext extends SharedContext {
  /** Whether any task waits for a report of this shop from a round that is over. */
  readonly isBusy: (participant: string) => boolean;
  /** Hears when shops may have become free. */
  readonly onFree: () => void;
  readonly onOver: (over: TaskOver) => void;
}

/** A task that was read and checked, before anybody may connect. */
export interface PreparedTask {
  readonly spec: TaskSpec;
  readonly createdAt: string;
  readonly state: TaskState;
  readonly releases: Releases;
  /** Releases wanted in all. */
  readonly roundsWanted: number;
}

export interface TaskRuntime extends PreparedTask {
  state: TaskState;
  readonly schedule: Schedule;
}

/**
 * Notes a task in the journal, closes what an earlier process left open of it, and takes up its newest release.
 * @throws CestaError `plan.invalid` and others for a task that cannot be enforced; `storage.failed`
 */
export async function prepareTask({ records, record, room, clock, logger, meter, requireAllowed }: SharedContext, spec: TaskSpec, roundsWanted = spec.privacy.rounds): Promise<PreparedTask> {
  const { storage, blobs, key } = records;
  // Whatever cannot be enforced is refused now, not when shops have come.
  requireEnforceable(spec, room.fixed);
  requireAllowed(spec);
  const { state, createdAt } = await settleTask(storage, spec);
  const crashed = await storage.failUnfinished(spec.name, { code: 'round.failed', message: 'coordinator restarted' });
  if (crashed.length > 0) logger.warn({ rounds: crashed }, 'rounds that an earlier process left open have failed');
  const caughtUp = await reconcile(record, storage, spec.name);
  if (caughtUp > 0) logger.warn({ entries: caughtUp }, 'the public record was behind the journal, and caught up');
  const releases = createReleases({ task: spec.name, storage, blobs, key, clock, logger, meter, ledger: createReleaseLedger(record, storage, spec.name), modelOf: (model) => modelIn(room, model) });
  if (room.fixed !== null) await releases.load();
  return { spec, state, createdAt, releases, roundsWanted };
}

/**
 * The tasks beside the main one, as far as they can be run still: one that this version objects to stays in the journal,
 * and opens no rounds.
 */
export async function prepareOthers(context: SharedContext, main: TaskSpec): Promise<PreparedTask[]> {
  const { records: { storage }, logger } = context;
  const prepared: PreparedTask[] = [];
  for (const { name, spec } of await storage.tasks()) {
    if (name === main.name) continue;
    try {
      prepared.push(await prepareTask(context, parseTaskSpec(spec)));
    } catch (error) {
      if (toCestaError(error).code === 'storage.failed') throw error;
      logger.error({ err: error, task: name }, 'a task of the journal cannot be run, and opens no rounds');
    }
  }
  return prepared;
}

/** The task with a schedule; it opens nothing before it is started. */
export function runTask(context: TaskContext, prepared: PreparedTask, gateway: Gateway): TaskRuntime {
  const { records, record, room, floor, areas, clock, logger, meter, timing, quorum, onProgress, onOver, isBusy, onFree } = context;
  const { spec: task, releases, state, createdAt, roundsWanted } = prepared;
  const { storage, key } = records;
  const { gatherMs, retryMs, stallMs, stageMs, acknowledgeMs, witnessMs } = timing;
  const schedule = createSchedule({
    task, storage, releases, gateway, room, floor, roundsWanted, gatherMs, retryMs,
    createdAtMs: Date.parse(createdAt),
    isPaused: state !== 'active',
    keepCatalogue: (catalogue) => keepCatalogue(records, task.name, catalogue),
    createModel: modelOf,
    openLedger: (plan, reserve, signal) => openRoundLedger({ record, storage, clock, quorum, witnessMs }, plan, reserve, signal),
    round: { areas, key, clock, logger, meter, stallMs, stageMs, acknowledgeMs },
    onOver, onProgress, isBusy, onFree,
  });
  return { ...prepared, schedule };
}

/** Refusals that do not depend on what shops will publish. */
const lastingRefusals: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['config.invalid', 'model.unknown', 'plan.invalid', 'privacy.mode-unavailable', 'privacy.invalid']);

/** Without a catalogue a task is checked against the smallest one, and for what would be wrong with any. */
function requireEnforceable(task: TaskSpec, fixed: Catalogue | null): void {
  if (fixed !== null) {
    makePlan(withFirstCount(task, fixed), { model: modelOf(fixed, nextModel(task, fixed, null)), catalogue: fixed, roundNumber: 1, baseRelease: null });
    return;
  }
  const catalogue = createCatalogue([{ id: 'a', title: 'a' }, { id: 'b', title: 'b' }]);
  const round = { catalogue, roundNumber: 1, baseRelease: null };
  // A first count of purchases, where one is needed, is trained by nobody.
  const attempts = [() => makePlan(task, { model: modelOf(catalogue, task.model), ...round }), () => makePlan(withoutLocalTerms(task), { model: createModel('popularity', catalogue, {}), ...round })];
  for (const attempt of attempts) {
    try {
      attempt();
    } catch (error) {
      if (lastingRefusals.has(toCestaError(error).code)) throw error;
    }
  }
}

function modelIn({ fixed }: CatalogueRoom, model: StageModel): AnyFederatedModel {
  if (fixed === null) throw new CestaError('internal', 'catalogue: expected it to be fixed, since there is a release');
  return modelOf(fixed, model);
}

function modelOf(catalogue: Catalogue, { kind, hyperParameters }: StageModel): AnyFederatedModel {
  return createModel(kind, catalogue, hyperParameters);
}
