/**
 * `Storage` in SQL that SQLite and PostgreSQL both understand. Whatever has to happen together happens in one
 * transaction, and every change of state names the state it expects, so that a second caller finds nothing to change.
 */
import type { Kysely, Transaction } from 'kysely';
import { sql } from 'kysely';
import { parseComparedReleases } from '../../shared/evaluation/release-scores.ts';
import { purposeOf } from '../../shared/federation/plan.ts';
import { canonicalJson } from '../../shared/protocol/canonical-json.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { formsOf } from './form-storage.ts';
import { identityOf } from './identity-storage.ts';
import { operatorsOf } from './operator-storage.ts';
import { keepRoster, participantsOf } from './participant-storage.ts';
import { readEvaluation, readRelease, readRound, readSpend, readTask } from './rows.ts';
import { appendLog, logOf, putSetting } from './sql-log.ts';
import type { Schema } from './schema.ts';
import type { Failure, ReleaseRecord, SpendState, Storage } from './storage.ts';

type Db = Kysely<Schema>;

export interface SqlStorageOptions {
  readonly db: Db;
  /** Wall time of what is recorded. */
  readonly date: () => Date;
}

export function createSqlStorage({ db, date }: SqlStorageOptions): Storage {
  const now = (): string => date().toISOString();
  return {
    ...settingsOf(db),
    ...tasksOf(db, now),
    ...roundsOf(db, now),
    ...evaluationsOf(db, now),
    ...releasesOf(db, now),
    ...formsOf(db),
    ...nodesOf(db, now),
    ...logOf(db),
    ...identityOf(db, date),
    ...operatorsOf(db, date),
    ...participantsOf(db, now),
    async ping() {
      await sql`select 1`.execute(db);
    },
    close: () => db.destroy(),
  };
}

function settingsOf(db: Db): Pick<Storage, 'setting' | 'putSetting'> {
  return {
    async setting(key) {
      const row = await db.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirst();
      return row?.value ?? null;
    },
    putSetting: (key, value) => putSetting(db, key, value),
  };
}

function tasksOf(db: Db, now: () => string): Pick<Storage, 'task' | 'tasks' | 'setTaskState' | 'putTask' | 'fixCatalogue'> {
  return {
    async task(name) {
      const row = await db.selectFrom('tasks').selectAll().where('name', '=', name).executeTakeFirst();
      return row === undefined ? null : readTask(row);
    },
    async tasks() {
      const rows = await db.selectFrom('tasks').selectAll().orderBy('created_at').orderBy('name').execute();
      return rows.map(readTask);
    },
    async setTaskState(name, state) {
      await db.updateTable('tasks').set({ state }).where('name', '=', name).execute();
    },
    async putTask(name, spec) {
      const text = canonicalJson(spec);
      await db.insertInto('tasks').values({ name, spec: text, catalogue_hash: null, created_at: now(), state: 'active' })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ spec: text })).execute();
    },
    async fixCatalogue(name, hash) {
      await db.updateTable('tasks').set({ catalogue_hash: hash }).where('name', '=', name).where('catalogue_hash', 'is', null).execute();
      const row = await db.selectFrom('tasks').select('catalogue_hash').where('name', '=', name).executeTakeFirst();
      if (row?.catalogue_hash !== hash) {
        throw new CestaError('config.invalid', `catalogue: expected ${row?.catalogue_hash ?? 'a task'}, which task ${name} was started with, got ${hash}`);
      }
    },
  };
}

type RoundFunctions = 'nextRoundNumber' | 'openRound' | 'startTraining' | 'failRound' | 'failUnfinished' | 'rounds' | 'lastRound' | 'lastTrainedAt' | 'spends' | 'roundsCharged' | 'roundsDone';

