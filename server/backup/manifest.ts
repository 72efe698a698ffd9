/** What a backup says of itself: written last, so that a folder without it is no backup. */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { prettifyError, z } from 'zod';
import { CestaError } from '../../shared/protocol/errors.ts';

/** Nothing above the folder can be named. */
const pathSchema = z.string().regex(/^(?:[A-Za-z0-9_][A-Za-z0-9_.-]*\/)*[A-Za-z0-9_][A-Za-z0-9_.-]*$/, 'expected a path below the folder');

const manifestSchema = z.strictObject({
  format: z.literal(1),
  createdAt: z.string(),
  /** Of the coordinator: the key that shops have pinned. */
  publicKey: z.string().regex(/^[0-9a-f]{64}$/),
  /** Blobs that the journal names and that were missing or damaged when the backup was made. */
  missing: z.array(z.string()),
  files: z.array(z.strictObject({ path: pathSchema, bytes: z.number().int().nonnegative(), sha256: z.string().regex(/^[0-9a-f]{64}$/) })).min(1),
});

export type BackupManifest = z.infer<typeof manifestSchema>;
export type BackupFile = BackupManifest['files'][number];

export const manifestName = 'manifest.json';
export const journalName = 'journal.jsonl';

export function describeFile(path: string, bytes: Uint8Array): BackupFile {
  return { path, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** Reads a backup and checks every digest. @throws CestaError `data.not-found`, `data.unreadable` */
export function verifyBackup(folder: string): BackupManifest {
  const file = join(folder, manifestName);
  if (!existsSync(file)) throw new CestaError('data.not-found', `backup: expected a folder with ${manifestName}, got ${folder}: no backup, or one that was never finished`);
  const manifest = parseManifest(readFileSync(file, 'utf8'));
  for (const expected of manifest.files) readBackupFile(folder, expected);
  const known = new Set([manifestName, ...manifest.files.map(({ path }) => path)]);
  const stranger = filesBelow(folder).find((path) => !known.has(path));
  if (stranger !== undefined) throw new CestaError('data.unreadable', `backup: expected the files of its manifest, got ${stranger} beside them`);
  if (!manifest.files.some(({ path }) => path === journalName)) throw new CestaError('data.unreadable', `backup: expected ${journalName}, got none`);
  return manifest;
}

/** @throws CestaError `data.unreadable` for bytes other than those that were backed up. */
export function readBackupFile(folder: string, expected: BackupFile): Uint8Array {
  const path = join(folder, expected.path);
  if (!existsSync(path)) throw new CestaError('data.unreadable', `backup: expected ${expected.path}, got none`);
  const bytes = readFileSync(path);
  const { sha256 } = describeFile(expected.path, bytes);
  if (sha256 !== expected.sha256) throw new CestaError('data.unreadable', `backup: expected digest ${expected.sha256} of ${expected.path}, got ${sha256}`);
  return bytes;
}

function parseManifest(text: string): BackupManifest {
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new CestaError('data.unreadable', `backup: ${manifestName}: ${cause instanceof z.ZodError ? prettifyError(cause) : 'expected JSON, got other text'}`, { cause });
  }
}

/** Paths of all files, with slashes, sorted; a file that vanishes meanwhile is none. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => statSync(join(folder, path), { throwIfNoEntry: false })?.isFile()).map((path) => path.replaceAll('\\', '/')).sort();
}

/** Writes a file that only its owner reads; it is on disk when this returns, and nothing is overwritten. */
export function writeNew(folder: string, path: string, bytes: Uint8Array | string): void {
  const target = join(folder, path);
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  writeFileSync(target, bytes, { flag: 'wx', mode: 0o600, flush: true });
  syncFolder(dirname(target));
}

/** A name is durable once its folder is; Windows has no such call and needs none. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const directory = openSync(folder, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
