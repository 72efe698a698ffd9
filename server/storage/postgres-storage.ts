/** The networked database: for a journal that is backed up, replicated or watched with the rest of an operator's data. */
import { Kysely, PostgresDialect, sql } from 'kysely';
import { migrate } from './migrations.ts';
import { parsePostgresAddress } from './postgres-address.ts';
import { openPostgres } from './postgres-database.ts';
import type { Schema } from './schema.ts';
import { createSqlStorage } from './sql-storage.ts';
import type { Storage } from './storage.ts';

/**
 * Takes the lock of the database, which is one coordinator's as a whole, and brings its schema up to date. What
 * rejects may have been committed when the connection was lost in between; what resolves is durable.
 * @throws CestaError `config.invalid` for an address that cannot be used; `storage.failed` when the database does not
 * answer, does not sync, or another coordinator uses it.
 * @example
 * const storage = await openPostgresStorage('postgres://cesta@127.0.0.1/cesta');
 */
export async function openPostgresStorage(database: string, date: () => Date = () => new Date()): Promise<Storage> {
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: openPostgres(parsePostgresAddress(database)) }) });
  try {
    // Asked first, so that a database out of reach or in use is not reported as a migration that failed.
    await sql`select 1`.execute(db);
    await migrate(db);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return createSqlStorage({ db, date });
}
