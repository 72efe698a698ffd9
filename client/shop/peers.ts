/** The shops that this one knows, as files: those its owner lists, and those it met. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { CestaError } from '../../shared/protocol/errors.ts';
import { shopNameSchema } from '../../shared/protocol/messages.ts';
import type { Directory } from '../../shared/secagg/roster.ts';
import type { PeerPins } from '../peers.ts';
import { writeDurably } from './durable-file.ts';
import { storageErrors } from './spend-ledger.ts';

const peersSchema = z.record(shopNameSchema, z.string().regex(/^[0-9a-f]{64}$/, 'expected 32 bytes in lower-case hex'));

/**
 * Reads a file of peers: a JSON object of names and keys. Names are compared without case.
 * @throws CestaError `config.invalid`
 */
export function parsePeers(path: string, text: string): Directory {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CestaError('config.invalid', `${path}: expected a JSON object of shops and their keys, got other text`, { cause });
  }
  const parsed = peersSchema.safeParse(value);
  if (!parsed.success) throw new CestaError('config.invalid', `${path}: expected a JSON object of shops and their keys: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  return new Map(Object.entries(parsed.data).map(([name, key]) => [name.toLowerCase(), key]));
}

export function openPeerPins(folder: string): PeerPins {
  const path = join(folder, 'peers.json');
  return {
    read: () => storageErrors(path, () => (existsSync(path) ? parsePeers(path, readFileSync(path, 'utf8')) : new Map())),
    write: (peers) => storageErrors(path, () => writeDurably(path, folder, `${JSON.stringify(Object.fromEntries(peers), null, 2)}\n`)),
  };
}
