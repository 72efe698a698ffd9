/**
 * Which shops may be in a masked sum with this one. The coordinator says who the others are, and could invent them:
 * the sum of one shop and nineteen inventions is that shop. Names are pinned to their keys, and a shop may
 * list the peers it knows: more strangers than may collude are refused.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { Plan } from '../../shared/federation/plan.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { shopNameSchema } from '../../shared/protocol/messages.ts';
import type { Directory } from '../../shared/secagg/roster.ts';
import { writeDurably } from './durable-file.ts';
import { storageErrors } from './spend-ledger.ts';

/** Keys of other shops by name. */
export interface PeerPins {
  /** @throws CestaError `storage.failed` */
  read(): Directory;
  /** Durable when it returns. @throws CestaError `storage.failed` */
  write(peers: Directory): void;
}

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

/**
 * A name with another key than before counts as a stranger, too: it may be a hand-over, or somebody else.
 * @param ownKey of this shop, which need not list itself
 * @param known peers that the shop lists; without a list, names are pinned and inventions go unnoticed
 * @param onChange hears of names whose key changed
 * @throws CestaError `secagg.invalid`, from the function that is returned, for more strangers than may collude.
 */
export function peerCheck(pins: PeerPins, { ownKey, known, onChange = () => undefined }: { ownKey: string; known?: Directory | undefined; onChange?: (name: string) => void }): (plan: Plan, directory: Directory) => void {
  return (plan, directory) => {
    const before = pins.read();
    const changed = [...directory].filter(([name, key]) => key !== ownKey && (before.get(name) ?? key) !== key && known?.get(name) !== key).map(([name]) => name);
    const unlisted = known === undefined ? [] : [...directory].filter(([name, key]) => key !== ownKey && known.get(name) !== key).map(([name]) => name);
    const strangers = [...new Set([...changed, ...unlisted])];
    const allowed = plan.privacy.mode === 'distributed' ? plan.privacy.colluding : 0;
    if (strangers.length > allowed) throw new CestaError('secagg.invalid', `directory: expected at most ${allowed} shops whose keys are not known here, got ${strangers.length}: ${strangers.slice(0, 5).join(', ')}`);
    changed.forEach(onChange);
    if ([...directory].some(([name, key]) => before.get(name) !== key)) pins.write(new Map([...before, ...directory]));
  };
}
