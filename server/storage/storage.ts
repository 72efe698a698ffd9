/**
 * What the coordinator must not forget: tasks, rounds, budget, releases, keys of shops. A plain object of functions,
 * so that embedded and networked databases are interchangeable; one conformance suite runs on all of them.
 * Every function rejects with `storage.failed` when the database does not answer. What resolves is durable.
 */
import type { CanaryVerdict } from '../../shared/evaluation/exposure-canary.ts';
import type { GateVerdict } from '../../shared/evaluation/gate-rule.ts';
import type { Plan, Purpose } from '../../shared/federation/plan.ts';
import type { Manifest } from '../../shared/federation/release.ts';
import type { ErrorCode } from '../../shared/protocol/error-table.ts';
import type { Precision } from '../../shared/recommender/quantised-rows.ts';
import type { Json } from '../../shared/protocol/canonical-json.ts';
import type { IdentityRecords } from './identity-records.ts';
import type { OperatorRecords } from './operator-records.ts';
import type { ParticipantRecords, RosterEntry } from './participant-records.ts';

export type StoredRoundState = 'recruiting' | 'training' | 'done' | 'failed';

/**
 * `reserved`: set aside, nobody was told to train. `committed`: members may have been told, so it stays charged
 * whatever happens next. `abandoned`: training never started, the share is free again.
 */
export type SpendState = 'reserved' | 'committed' | 'abandoned';

export interface TaskRecord {
  readonly name: string;
  readonly spec: Json;
  /** Set once, when the task's catalogue is fixed. */
  readonly catalogueHash: string | null;
  readonly state: TaskState;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** What the operator decided; whether anything is left to do is another matter. */
export type TaskState = 'active' | 'paused' | 'cancelled';

export interface Spend {
  readonly event: Json;
  readonly epsilon: number | null;
  readonly delta: number | null;
}

export interface OpenRoundRecord {
  readonly task: string;
  readonly number: number;
  readonly plan: Plan;
  readonly planHash: string;
  readonly spend: Spend;
  /**
   * Decides on everything that the task has spent so far, inside the transaction that writes the reservation: throws
   * when the budget does not hold this round, and nothing is written. Null where nothing is promised.
   */
  readonly admit: ((spends: readonly SpendRecord[]) => void) | null;
}

export interface RoundRecord {
  readonly id: string;
  readonly task: string;
  readonly number: number;
  readonly plan: Plan;
  readonly planHash: string;
  readonly state: StoredRoundState;
  readonly openedAt: string;
  readonly trainingAt: string | null;
  readonly endedAt: string | null;
  readonly participants: number | null;
  readonly failure: { readonly code: ErrorCode; readonly message: string } | null;
  /** Of an evaluation that is done. */
  readonly result: GateVerdict | null;
}

/** A round that scores releases. */
export interface EvaluationRecord {
  readonly round: string;
  /** Digest of the release it is about. */
  readonly candidate: string;
  /** Digest of the release it is compared with. */
  readonly served: string;
  readonly state: StoredRoundState;
  readonly spend: SpendState;
  /** Once it is done. */
  readonly verdict: GateVerdict | null;
}

export interface SpendRecord extends Spend {
  readonly round: string;
  readonly purpose: Purpose;
  readonly state: SpendState;
}

/**
 * `served`: it is what is served, or was. `candidate`: made and recorded, and nobody has decided whether to serve it.
 * `rejected`: decided against. The newest `served` one is in force.
 */
export type ReleaseState = 'served' | 'candidate' | 'rejected';

/** How a release came to be served that was not when it was made, or is made to serve an older one again. */
export interface Serving {
  readonly change: 'promotion' | 'rollback';
  readonly reason: 'operator' | 'gate';
}

export interface ReleaseRecord {
  readonly task: string;
  readonly version: number;
  readonly sha256: string;
  /** The round that its parameters are of: an older release that is served again has the round of that one. */
  readonly round: string;
  readonly manifest: Manifest;
  readonly state: ReleaseState;
  /** Null for one that was served as soon as it was made, or never was. */
  readonly serving: Serving | null;
  /** The version that a rollback from this one leads to; null where there is none. */
  readonly previous: number | null;
  /** Why a canary held it back when it was made, whatever became of it since; null where none did. */
  readonly canary: CanaryVerdict | null;
}

export interface NodeRecord {
  readonly name: string;
  readonly publicKey: string;
  readonly firstSeen: string;
  readonly lastSeen: string;
}

export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
}

