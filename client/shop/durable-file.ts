/** Small files that are replaced as a whole: readers see the old one or the new one, also after a power cut. */
import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { syncFolder } from './spend-ledger.ts';

/** Returns when the file is safe on disk; only its owner reads it. */
export function writeDurably(path: string, folder: string, content: string | Uint8Array): void {
  const temporary = `${path}.new`;
  const file = openSync(temporary, 'w', 0o600);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  syncFolder(folder);
}
