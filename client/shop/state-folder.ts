/**
 * What a shop keeps between runs, in a folder of its own: its signing key (readable by its owner only), the pinned
 * key of the coordinator and the record of spends. One node at a time: the coordinator admits one live connection
 * a name.
 */
import { chmodSync, existsSync, fsyncSync, closeSync, mkdirSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
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
export function writeDurably(path: string, folder: string, text: string): void {
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
