/** Everything a coordinator keeps: its folder, its key, its journal, its files; and what it finds there at start. */
import { join } from 'node:path';
import { parseCatalogue, type Catalogue } from '../shared/commerce/catalogue.ts';
import type { Logger } from 'pino';
import { parseTaskSpec, type TaskSpec } from '../shared/federation/task.ts';
import type { SigningKey } from '../shared/ledger/signing-key.ts';
import { canonicalJson, type Json } from '../shared/protocol/canonical-json.ts';
import { CestaError } from '../shared/protocol/errors.ts';
import type { Clock } from './clock.ts';
import { openSigningKey } from './signing-key-file.ts';
import { openBlobStore, type BlobStore } from './storage/blobs.ts';
import { openJournal } from './storage/journal.ts';
import type { Storage, TaskRecord, TaskState } from './storage/storage.ts';

export interface Records {
  readonly key: SigningKey;
  readonly storage: Storage;
  readonly blobs: BlobStore;
  /** Closes the journal and lets another process in. */
  close(): Promise<void>;
}

export interface RecordsOptions {
  readonly folder: string;
  /** A `postgres:` address; without, the journal is a file in the folder. */
  readonly database?: string | undefined;
  readonly clock: Clock;
}

const keySetting = 'coordinator-key';

/**
 * Opens the journal and then the files next to it.
 * @throws CestaError `storage.failed` when folder or database is in use, does not answer or cannot be written, or the
 * key was exchanged; `config.invalid` when folder and database do not belong together.
 */
export async function openRecords({ folder, database, clock }: RecordsOptions): Promise<Records> {
  const journal = await openJournal({ folder, database, date: () => clock.date() });
  try {
    const { storage } = journal;
    const key = openSigningKey(folder);
    const known = await storage.setting(keySetting);
    if (known !== null && known !== key.publicKey) {
      throw new CestaError('storage.failed', `signing key: expected the key ${known} that shops have pinned, got ${key.publicKey}; restore signing.key`);
    }
    await journal.bind();
    await storage.putSetting(keySetting, key.publicKey);
    const blobs = await openBlobStore(join(folder, 'blobs'));
    return { key, storage, blobs, close: () => journal.close() };
  } catch (error) {
    await journal.close();
    throw error;
  }
}

/**
 * Notes the task. What its shoppers were promised and what is trained cannot change once a round was opened, since
 * the budget is counted by the name of the task; cohort and deadlines may.
 * @throws CestaError `plan.invalid`
 */
export async function settleTask(storage: Storage, task: TaskSpec): Promise<TaskRecord> {
  const stored = await storage.task(task.name);
  if (stored !== null && (await storage.lastRound(task.name)) !== null) {
    const terms = ['model', 'privacy', 'gate', 'maxShoppersPerShop', 'unit', 'strategy', 'weightedUpTo', 'robust'] as const;
    // Tasks of before there was a choice had this unit.
    const before: Record<string, Json> = { unit: 'shopper', ...(stored.spec as Record<string, Json>) };
    const changed = terms.find((term) => textOf(before[term]) !== textOf(task[term]));
    if (changed !== undefined) {
      throw new CestaError('plan.invalid', `${changed}: expected ${textOf(before[changed])}, with which task ${task.name} was started, got ${textOf(task[changed])}; give a changed task another name`);
    }
  }
  await storage.putTask(task.name, JSON.parse(canonicalJson(task)) as Json);
  const settled = await storage.task(task.name);
  if (settled === null) throw new CestaError('storage.failed', `task ${task.name}: expected it to be kept, got none`);
  return settled;
}

/**
 * The task with what an earlier process started it with, values or none, for hyper-parameters whose usual value depends on the
 * day or on the version: a restart tomorrow means the same task.
 */
export async function withKept(storage: Pick<Storage, 'task'>, task: TaskSpec, names: readonly string[]): Promise<TaskSpec> {
  const stored = await storage.task(task.name);
  if (stored === null || names.length === 0) return task;
  const { model } = parseTaskSpec(stored.spec);
  // Of another model they are other settings.
  if (model.kind !== task.model.kind) return task;
  const given = Object.entries(task.model.hyperParameters).filter(([name]) => !names.includes(name));
  const kept = Object.entries(model.hyperParameters).filter(([name]) => names.includes(name));
  return { ...task, model: { ...task.model, hyperParameters: Object.fromEntries([...given, ...kept]) } };
}

const mainSetting = 'main-task';

/**
 * Notes which task is the main one. Who renames it means to replace it: the one before opens no more rounds until it is
 * resumed, or the main one again.
 * @returns the state of the main task
 */
export async function settleMain(storage: Storage, { name, state }: Pick<TaskRecord, 'name' | 'state'>, logger: Logger): Promise<TaskState> {
  const before = await storage.setting(mainSetting);
  if (before === null || before === name) {
    await storage.putSetting(mainSetting, name);
    return state;
  }
  if ((await storage.task(before))?.state === 'active') {
    await storage.setTaskState(before, 'paused');
    logger.warn({ task: before }, 'the main task of an earlier process is paused: another has taken its place');
  }
  if (state === 'paused') {
    await storage.setTaskState(name, 'active');
    logger.warn({ task: name }, 'a paused task is resumed: it is the main one now');
  }
  await storage.putSetting(mainSetting, name);
  return state === 'paused' ? 'active' : state;
}

function textOf(term: unknown): string {
  return term === undefined ? 'none' : canonicalJson(term);
}

/**
 * The catalogue that is fixed for the task: kept from its first round, else the one given, else that of the newest other
 * task that has one, since a federation has one at a time; else none.
 * @throws CestaError `config.invalid` when another one is given than was kept; `storage.failed` when it is damaged.
 */
export async function settledCatalogue({ storage, blobs }: Records, task: string, given: Catalogue | undefined): Promise<Catalogue | null> {
  const hash = (await storage.task(task))?.catalogueHash ?? null;
  if (hash === null) return given ?? (await newestCatalogue({ storage, blobs }));
  if (given !== undefined && given.hash !== hash) {
    throw new CestaError('config.invalid', `catalogue: expected ${hash}, with which task ${task} was started, got ${given.hash}; give a changed task another name`);
  }
  return given ?? readCatalogue(blobs, hash);
}

async function newestCatalogue({ storage, blobs }: Pick<Records, 'storage' | 'blobs'>): Promise<Catalogue | null> {
  const hash = (await storage.tasks()).findLast(({ catalogueHash }) => catalogueHash !== null)?.catalogueHash ?? null;
  return hash === null ? null : readCatalogue(blobs, hash);
}

async function readCatalogue(blobs: BlobStore, hash: string): Promise<Catalogue> {
  return parseCatalogue(JSON.parse(new TextDecoder().decode(await blobs.read(hash))));
}

/** Keeps a catalogue as the one of the task. Its hash is the digest of its file. */
export async function keepCatalogue({ storage, blobs }: Records, task: string, catalogue: Catalogue): Promise<void> {
  // The file was durable before the task named it.
  if ((await storage.task(task))?.catalogueHash === catalogue.hash) return;
  await blobs.write(new TextEncoder().encode(canonicalJson(catalogue.products)));
  await storage.fixCatalogue(task, catalogue.hash);
}
