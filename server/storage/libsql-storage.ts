/** The embedded database: one file in the data folder, one process. */
import { join } from 'node:path';
import { Kysely, SqliteDialect } from 'kysely';
import { openLibsql } from './libsql-database.ts';
import { migrate } from './migrations.ts';
import type { Schema } from './schema.ts';
import { createSqlStorage } from './sql-storage.ts';
import type { Storage } from './storage.ts';

/**
 * Opens the database of a data folder and brings its schema up to date.
 * @throws CestaError `storage.failed`
 */
export async function openLibsqlStorage(folder: string, date: () => Date = () => new Date()): Promise<Storage> {
  const database = openLibsql(join(folder, 'coordinator.db'));
  const db = new Kysely<Schema>({ dialect: new SqliteDialect({ database }) });
  try {
    await migrate(db);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return createSqlStorage({ db, date });
}
