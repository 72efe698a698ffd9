/**
 * The shop's own record of spends: one JSON line each, appended and synced to disk before the first byte of a
 * report leaves. It is read anew at every decision, so that no copy in memory can disagree with the disk. It proves
 * nothing to others, and a deleted file is a forgotten budget: back it up like the key.
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CestaError } from '../../shared/protocol/errors.ts';
import { emptyRecord, spendSchema, type Spend, type SpendRecord } from '../spends.ts';

export interface SpendLedger {
  /** @throws CestaError `storage.failed` */
  read(): SpendRecord;
  /** Returns when the spend is safe on disk. @throws CestaError `storage.failed` */
  append(spend: Spend): void;
}

export function openSpendLedger(path: string): SpendLedger {
  return {
    read: () => storageErrors(path, () => (existsSync(path) ? parseLines(readFileSync(path, 'utf8')) : emptyRecord)),
    append: (spend) => storageErrors(path, () => appendLine(path, encodeLine(spend))),
  };
}

function encodeLine({ events, round, planHash, at }: Spend): string {
  return JSON.stringify({ events, round, planHash, at });
}

function parseLines(text: string): SpendRecord {
  const spends: Spend[] = [];
  let unreadable = 0;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const spend = parseLine(line);
    if (spend === null) unreadable += 1;
    else spends.push(spend);
  }
  return { spends, unreadable };
}

function parseLine(line: string): Spend | null {
  try {
    return spendSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}

/** Returns when the line is safe on disk. */
export function appendLine(path: string, line: string): void {
  const isNew = !existsSync(path);
  const before = isNew ? '' : readFileSync(path, 'utf8');
  const cutOff = before !== '' && !before.endsWith('\n');
  const file = openSync(path, 'a', 0o600);
  try {
    // A line cut off by a crash is ended, so that the next one stays readable.
    // Writes all of it or throws, which one call of `writeSync` does not promise.
    writeFileSync(file, `${cutOff ? '\n' : ''}${line}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  if (isNew) syncFolder(dirname(path));
}

/** The name of a new file is durable only when its folder is. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

export function storageErrors<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof CestaError) throw cause;
    throw new CestaError('storage.failed', `${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
