/** The journal as bare tables: to copy it beside the coordinator that writes it, or to fill an empty one. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Kysely, PostgresDialect, SqliteDialect } from 'kysely';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { DatabaseKind } from './journal-dump.ts';
import { openLibsql } from './libsql-database.ts';
import { parsePostgresAddress } from './postgres-address.ts';
import type { Schema } from './schema.ts';

export interface BareJournal {
  readonly db: Kysely<Schema>;
  readonly kind: DatabaseKind;
  close(): Promise<void>;
}

/**
 * A second connection that takes no lock. Its transactions see one moment.
 * @throws CestaError `config.invalid` when the folder has its journal elsewhere; `storage.failed`
 */
export async function openJournalReader(folder: string, database: string | undefined): Promise<BareJournal> {
  const file = join(folder, 'coordinator.db');
  const isEmbedded = existsSync(file);
  if (database === undefined && !isEmbedded) throw new CestaError('config.invalid', `database: expected the PostgreSQL database that has the journal of ${folder}, or a folder with coordinator.db, got neither`);
  if (database !== undefined && isEmbedded) throw new CestaError('config.invalid', `database: expected none, since ${folder} has its journal in coordinator.db, got a PostgreSQL database`);
  return database === undefined ? embedded(file) : networked(database, { isReader: true });
}

/** The journal of a new folder; in PostgreSQL with the lock of a coordinator. @throws CestaError `storage.failed` */
export async function openJournalWriter(folder: string, database: string | undefined): Promise<BareJournal> {
  return database === undefined ? embedded(join(folder, 'coordinator.db')) : networked(database, { isReader: false });
}

function embedded(file: string): BareJournal {
  const db = new Kysely<Schema>({ dialect: new SqliteDialect({ database: openLibsql(file) }) });
  return { db, kind: 'libsql', close: () => db.destroy() };
}

async function networked(database: string, { isReader }: { isReader: boolean }): Promise<BareJournal> {
  // Loaded when it is asked for: most coordinators never speak to a server.
  const { openPostgres } = await import('./postgres-database.ts');
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: openPostgres(parsePostgresAddress(database), { isReader }) }) });
  return { db, kind: 'postgres', close: () => db.destroy() };
}
