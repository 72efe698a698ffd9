/**
 * A coordinator from its backup, in an empty folder and, if it is told to, an empty database: of the same kind as before
 * or the other. All digests are checked before anything is written, and the signing key is written last: a restore that
 * broke off leaves a folder that no coordinator starts on.
 */
import { existsSync, readdirSync } from 'node:fs';
import { CestaError } from '../../shared/protocol/errors.ts';
import { lockDataFolder, makeDataFolder } from '../storage/data-folder.ts';
import { loadJournal } from '../storage/journal-dump.ts';
import { openJournalWriter } from '../storage/journal-reader.ts';
import { journalName, readBackupFile, verifyBackup, writeNew, type BackupManifest } from './manifest.ts';

export interface RestoreOptions {
  readonly from: string;
  /** Must be empty, or not there. */
  readonly dataDir: string;
  /** Must have no tables. */
  readonly database?: string | undefined;
}

const lastOfAll = 'signing.key';
/** Binds a folder to a database in PostgreSQL; a journal in a file has no such mark. */
const networkedOnly = 'journal.id';

/** @throws CestaError `data.unreadable` for a backup that is damaged; `config.invalid` for a folder that is in use; `storage.failed` */
export async function restore({ from, dataDir, database }: RestoreOptions): Promise<BackupManifest> {
  const manifest = verifyBackup(from);
  const key = manifest.files.find(({ path }) => path === lastOfAll);
  if (key === undefined) throw new CestaError('data.unreadable', `backup: expected ${lastOfAll}, got none`);
  if (existsSync(dataDir) && readdirSync(dataDir).length > 0) throw new CestaError('config.invalid', `--data-dir: expected an empty folder, got ${dataDir}, which has files`);
  makeDataFolder(dataDir);
  const lock = database === undefined ? lockDataFolder(dataDir) : null;
  try {
    const journal = await openJournalWriter(dataDir, database);
    try {
      await loadJournal(journal.db, linesOf(from, manifest));
    } finally {
      await journal.close();
    }
    for (const file of manifest.files) {
      if (file.path === journalName || file.path === lastOfAll || (file.path === networkedOnly && database === undefined)) continue;
      writeNew(dataDir, file.path, readBackupFile(from, file));
    }
    writeNew(dataDir, lastOfAll, readBackupFile(from, key));
    return manifest;
  } catch (cause) {
    if (cause instanceof CestaError) throw cause;
    throw new CestaError('storage.failed', `restore: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  } finally {
    lock?.unlock();
  }
}

function linesOf(from: string, { files }: BackupManifest): string[] {
  const file = files.find(({ path }) => path === journalName);
  if (file === undefined) throw new CestaError('data.unreadable', `backup: expected ${journalName}, got none`);
  return new TextDecoder('utf-8', { fatal: true }).decode(readBackupFile(from, file)).trimEnd().split('\n');
}
