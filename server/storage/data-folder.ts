/**
 * The data folder of one coordinator process. The lock is an exclusive transaction on a database of its own: the
 * operating system drops it with the process, however it ends, so no stale lock can stay behind. Network file
 * systems without working locks are not supported.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { CestaError } from '../../shared/protocol/errors.ts';

export interface DataFolder {
  readonly path: string;
  /** Lets another process in. */
  unlock(): void;
}

/**
 * Creates the folder (mode 0700) if there is none.
 * @throws CestaError `storage.failed`
 */
export function makeDataFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new CestaError('storage.failed', `data folder: expected a folder that can be written at ${path}`, { cause });
  }
}

/**
 * Creates the folder if there is none, and takes its lock.
 * @throws CestaError `storage.failed` when it cannot be written or another coordinator uses it.
 */
export function lockDataFolder(path: string): DataFolder {
  makeDataFolder(path);
  // Only `exec`: a prepared statement would keep the lock after `close` until it is collected.
  const guard = open(join(path, 'lock.db'));
  try {
    guard.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    guard.close();
    throw new CestaError('storage.failed', `data folder: expected no other coordinator on ${path}, got one that holds its lock`, { cause });
  }
  return { path, unlock: () => guard.close() };
}

function open(file: string): Database.Database {
  try {
    return new Database(file);
  } catch (cause) {
    throw new CestaError('storage.failed', `data folder: expected to open ${file}`, { cause });
  }
}
