/**
 * What a shop keeps between runs, in a folder of its own: its signing key (readable by its owner only), the pinned
 * key of the coordinator and those of other shops, how far its public record was seen, the record of spends, what the
 * coordinator signed for, and control variates. One node at a time: the coordinator admits one live connection a name.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { signingKey, type SigningKey } from '../../shared/ledger/signing-key.ts';
import { bytesToHex, hexToBytes } from '../../shared/protocol/digest.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { shopNameSchema } from '../../shared/protocol/messages.ts';
import type { ControlStore } from '../contributions.ts';
import type { PeerPins } from '../peers.ts';
import { fillSecurely } from '../secure-random.ts';
import { writeDurably } from './durable-file.ts';
import { openControlFiles } from './control-files.ts';
import { openHeadMemory, type HeadFile } from './head-file.ts';
import { openPeerPins } from './peers.ts';
import { openReceiptFile, type ReceiptFile } from './receipt-file.ts';
import { recordRelease } from './sessions-file.ts';
import { openSpendLedger, storageErrors, type SpendLedger } from './spend-ledger.ts';

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
  /** What the coordinator acknowledged. */
  readonly receipts: ReceiptFile;
  /** Keys of other shops, as they were first seen. */
  readonly peers: PeerPins;
  /** Writes down that a masked session (hex) was answered. @throws CestaError `secagg.aborted` if it was before, `storage.failed` */
  recordRelease(sessionId: string): void;
  /** How far the public record of the coordinator has been seen. */
  readonly heads: HeadFile;
  /** Control variates of tasks with SCAFFOLD. */
  readonly controls: ControlStore;
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
      receipts: openReceiptFile(join(path, 'receipts.jsonl')),
      peers: openPeerPins(path),
      recordRelease: (sessionId) => recordRelease(path, sessionId),
      heads: openHeadMemory(path),
      controls: openControlFiles(path),
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