function roundsOf(db: Db, now: () => string): Pick<Storage, RoundFunctions> {
  return {
    async nextRoundNumber(task) {
      const row = await db.selectFrom('rounds').select((eb) => eb.fn.max('number').as('last')).where('task', '=', task).executeTakeFirst();
      return Number(row?.last ?? 0) + 1;
    },
    async openRound({ task, number, plan, planHash, spend, admit }, log) {
      await db.transaction().execute(async (transaction) => {
        if (admit !== null) admit(await spendsOf(transaction, task));
        const at = now();
        const round = { id: plan.round, task, number, plan: canonicalJson(plan), plan_hash: planHash, state: 'recruiting' as const, opened_at: at };
        await transaction.insertInto('rounds')
          .values({ ...round, training_at: null, ended_at: null, participants: null, failure_code: null, failure_message: null }).execute();
        await transaction.insertInto('spends')
          .values({ round: plan.round, task, event: canonicalJson(spend.event), epsilon: spend.epsilon, delta: spend.delta, state: 'reserved', changed_at: at }).execute();
        await appendLog(transaction, log);
        if (purposeOf(plan) !== 'evaluation') return;
        const { candidate, served } = parseComparedReleases(plan.model.hyperParameters);
        await transaction.insertInto('evaluations').values({ round: plan.round, task, candidate, served, result: null }).execute();
      });
    },
    async startTraining(round, roster, log) {
      await db.transaction().execute(async (transaction) => {
        const started = await transaction.updateTable('rounds').set({ state: 'training', training_at: now(), participants: roster.length })
          .where('id', '=', round).where('state', '=', 'recruiting').executeTakeFirst();
        if (started.numUpdatedRows !== 1n) throw new CestaError('storage.failed', `round ${round}: expected it to be recruiting when training starts`);
        await moveSpend(transaction, round, 'reserved', 'committed', now());
        await keepRoster(transaction, round, roster, now());
        await appendLog(transaction, log);
      });
    },
    async failRound(round, failure) {
      await db.transaction().execute((transaction) => fail(transaction, round, failure, now()));
    },
    async failUnfinished(task, failure) {
      return db.transaction().execute(async (transaction) => {
        const open = await transaction.selectFrom('rounds').select('id').where('task', '=', task).where('state', 'in', ['recruiting', 'training']).orderBy('number').execute();
        for (const { id } of open) await fail(transaction, id, failure, now());
        return open.map(({ id }) => id);
      });
    },
    async rounds(task, { after, limit }) {
      const rows = await roundsWithResults(db).where('rounds.task', '=', task).where('number', '>', after).orderBy('number').limit(limit).execute();
      return rows.map(readRound);
    },
    async lastRound(task) {
      const row = await roundsWithResults(db).where('rounds.task', '=', task).orderBy('number', 'desc').limit(1).executeTakeFirst();
      return row === undefined ? null : readRound(row);
    },
    lastTrainedAt: (task) => lastTrainedAt(db, task),
    spends: (task) => spendsOf(db, task),
    roundsCharged: (task) => countCharged(db, task),
    async roundsDone(task) {
      const row = await db.selectFrom('rounds').leftJoin('evaluations', 'evaluations.round', 'rounds.id').select((eb) => eb.fn.countAll().as('done'))
        .where('rounds.task', '=', task).where('state', '=', 'done').where('evaluations.round', 'is', null).executeTakeFirst();
      return Number(row?.done ?? 0);
    },
  };
}

function roundsWithResults(db: Db) {
  return db.selectFrom('rounds').leftJoin('evaluations', 'evaluations.round', 'rounds.id').selectAll('rounds').select('evaluations.result');
}

function evaluationsOf(db: Db, now: () => string): Pick<Storage, 'concludeEvaluation' | 'evaluations'> {
  return {
    async concludeEvaluation(round, participants, result) {
      await db.transaction().execute(async (transaction) => {
        await endRound(transaction, round, participants, now());
        const concluded = await transaction.updateTable('evaluations').set({ result: canonicalJson(result) }).where('round', '=', round).executeTakeFirst();
        if (concluded.numUpdatedRows !== 1n) throw new CestaError('storage.failed', `round ${round}: expected an evaluation`);
      });
    },
    async evaluations(task) {
      const rows = await db.selectFrom('evaluations').innerJoin('rounds', 'rounds.id', 'evaluations.round').innerJoin('spends', 'spends.round', 'evaluations.round')
        .selectAll('evaluations').select(['rounds.state', 'spends.state as spend']).where('evaluations.task', '=', task).orderBy('rounds.number').execute();
      return rows.map(readEvaluation);
    },
  };
}

async function endRound(db: Transaction<Schema>, round: string, participants: number, at: string): Promise<void> {
  const done = await db.updateTable('rounds').set({ state: 'done', ended_at: at, participants }).where('id', '=', round).where('state', '=', 'training').executeTakeFirst();
  if (done.numUpdatedRows !== 1n) throw new CestaError('storage.failed', `round ${round}: expected it to be training when it is done`);
}

async function lastTrainedAt(db: Db, task: string): Promise<string | null> {
  const row = await db.selectFrom('rounds').leftJoin('evaluations', 'evaluations.round', 'rounds.id').select('opened_at')
    .where('rounds.task', '=', task).where('training_at', 'is not', null).where('evaluations.round', 'is', null).orderBy('number', 'desc').limit(1).executeTakeFirst();
  return row?.opened_at ?? null;
}

async function spendsOf(db: Db | Transaction<Schema>, task: string): Promise<ReturnType<typeof readSpend>[]> {
  const rows = await db.selectFrom('spends').innerJoin('rounds', 'rounds.id', 'spends.round').leftJoin('evaluations', 'evaluations.round', 'spends.round').selectAll('spends').select('evaluations.candidate')
    .where('spends.task', '=', task).orderBy('rounds.number').execute();
  return rows.map(readSpend);
}

