/**
 * The largest head of a coordinator's public record that was seen here, one file for each coordinator key. A deleted
 * file is a forgotten head: the next one is then trusted as it is.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { seenHeadSchema, type HeadMemory, type SeenHead } from '../../shared/ledger/followed-head.ts';
import { sha256Hex } from '../../shared/protocol/digest.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { writeDurably } from './durable-file.ts';
import { storageErrors } from './spend-ledger.ts';

const digestOf = (text: string): string => sha256Hex(new TextEncoder().encode(text)).slice(0, 16);

/** Answers at once: what returned is on disk. */
export interface HeadFile extends HeadMemory {
  read(origin: string): SeenHead | null;
  write(head: SeenHead): void;
  keepConflict(known: SeenHead, offered: string): void;
}

/** @param folder an existing folder of this shop or witness alone */
export function openHeadMemory(folder: string): HeadFile {
  const pathOf = (origin: string): string => join(folder, `record-${digestOf(origin)}.json`);
  return {
    read(origin) {
      const path = pathOf(origin);
      return storageErrors(path, () => (existsSync(path) ? readHead(path, origin) : null));
    },
    write(head) {
      const path = pathOf(head.origin);
      storageErrors(path, () => writeDurably(path, folder, `${JSON.stringify(head)}\n`));
    },
    keepConflict(known, offered) {
      const path = join(folder, `record-conflict-${digestOf(known.checkpoint + offered)}.json`);
      storageErrors(path, () => writeDurably(path, folder, `${JSON.stringify({ known: known.checkpoint, offered }, null, 2)}\n`));
    },
  };
}

/** A damaged file is not taken for a first contact: that would be the way to make a shop forget. */
function readHead(path: string, origin: string): SeenHead {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new CestaError('storage.failed', `${path}: expected the head of a record as JSON, got other text`, { cause });
  }
  const parsed = seenHeadSchema.safeParse(value);
  if (!parsed.success || parsed.data.origin !== origin) throw new CestaError('storage.failed', `${path}: expected the head of ${origin}, got something else`);
  return parsed.data;
}
