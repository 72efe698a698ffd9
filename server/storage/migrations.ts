/**
 * Schema changes in order, applied at start. A migration that was released is never edited; the next change is a
 * new entry. Statements say `if not exists`, since not every database rolls a half-done migration back. Whatever is
 * compared with a number from outside is a `bigint`, which holds every safe integer in SQLite and PostgreSQL alike.
 */
import type { Kysely, Migration } from 'kysely';
import { Migrator, sql } from 'kysely';
import { CestaError } from '../../shared/protocol/errors.ts';
import { createFormTable } from './form-storage.ts';
import { createIdentityTables } from './identity-storage.ts';
import { createOperatorTables } from './operator-storage.ts';
import { createParticipantTables } from './participant-storage.ts';
import type { Schema } from './schema.ts';

async function createRecords(db: Kysely<unknown>): Promise<void> {
  await db.schema.createTable('settings').ifNotExists()
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('value', 'text', (column) => column.notNull())
    .execute();
  await db.schema.createTable('tasks').ifNotExists()
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('spec', 'text', (column) => column.notNull())
    .addColumn('catalogue_hash', 'text')
    .addColumn('created_at', 'text', (column) => column.notNull())
    .execute();
  await db.schema.createTable('nodes').ifNotExists()
    .addColumn('name_key', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('public_key', 'text', (column) => column.notNull().unique())
    .addColumn('first_seen', 'text', (column) => column.notNull())
    .addColumn('last_seen', 'text', (column) => column.notNull())
    .execute();
}

async function createRounds(db: Kysely<unknown>): Promise<void> {
  await db.schema.createTable('rounds').ifNotExists()
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('task', 'text', (column) => column.notNull().references('tasks.name'))
    .addColumn('number', 'bigint', (column) => column.notNull())
    .addColumn('plan', 'text', (column) => column.notNull())
    .addColumn('plan_hash', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('opened_at', 'text', (column) => column.notNull())
    .addColumn('training_at', 'text')
    .addColumn('ended_at', 'text')
    .addColumn('participants', 'integer')
    .addColumn('failure_code', 'text')
    .addColumn('failure_message', 'text')
    .addUniqueConstraint('rounds_task_number', ['task', 'number'])
    .execute();
  await db.schema.createTable('spends').ifNotExists()
    .addColumn('round', 'text', (column) => column.primaryKey().references('rounds.id'))
    .addColumn('task', 'text', (column) => column.notNull().references('tasks.name'))
    .addColumn('event', 'text', (column) => column.notNull())
    .addColumn('epsilon', 'double precision')
    .addColumn('delta', 'double precision')
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('changed_at', 'text', (column) => column.notNull())
    .execute();
  await db.schema.createTable('releases').ifNotExists()
    .addColumn('task', 'text', (column) => column.notNull().references('tasks.name'))
    .addColumn('version', 'bigint', (column) => column.notNull())
    .addColumn('sha256', 'text', (column) => column.notNull().unique())
    .addColumn('round', 'text', (column) => column.notNull().references('rounds.id'))
    .addColumn('manifest', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('releases_task_version', ['task', 'version'])
    .execute();
}

async function createLog(db: Kysely<unknown>): Promise<void> {
  await db.schema.createTable('log_entries').ifNotExists()
    .addColumn('position', 'bigint', (column) => column.primaryKey())
    .addColumn('bytes', 'text', (column) => column.notNull())
    .execute();
}

async function createEvaluations(db: Kysely<unknown>): Promise<void> {
  await db.schema.createTable('evaluations').ifNotExists()
    .addColumn('round', 'text', (column) => column.primaryKey().references('rounds.id'))
    .addColumn('task', 'text', (column) => column.notNull().references('tasks.name'))
    .addColumn('candidate', 'text', (column) => column.notNull())
    .addColumn('served', 'text', (column) => column.notNull())
    .addColumn('result', 'text')
    .execute();
}

async function addReleaseStates(db: Kysely<unknown>): Promise<void> {
  const tables = await db.introspection.getTables();
  const there = new Set(tables.find(({ name }) => name === 'releases')?.columns.map(({ name }) => name));
  // There is no `if not exists` for a column in SQLite.
  if (!there.has('state')) await db.schema.alterTable('releases').addColumn('state', 'text', (column) => column.notNull().defaultTo('served')).execute();
  if (!there.has('served_by_change')) await db.schema.alterTable('releases').addColumn('served_by_change', 'text').execute();
  if (!there.has('served_by_reason')) await db.schema.alterTable('releases').addColumn('served_by_reason', 'text').execute();
  if (!there.has('previous')) await db.schema.alterTable('releases').addColumn('previous', 'bigint').execute();
  // Until here every release was served in its turn, and versions have no gaps.
  await sql`update releases set previous = version - 1 where version > 1`.execute(db);
}

async function addTaskStates(db: Kysely<unknown>): Promise<void> {
  const tables = await db.introspection.getTables();
  if (tables.some(({ name, columns }) => name === 'tasks' && columns.some((column) => column.name === 'state'))) return;
  await db.schema.alterTable('tasks').addColumn('state', 'text', (column) => column.notNull().defaultTo('active')).execute();
}

async function addCanaries(db: Kysely<unknown>): Promise<void> {
  const tables = await db.introspection.getTables();
  if (tables.some(({ name, columns }) => name === 'releases' && columns.some((column) => column.name === 'canary'))) return;
  await db.schema.alterTable('releases').addColumn('canary', 'text').execute();
}

const migrations: Readonly<Record<string, Migration>> = {
  '001-records': { up: createRecords },
  '002-rounds': { up: createRounds },
  '003-log': { up: createLog },
  '004-identity': { up: createIdentityTables },
  '005-participants': { up: createParticipantTables },
  '006-release-states': { up: addReleaseStates },
  '007-evaluations': { up: createEvaluations },
  '008-operators': { up: createOperatorTables },
  '009-task-states': { up: addTaskStates },
  '010-serving-forms': { up: createFormTable },
  '011-canaries': { up: addCanaries },
};

/** Names of the migrations that a database has, in order. */
export async function appliedMigrations(db: Kysely<Schema>): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
  return rows.map(({ name }) => name);
}

/**
 * @param upTo the last migration to apply; all there are, without it
 * @throws CestaError `storage.failed` naming the migration that failed, or that a later version made.
 */
export async function migrate(db: Kysely<Schema>, upTo?: string): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve({ ...migrations }) } });
  if (upTo !== undefined && !Object.hasOwn(migrations, upTo)) throw new CestaError('storage.failed', `schema: expected migrations that this version knows, got ${upTo}; take the version that made it, or a later one`);
  const { error, results } = await (upTo === undefined ? migrator.migrateToLatest() : migrator.migrateTo(upTo));
  if (error === undefined) return;
  const failed = results?.find((result) => result.status === 'Error')?.migrationName ?? 'the migrations';
  throw new CestaError('storage.failed', `schema: ${failed} could not be applied: ${error instanceof Error ? error.message : 'unknown reason'}`, { cause: error });
}