/** What is appended to the public record, and the settings that change with it: its head. */
export interface LogAppend {
  /** Of the first entry. */
  readonly position: number;
  readonly entries: readonly Uint8Array[];
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * A step of a round that takes a `LogAppend` commits it along, both or neither: what is in the journal is then in the
 * public record as well.
 */
export interface Storage extends IdentityRecords, OperatorRecords, ParticipantRecords {
  /** Resolves when the database answers. */
  ping(): Promise<void>;
  setting(key: string): Promise<string | null>;
  putSetting(key: string, value: string): Promise<void>;

  task(name: string): Promise<TaskRecord | null>;
  /** Oldest first. */
  tasks(): Promise<readonly TaskRecord[]>;
  setTaskState(name: string, state: TaskState): Promise<void>;
  /** Inserts the task or replaces its terms; a catalogue that was fixed stays. */
  putTask(name: string, spec: Json): Promise<void>;
  /** @throws CestaError `config.invalid` when another catalogue was fixed before. */
  fixCatalogue(task: string, hash: string): Promise<void>;

  /** 1 for the first round of a task; numbers are never used twice. */
  nextRoundNumber(task: string): Promise<number>;
  /**
   * Writes the plan and reserves its budget, both or neither.
   * @throws CestaError whatever `admit` throws.
   */
  openRound(round: OpenRoundRecord, log?: LogAppend): Promise<void>;
  /** Charges the reserved budget for good and notes who takes part: call it before the first member is told to train. */
  startTraining(round: string, roster: readonly RosterEntry[], log?: LogAppend): Promise<void>;
  /** Ends a round with its release, served or a candidate, both or neither. */
  publish(release: ReleaseRecord, participants: number, log?: LogAppend): Promise<void>;
  /** Ends an evaluation with what came of it. */
  concludeEvaluation(round: string, participants: number, result: GateVerdict): Promise<void>;
  /** The evaluations of a task, oldest first. */
  evaluations(task: string): Promise<readonly EvaluationRecord[]>;
  /** Ends a round without a release. A reservation that was never committed is abandoned. */
  failRound(round: string, failure: Failure): Promise<void>;
  /** Fails every round that a crash left open; resolves to their ids. */
  failUnfinished(task: string, failure: Failure): Promise<readonly string[]>;
  /** Rounds with a number above `after`, oldest first. */
  rounds(task: string, page: { readonly after: number; readonly limit: number }): Promise<readonly RoundRecord[]>;
  lastRound(task: string): Promise<RoundRecord | null>;
  /** When the newest round of training in which anybody was told to train was opened; null before the first. */
  lastTrainedAt(task: string): Promise<string | null>;
  /** Every spend of a task, oldest first. */
  spends(task: string): Promise<readonly SpendRecord[]>;
  /** Rounds of training whose budget is reserved or committed. */
  roundsCharged(task: string): Promise<number>;
  /** Rounds of training that ended with a release, whatever became of it. */
  roundsDone(task: string): Promise<number>;

  /** Releases below the version `before`, newest first; those in one state only, where one is given. */
  releases(task: string, page: { readonly before: number; readonly limit: number; readonly state?: ReleaseState }): Promise<readonly ReleaseRecord[]>;
  release(task: string, address: { readonly version: number } | { readonly sha256: string }): Promise<ReleaseRecord | null>;
  /** Writes the release of a round that ended before: its parameters under a new version. */
  restoreRelease(release: ReleaseRecord): Promise<void>;
  /** @throws CestaError `storage.failed` unless the release is a candidate or was rejected. */
  serveRelease(task: string, version: number, change: Pick<ReleaseRecord, 'serving' | 'previous'>): Promise<void>;
  /** @throws CestaError `storage.failed` unless the release is a candidate. */
  rejectRelease(task: string, version: number): Promise<void>;
  /** Digest of the file that is served for a release at this precision: the release's own where they are one; null for none yet. */
  servingForm(release: string, precision: Precision): Promise<string | null>;
  putServingForm(release: string, precision: Precision, sha256: string): Promise<void>;

  /**
   * Binds a key to a shop name at first use and notes the visit. Names are compared without case; a key belongs to
   * one name. `taken`: the name has another key, or the key another name.
   */
  pinNode(name: string, publicKey: string): Promise<'new' | 'known' | 'taken'>;
  nodes(): Promise<readonly NodeRecord[]>;

  /** Entries of the public record. */
  logSize(): Promise<number>;
  /**
   * Appends to the public record, all or nothing; nothing in it is ever changed.
   * @throws CestaError `storage.failed` unless the position is the one after the last.
   */
  appendLog(log: LogAppend): Promise<void>;
  /**
   * Entries in order, fewer where the record ends.
   * @throws CestaError `storage.failed` for a record with a gap.
   */
  logEntries(range: { readonly from: number; readonly limit: number }): Promise<readonly Uint8Array[]>;

  close(): Promise<void>;
}
