/**
 * What the public record says of nodes: that a key was enrolled, that it was revoked, and what it signed twice. The
 * storage is written first; after a crash in between the record catches up at the next start.
 */
import type { RevocationReason } from '../../shared/identity/requests.ts';
import { hexToBytes } from '../../shared/protocol/digest.ts';
import { toCestaError } from '../../shared/protocol/errors.ts';
import type { IdentityOptions } from '../identity/identity.ts';
import type { IdentityRecords } from '../storage/identity-records.ts';
import type { PublicRecord } from './public-record.ts';

/** Where a node signed twice outside of any round: a request about itself. */
const requestRound = 'request';

/** The options of the identity with the record told first. */
export function recordNodes(record: PublicRecord, options: IdentityOptions = {}): IdentityOptions {
  return {
    ...options,
    async onEnrolled(publicKey) {
      await enrolled(record, publicKey);
      await options.onEnrolled?.(publicKey);
    },
    async onRevoked(publicKey, reason) {
      await revoked(record, publicKey, reason);
      await options.onRevoked?.(publicKey, reason);
    },
    async onEquivocation(evidence) {
      const [first, second] = [evidence.first, evidence.second].map(({ statement, signature }) => ({ statement: hexToBytes(statement), signature }));
      await record.equivocation(evidence.node, requestRound, first, second);
      await options.onEquivocation?.(evidence);
    },
  };
}

/** Records what the storage has of nodes and the record has not. */
export async function reconcileNodes(record: PublicRecord, storage: Pick<IdentityRecords, 'enrolled' | 'revocations'>): Promise<void> {
  for (const node of await storage.enrolled()) await enrolled(record, node);
  for (const { node, reason } of await storage.revocations()) await revoked(record, node, reason);
}

/** Once for a key, however often its certificate is renewed. */
async function enrolled(record: PublicRecord, node: string): Promise<void> {
  if (record.before.nodeState(node) === null) await unlessThere(() => record.append({ type: 'node-enrolled', node }));
}

async function revoked(record: PublicRecord, node: string, reason: RevocationReason): Promise<void> {
  if (record.before.nodeState(node) !== 'revoked') await unlessThere(() => record.append({ type: 'node-revoked', node, reason }));
}

/** Two requests at once may both find an entry missing; the second is refused, and has nothing left to say. */
async function unlessThere(append: () => Promise<unknown>): Promise<void> {
  try {
    await append();
  } catch (error) {
    if (toCestaError(error).code !== 'log.inconsistent') throw error;
  }
}
