/**
 * Numbers that rise strictly, over restarts and over processes that share a folder. Each number is a file that is made
 * only if nobody made it before, so two commands at one moment get two numbers. Numbers start from the clock: a folder
 * that is restored from a copy does not fall behind what the other side has seen.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { syncFolder, storageErrors } from './spend-ledger.ts';

/**
 * Takes the next number; it is durable before it is returned.
 * @param nowMs Unix milliseconds
 * @throws CestaError `storage.failed`
 */
export function takeNumber(folder: string, nowMs: number): number {
  return storageErrors(folder, () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (let next = Math.max(highest(folder) + 1, Math.floor(nowMs)); ; next += 1) {
      // Whoever went to sleep between reading and writing must not bring an old number back.
      if (!claim(join(folder, String(next))) || highest(folder) !== next) continue;
      syncFolder(folder);
      for (const older of numbers(folder)) if (older < next) rmSync(join(folder, String(older)), { force: true });
      return next;
    }
  });
}

function numbers(folder: string): number[] {
  return readdirSync(folder).filter((name) => /^[1-9][0-9]{0,15}$/.test(name)).map(Number);
}

function highest(folder: string): number {
  return numbers(folder).reduce((most, number) => Math.max(most, number), 0);
}

function claim(path: string): boolean {
  try {
    const file = openSync(path, 'wx', 0o600);
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
