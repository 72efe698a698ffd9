/**
 * A copy of everything that a coordinator must not lose, taken while it runs: its journal at one moment, then its files.
 * Blobs are written before the rows that name them and never change, so a journal that is read first finds its blobs.
 *
 * Security: a backup holds the signing key, and a restored one forgets what was spent after it was taken. Shops that took
 * part since answer no plan twice, and join no more once they saw more of the public record than is left of it; others cannot tell.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join, relative, resolve } from 'node:path';
import { CestaError } from '../../shared/protocol/errors.ts';
import { readSigningKey } from '../signing-key-file.ts';
import { dumpJournal } from '../storage/journal-dump.ts';
import { openJournalReader } from '../storage/journal-reader.ts';
import { describeFile, filesBelow, journalName, manifestName, verifyBackup, writeNew, type BackupFile, type BackupManifest } from './manifest.ts';

export interface BackupOptions {
  readonly dataDir: string;
  readonly database?: string | undefined;
  /** Must not exist. */
  readonly to: string;
  readonly now: Date;
}

/** @throws CestaError `config.invalid` for a place that is none; `storage.failed` */
export async function backup({ dataDir, database, to, now }: BackupOptions): Promise<BackupManifest> {
  const key = readSigningKey(dataDir);
  if (existsSync(to)) throw new CestaError('config.invalid', `--to: expected a folder that does not exist yet, got ${to}`);
  if (!relative(resolve(dataDir), resolve(to)).startsWith('..')) throw new CestaError('config.invalid', `--to: expected a folder outside of ${dataDir}, got ${to}`);
  return orFailed(async () => {
    mkdirSync(to, { recursive: true, mode: 0o700 });
    const journal = await copyJournal({ dataDir, database, to });
    const { blobs, missing } = copyBlobs(dataDir, to, journal.blobs);
    const files = [journal.file, ...copyFiles(dataDir, to), ...blobs];
    const manifest: BackupManifest = { format: 1, createdAt: now.toISOString(), publicKey: key.publicKey, missing, files };
    writeNew(to, manifestName, `${JSON.stringify(manifest, null, 2)}\n`);
    // Read back: a backup that cannot be restored is worse than none.
    return verifyBackup(to);
  });
}

/** The file, and what it names: digests stand in the text as they are. */
async function copyJournal({ dataDir, database, to }: Pick<BackupOptions, 'dataDir' | 'database' | 'to'>): Promise<{ file: BackupFile; blobs: ReadonlySet<string> }> {
  const reader = await openJournalReader(dataDir, database);
  const file = openSync(join(to, journalName), 'wx', 0o600);
  const hash = createHash('sha256');
  const blobs = new Set<string>();
  let bytes = 0;
  try {
    await dumpJournal(reader.db, reader.kind, (line) => {
      const data = Buffer.from(line);
      hash.update(data);
      bytes += writeSync(file, data);
      for (const digest of blobsOf(line)) blobs.add(digest);
    });
    fsyncSync(file);
  } finally {
    closeSync(file);
    await reader.close();
  }
  return { file: { path: journalName, bytes, sha256: hash.digest('hex') }, blobs };
}

/** Releases and catalogues. */
function blobsOf(line: string): string[] {
  const { table, row = {} } = JSON.parse(line) as { table?: string; row?: Record<string, unknown> };
  const named = table === 'releases' ? row['sha256'] : table === 'tasks' ? row['catalogue_hash'] : null;
  return typeof named === 'string' ? [named] : [];
}

/** Every blob that is whole, also those that no row names: a later version may know what they are for. */
function copyBlobs(dataDir: string, to: string, named: ReadonlySet<string>): { blobs: BackupFile[]; missing: string[] } {
  const folder = join(dataDir, 'blobs');
  const found = existsSync(folder) ? filesBelow(folder).filter((name) => /^[0-9a-f]{64}$/.test(name)) : [];
  const blobs = found.flatMap((name): BackupFile[] => {
    const bytes = readFileSync(join(folder, name));
    const described = describeFile(`blobs/${name}`, bytes);
    if (described.sha256 !== name) return [];
    writeNew(to, described.path, bytes);
    return [described];
  });
  const whole = new Set(blobs.map(({ sha256 }) => sha256));
  return { blobs, missing: [...named].filter((digest) => !whole.has(digest)).sort() };
}

/** The journal and the blobs are copied as such, locks and what is half written not at all. */
const notCopied = /^(?:coordinator\.db|lock\.db|blobs\/)|\.(?:part|new)$/;

/** Keys, certificates, the name of the journal, the operator's numbers. */
function copyFiles(dataDir: string, to: string): BackupFile[] {
  return filesBelow(dataDir).filter((path) => !notCopied.test(path)).map((path) => {
    const bytes = readFileSync(join(dataDir, path));
    writeNew(to, path, bytes);
    return describeFile(path, bytes);
  });
}

async function orFailed<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (cause instanceof CestaError) throw cause;
    throw new CestaError('storage.failed', `backup: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