async function fail(db: Transaction<Schema>, round: string, { code, message }: Failure, at: string): Promise<void> {
  // PostgreSQL has no NUL in text, and a message may quote what a peer sent.
  await db.updateTable('rounds').set({ state: 'failed', ended_at: at, failure_code: code, failure_message: message.replaceAll('\0', '\\0') })
    .where('id', '=', round).where('state', 'in', ['recruiting', 'training']).execute();
  await moveSpend(db, round, 'reserved', 'abandoned', at);
}

async function moveSpend(db: Transaction<Schema>, round: string, from: SpendState, to: SpendState, at: string): Promise<void> {
  await db.updateTable('spends').set({ state: to, changed_at: at }).where('round', '=', round).where('state', '=', from).execute();
}

async function countCharged(db: Db, task: string): Promise<number> {
  const row = await db.selectFrom('spends').leftJoin('evaluations', 'evaluations.round', 'spends.round').select((eb) => eb.fn.countAll().as('charged'))
    .where('spends.task', '=', task).where('spends.state', 'in', ['reserved', 'committed']).where('evaluations.round', 'is', null).executeTakeFirst();
  return Number(row?.charged ?? 0);
}

type ReleaseFunctions = 'publish' | 'releases' | 'release' | 'restoreRelease' | 'serveRelease' | 'rejectRelease';

function releasesOf(db: Db, now: () => string): Pick<Storage, ReleaseFunctions> {
  return {
    async publish(release, participants, log) {
      await db.transaction().execute(async (transaction) => {
        await endRound(transaction, release.round, participants, now());
        await insertRelease(transaction, release);
        await appendLog(transaction, log);
      });
    },
    async releases(task, { before, limit, state }) {
      const all = db.selectFrom('releases').selectAll().where('task', '=', task).where('version', '<', before);
      const rows = await (state === undefined ? all : all.where('state', '=', state)).orderBy('version', 'desc').limit(limit).execute();
      return rows.map(readRelease);
    },
    async release(task, address) {
      const all = db.selectFrom('releases').selectAll().where('task', '=', task);
      const query = 'version' in address ? all.where('version', '=', address.version) : all.where('sha256', '=', address.sha256);
      const row = await query.executeTakeFirst();
      return row === undefined ? null : readRelease(row);
    },
    restoreRelease: (release) => insertRelease(db, release),
    async serveRelease(task, version, { serving, previous }) {
      const served = await db.updateTable('releases').set({ state: 'served', served_by_change: serving?.change ?? null, served_by_reason: serving?.reason ?? null, previous })
        .where('task', '=', task).where('version', '=', version).where('state', 'in', ['candidate', 'rejected']).executeTakeFirst();
      if (served.numUpdatedRows !== 1n) throw new CestaError('storage.failed', `release ${version} of ${task}: expected one that was never served`);
    },
    async rejectRelease(task, version) {
      const rejected = await db.updateTable('releases').set({ state: 'rejected' })
        .where('task', '=', task).where('version', '=', version).where('state', '=', 'candidate').executeTakeFirst();
      if (rejected.numUpdatedRows !== 1n) throw new CestaError('storage.failed', `release ${version} of ${task}: expected a candidate`);
    },
  };
}

async function insertRelease(db: Db | Transaction<Schema>, { task, version, sha256, round, manifest, state, serving, previous, canary }: ReleaseRecord): Promise<void> {
  await db.insertInto('releases').values({
    task, version, sha256, round, manifest: canonicalJson(manifest), created_at: manifest.createdAt, state,
    served_by_change: serving?.change ?? null, served_by_reason: serving?.reason ?? null, previous,
    canary: canary === null ? null : canonicalJson(canary),
  }).execute();
}

function nodesOf(db: Db, now: () => string): Pick<Storage, 'pinNode' | 'nodes'> {
  return {
    async pinNode(name, publicKey) {
      const key = name.toLowerCase();
      const at = now();
      return db.transaction().execute(async (transaction) => {
        // Either unique column may refuse the row; who holds the name then decides.
        const inserted = await transaction.insertInto('nodes').values({ name_key: key, name, public_key: publicKey, first_seen: at, last_seen: at })
          .onConflict((conflict) => conflict.doNothing()).executeTakeFirst();
        if (inserted.numInsertedOrUpdatedRows === 1n) return 'new';
        const visited = await transaction.updateTable('nodes').set({ last_seen: at }).where('name_key', '=', key).where('public_key', '=', publicKey).executeTakeFirst();
        return visited.numUpdatedRows === 1n ? 'known' : 'taken';
      });
    },
    async nodes() {
      const rows = await db.selectFrom('nodes').selectAll().orderBy('name_key').execute();
      return rows.map((row) => ({ name: row.name, publicKey: row.public_key, firstSeen: row.first_seen, lastSeen: row.last_seen }));
    },
  };
}
