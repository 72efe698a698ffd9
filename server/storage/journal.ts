/**
 * The journal of a data folder: the embedded database in it, or a PostgreSQL database it is bound to. The folder has
 * the signing key and the database what was spent and signed, so the two must stay together: with an empty journal the
 * budget would start again, and the key would sign a second public record. A backup and its
 * restore move a journal from one to the other.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CestaError } from '../../shared/protocol/errors.ts';
import { lockDataFolder, makeDataFolder } from './data-folder.ts';
import { openLibsqlStorage } from './libsql-storage.ts';
import type { Storage } from './storage.ts';

export interface Journal {
  readonly storage: Storage;
  /** Binds folder and database to each other for good; nothing is recorded before. */
  bind(): Promise<void>;
  /** Closes the database and lets another process in. */
  close(): Promise<void>;
}

export interface JournalOptions {
  readonly folder: string;
  /** A `postgres:` address; without, the journal is a file in the folder. */
  readonly database: string | undefined;
  readonly date: () => Date;
}

const idSetting = 'journal-id';

/**
 * Opens the journal for this process alone: by the lock of the folder, or by that of the database.
 * @throws CestaError `config.invalid` when the folder has its journal elsewhere; `storage.failed`
 */
export function openJournal({ folder, database, date }: JournalOptions): Promise<Journal> {
  return database === undefined ? openEmbedded(folder, date) : openNetworked(folder, database, date);
}

async function openEmbedded(folder: string, date: () => Date): Promise<Journal> {
  const lock = lockDataFolder(folder);
  try {
    if (existsSync(idFile(folder))) throw new CestaError('config.invalid', `database: expected the PostgreSQL database that has the journal of ${folder}, got none`);
    const storage = await openLibsqlStorage(folder, date);
    return {
      storage,
      bind: () => Promise.resolve(),
      async close() {
        await storage.close();
        lock.unlock();
      },
    };
  } catch (error) {
    lock.unlock();
    throw error;
  }
}

async function openNetworked(folder: string, database: string, date: () => Date): Promise<Journal> {
  makeDataFolder(folder);
  if (existsSync(join(folder, 'coordinator.db'))) throw new CestaError('config.invalid', `database: expected none, since ${folder} has its journal in coordinator.db, got a PostgreSQL database; take another data folder`);
  // Loaded when it is asked for: most coordinators never speak to a server.
  const { openPostgresStorage } = await import('./postgres-storage.ts');
  const storage = await openPostgresStorage(database, date);
  try {
    const bound = readId(folder);
    const id = await storage.setting(idSetting);
    if (bound !== null && bound !== id) throw new CestaError('config.invalid', `database: expected the one with journal ${bound}, to which ${folder} is bound, got ${id ?? 'an empty one'}`);
    return {
      storage,
      // The database first: a crash in between leaves a folder that is free, not one bound to nothing.
      async bind() {
        const settled = id ?? randomUUID();
        if (id === null) await storage.putSetting(idSetting, settled);
        if (bound === null) writeId(folder, settled);
      },
      close: () => storage.close(),
    };
  } catch (error) {
    await storage.close();
    throw error;
  }
}

const idFile = (folder: string): string => join(folder, 'journal.id');

function readId(folder: string): string | null {
  try {
    return existsSync(idFile(folder)) ? readFileSync(idFile(folder), 'utf8').trim() : null;
  } catch (cause) {
    throw new CestaError('storage.failed', `data folder: expected to read ${idFile(folder)}`, { cause });
  }
}

function writeId(folder: string, id: string): void {
  const temporary = `${idFile(folder)}.part`;
  try {
    writeFileSync(temporary, `${id}\n`, { mode: 0o600, flush: true });
    renameSync(temporary, idFile(folder));
  } catch (cause) {
    throw new CestaError('storage.failed', `data folder: expected to write ${idFile(folder)}`, { cause });
  }
}
