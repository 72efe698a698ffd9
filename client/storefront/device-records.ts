/**
 * What a device keeps between visits, as a shop node keeps it in its folder: its signing key, the pinned key of the coordinator
 * and those of others, how far the public record was seen, what was spent, and what the coordinator signed for. No item of the
 * shopper's history is among it. Damage is never taken for a first visit: that would be the way to make a device forget.
 */
import * as z from 'zod';
import { seenHeadSchema, type HeadMemory } from '../../shared/ledger/followed-head.ts';
import { signedReceiptSchema, type SignedReceipt } from '../../shared/ledger/receipt.ts';
import { signingKey, type SigningKey } from '../../shared/ledger/signing-key.ts';
import { hexToBytes } from '../../shared/protocol/digest.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { shopNameSchema } from '../../shared/protocol/messages.ts';
import type { PeerPins } from '../peers.ts';
import { nonceSecurely } from '../secure-random.ts';
import { spendSchema, type Spend, type SpendRecord } from '../spends.ts';
import type { DeviceStore } from './device-store.ts';

/** Masked sessions that are remembered: their coordinator is long done with older ones. */
const keptSessions = 1_000;

const hexKey = z.string().regex(/^[0-9a-f]{64}$/);
const conflictSchema = z.object({ known: z.string(), offered: z.string() });

export interface DeviceRecords {
  readonly key: SigningKey;
  /** Null before first contact. */
  readonly coordinatorKey: string | null;
  /** In force at once, kept when it resolves. */
  pinCoordinator(key: string): Promise<void>;
  readonly spends: {
    read(): Promise<SpendRecord>;
    /** As `commit` of the trainer asks for it: also other tabs stay out. */
    commit(decide: (record: SpendRecord) => Spend): Promise<SpendRecord>;
  };
  readonly receipts: {
    read(): Promise<readonly SignedReceipt[]>;
    append(receipt: SignedReceipt): Promise<void>;
  };
  readonly heads: HeadMemory;
  readonly peers: PeerPins;
  /** Writes down that a masked session (hex) was answered. @throws CestaError `secagg.aborted` if it was before */
  recordRelease(sessionId: string): Promise<void>;
  /** Resolves when what was written without being waited for is on disk; rejects when it is not. */
  settled(): Promise<void>;
}

/** Whether the device took part before: reading alone shall not give it a key. */
export async function hasKey(store: DeviceStore): Promise<boolean> {
  return (await store.get('key')) !== null;
}

/**
 * Makes the key at first use.
 * @throws CestaError `storage.failed`
 */
export async function openDeviceRecords(store: DeviceStore): Promise<DeviceRecords> {
  const secret = await store.update('key', (value) => (value === null ? nonceSecurely() : parsed('key', hexKey, value)));
  const pinned = await store.get('coordinator');
  let coordinatorKey = pinned === null ? null : parsed('coordinator', hexKey, pinned);
  const { pins, settled } = await openPeers(store);
  return {
    key: signingKey(hexToBytes(secret)),
    get coordinatorKey() {
      return coordinatorKey;
    },
    async pinCoordinator(key) {
      coordinatorKey = key;
      await store.update('coordinator', () => key);
    },
    spends: {
      read: async () => spendRecord(await store.get('spends')),
      commit: async (decide) => spendRecord(await store.update('spends', (value) => [...list('spends', value), decide(spendRecord(value))])),
    },
    receipts: {
      read: async () => list('receipts', await store.get('receipts')).map((value) => parsed('receipts', signedReceiptSchema, value)),
      append: async (receipt) => void (await store.update('receipts', (value) => [...list('receipts', value), receipt])),
    },
    heads: headMemory(store),
    peers: pins,
    async recordRelease(sessionId) {
      await store.update('sessions', (value) => {
        const sessions = list('sessions', value);
        if (sessions.includes(sessionId)) throw new CestaError('secagg.aborted', `session ${sessionId}: expected to be answered once, and it was before`);
        return [...sessions, sessionId].slice(-keptSessions);
      });
    },
    settled,
  };
}

function headMemory(store: DeviceStore): HeadMemory {
  return {
    async read(origin) {
      const value = await store.get(`record ${origin}`);
      return value === null ? null : parsed(`record ${origin}`, seenHeadSchema, value);
    },
    write: async (head) => void (await store.update(`record ${head.origin}`, () => head)),
    async keepConflict(known, offered) {
      const conflict = { known: known.checkpoint, offered };
      // A coordinator that goes on like that must not fill the disk: the first two notes convict it.
      await store.update(`conflict ${known.origin}`, (value) => (value === null ? conflict : parsed('conflict', conflictSchema, value)));
    },
  };
}

/** Read once, written behind: whoever is pinned a moment too late is a stranger once more. */
async function openPeers(store: DeviceStore): Promise<{ readonly pins: PeerPins; readonly settled: () => Promise<void> }> {
  const value = await store.get('peers');
  let peers = new Map(value === null ? [] : parsed('peers', z.array(z.tuple([shopNameSchema, hexKey])), value));
  let writing: Promise<unknown> = Promise.resolve();
  return {
    pins: {
      read: () => peers,
      write(changed) {
        peers = new Map(changed);
        writing = writing.then(() => store.update('peers', () => [...changed]));
        // Told by `settled`.
        writing.catch(() => undefined);
      },
    },
    settled: async () => void (await writing),
  };
}

function spendRecord(value: unknown): SpendRecord {
  const lines = list('spends', value).map((line) => spendSchema.safeParse(line));
  return { spends: lines.flatMap(({ data }) => data ?? []), unreadable: lines.filter(({ success }) => !success).length };
}

function list(name: string, value: unknown): readonly unknown[] {
  if (value === null) return [];
  return parsed(name, z.array(z.unknown()), value);
}

/** @throws CestaError `storage.failed` */
function parsed<T>(name: string, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (!result.success) throw new CestaError('storage.failed', `device records, ${name}: ${z.prettifyError(result.error)}`, { cause: result.error });
  return result.data;
}
