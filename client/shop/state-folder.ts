/**
 * What a shop keeps between runs, in a folder of its own: its signing key (readable by its owner only), the pinned
 * key of the coordinator and the record of spends. One node at a time: the coordinator admits one live connection
 * a name.
 */
import { chmodSync, existsSync, fsyncSync, closeSync, mkdirSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { signingKey, type SigningKey } from '../../shared/ledger/signing-key.ts';
import { bytesToHex, hexToBytes } from '../../shared/protocol/digest.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { shopNameSchema } from '../../shared/protocol/messages.ts';
import { fillSecurely } from '../secure-random.ts';
import { openSpendLedger, storageErrors, syncFolder, type SpendLedger } from './spend-ledger.ts';

export interface StateFolder {
  readonly path: string;
  readonly key: SigningKey;
  /** Whether the key file could be read by others than its owner; it cannot any more. */
  readonly keyWasExposed: boolean;
  /** The pinned key; null before first contact. */
  readonly coordinatorKey: string | null;
  /** @throws CestaError `storage.failed` */
  pinCoordinator(key: string): void;
  readonly ledger: SpendLedger;
  /** Keys of other shops by name, as they were first seen. @throws CestaError `storage.failed` */
  peers(): ReadonlyMap<string, string>;
  /** @throws CestaError `storage.failed` */
  pinPeers(peers: ReadonlyMap<string, string>): void;
  /** Writes down that a masked session (hex) was answered. @throws CestaError `secagg.aborted` if it was before, `storage.failed` */
  recordRelease(sessionId: string): void;
}

/**
 * Opens `stateDir/shop`, and makes it, with a fresh key, at first use.
 * @throws CestaError `config.invalid` for a name that no shop can have, `storage.failed` for anything about the disk.
 */
export function openStateFolder(stateDir: string, shop: string): StateFolder {
  const name = shopNameSchema.safeParse(shop);
  if (!name.success) throw new CestaError('config.invalid', `shop: expected 1..63 letters, digits, dots, dashes or underscores, got ${JSON.stringify(shop)}`);
  const path = join(stateDir, name.data);
  return storageErrors(path, () => {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const { key, wasExposed } = readOrMakeKey(join(path, 'shop.key'), path);
    const pinPath = join(path, 'coordinator.pub');
    let coordinatorKey = existsSync(pinPath) ? readHexKey(pinPath) : null;
    return {
      path,
      key,
      keyWasExposed: wasExposed,
      get coordinatorKey() {
        return coordinatorKey;
      },
      pinCoordinator(pinned) {
        storageErrors(pinPath, () => writeDurably(pinPath, path, `${pinned}\n`));
        coordinatorKey = pinned;
      },
      ledger: openSpendLedger(join(path, 'spends.jsonl')),
      peers: () => storageErrors(path, () => readPeers(join(path, 'peers.json'))),
      pinPeers: (peers) => storageErrors(path, () => writeDurably(join(path, 'peers.json'), path, `${JSON.stringify(Object.fromEntries(peers), null, 2)}\n`)),
      recordRelease: (sessionId) => storageErrors(path, () => recordRelease(join(path, 'sessions'), path, sessionId)),
    };
  });
}

function readOrMakeKey(path: string, folder: string): { key: SigningKey; wasExposed: boolean } {
  if (!existsSync(path)) {
    const secret = new Uint8Array(32);
    fillSecurely(secret);
    writeDurably(path, folder, `${bytesToHex(secret)}\n`);
  }
  const wasExposed = process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0;
  if (wasExposed) chmodSync(path, 0o600);
  return { key: signingKey(hexToBytes(readHexKey(path))), wasExposed };
}

function readHexKey(path: string): string {
  const text = readFileSync(path, 'utf8').trim();
  if (!/^[0-9a-f]{64}$/.test(text)) throw new CestaError('storage.failed', `${path}: expected 32 bytes in lower-case hex, got other text`);
  return text;
}

/** Readers see the old file or the new one, never half of it, also after a power cut. */
function writeDurably(path: string, folder: string, text: string): void {
  const temporary = `${path}.new`;
  const file = openSync(temporary, 'w', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  syncFolder(folder);
}

const peersSchema = z.record(shopNameSchema, z.string().regex(/^[0-9a-f]{64}$/));

function readPeers(path: string): ReadonlyMap<string, string> {
  if (!existsSync(path)) return new Map();
  const parsed = peersSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (!parsed.success) throw new CestaError('storage.failed', `${path}: expected names of shops and their keys: ${z.prettifyError(parsed.error)}`);
  return new Map(Object.entries(parsed.data));
}

/** Sessions that are remembered: their coordinator is long done with older ones. */
const keptSessions = 1_000;

function recordRelease(path: string, folder: string, sessionId: string): void {
  const sessions = existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
  if (sessions.includes(sessionId)) throw new CestaError('secagg.aborted', `session ${sessionId}: expected to be answered once, and it was before`);
  writeDurably(path, folder, `${[...sessions, sessionId].slice(-keptSessions).join('\n')}\n`);
}
