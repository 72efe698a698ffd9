/**
 * What the coordinator must not forget: tasks, rounds, budget, releases, keys of shops. A plain object of functions,
 * so that embedded and networked databases are interchangeable; one conformance suite runs on all of them.
 * Every function rejects with `storage.failed` when the database does not answer. What resolves is durable.
 */
import type { Plan } from '../../shared/federation/plan.ts';
import type { Manifest } from '../../shared/federation/release.ts';
import type { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Json } from '../../shared/protocol/canonical-json.ts';
import type { IdentityRecords } from './identity-records.ts';
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
}

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
}

export interface SpendRecord extends Spend {
  readonly round: string;
  readonly state: SpendState;
}

export interface ReleaseRecord {
  readonly task: string;
  readonly version: number;
  readonly sha256: string;
  readonly round: string;
  readonly manifest: Manifest;
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

export interface Storage extends IdentityRecords, ParticipantRecords {
  /** Resolves when the database answers. */
  ping(): Promise<void>;
  setting(key: string): Promise<string | null>;
  putSetting(key: string, value: string): Promise<void>;

  task(name: string): Promise<TaskRecord | null>;
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
  openRound(round: OpenRoundRecord): Promise<void>;
  /** Charges the reserved budget for good and notes who takes part: call it before the first member is told to train. */
  startTraining(round: string, roster: readonly RosterEntry[]): Promise<void>;
  /** Ends a round with its release, both or neither. */
  publish(release: ReleaseRecord, participants: number): Promise<void>;
  /** Ends a round without a release. A reservation that was never committed is abandoned. */
  failRound(round: string, failure: Failure): Promise<void>;
  /** Fails every round that a crash left open; resolves to their ids. */
  failUnfinished(task: string, failure: Failure): Promise<readonly string[]>;
  /** Rounds with a number above `after`, oldest first. */
  rounds(task: string, page: { readonly after: number; readonly limit: number }): Promise<readonly RoundRecord[]>;
  lastRound(task: string): Promise<RoundRecord | null>;
  /** Every spend of a task, oldest first. */
  spends(task: string): Promise<readonly SpendRecord[]>;
  /** Rounds whose budget is reserved or committed. */
  roundsCharged(task: string): Promise<number>;

  /** Releases below the version `before`, newest first. */
  releases(task: string, page: { readonly before: number; readonly limit: number }): Promise<readonly ReleaseRecord[]>;
  release(task: string, address: { readonly version: number } | { readonly sha256: string }): Promise<ReleaseRecord | null>;

  /**
   * Binds a key to a shop name at first use and notes the visit. Names are compared without case; a key belongs to
   * one name. `taken`: the name has another key, or the key another name.
   */
  pinNode(name: string, publicKey: string): Promise<'new' | 'known' | 'taken'>;
  nodes(): Promise<readonly NodeRecord[]>;

  /** Entries of the public record. */
  logSize(): Promise<number>;
  /**
   * Appends to the public record; nothing in it is ever changed.
   * @param settings what changes with it, in the same commit
   * @throws CestaError `storage.failed` unless `position` is the one after the last.
   */
  appendLogEntry(position: number, bytes: Uint8Array, settings?: Readonly<Record<string, string>>): Promise<void>;
  /**
   * Entries in order, fewer where the record ends.
   * @throws CestaError `storage.failed` for a record with a gap.
   */
  logEntries(range: { readonly from: number; readonly limit: number }): Promise<readonly Uint8Array[]>;

  close(): Promise<void>;
}
