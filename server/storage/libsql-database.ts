/**
 * libsql behind Kysely's SQLite dialect, which expects the better-sqlite3 interface: prepared statements that know
 * whether they read. The adapter adds what libsql lacks: a bound boolean or undefined would abort the process or
 * become null, so both are refused here, and every failure becomes `storage.failed`.
 */
import Database from 'libsql';
import type { SqliteDatabase, SqliteStatement } from 'kysely';
import { CestaError } from '../../shared/protocol/errors.ts';
import { bindable } from './bindable.ts';

/**
 * Write-ahead log, and an fsync at every commit: what is committed survives a power cut. The timeout comes first: somebody
 * who reads the file may be recovering the log of a process that was killed just when this one opens it.
 */
const pragmas = ['busy_timeout = 5000', 'journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON'] as const;

/** @throws CestaError `storage.failed` */
export function openLibsql(file: string): SqliteDatabase {
  const database = orFailed(`open ${file}`, () => new Database(file));
  // `exec` and not `pragma`: a prepared statement keeps the file open until it is collected.
  for (const pragma of pragmas) orFailed(pragma, () => void database.exec(`PRAGMA ${pragma}`));
  return {
    close() {
      // Statements that are not yet collected keep the handle, so the log is folded back now and not at the last close.
      orFailed('checkpoint', () => void database.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
      database.close();
    },
    prepare: (sql) => wrapStatement(sql, orFailed(sql, () => database.prepare<unknown[]>(sql))),
  };
}

function wrapStatement(sql: string, statement: Database.Statement<unknown[]>): SqliteStatement {
  const bound = (parameters: readonly unknown[]): unknown[] => parameters.map((value) => bindable(sql, value));
  return {
    get reader() {
      return statement.reader;
    },
    all: (parameters) => orFailed(sql, () => statement.all(bound(parameters))),
    run: (parameters) => orFailed(sql, () => statement.run(bound(parameters))),
    iterate: (parameters) => orFailed(sql, () => statement.iterate(bound(parameters))),
  };
}

function orFailed<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof CestaError) throw cause;
    throw new CestaError('storage.failed', `database: ${cause instanceof Error ? cause.message : String(cause)} (${what})`, { cause });
  }
}
