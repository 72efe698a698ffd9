/**
 * What an invitation carries to show that its plan was in the public record first: a signed head and the proof that
 * the plan is below it. It proves that whoever keeps the record cannot later deny the plan, not that the plan is fair.
 */
import * as z from 'zod';
import { bytesToHex, hexToBytes } from '../protocol/digest.ts';
import { CestaError } from '../protocol/errors.ts';
import { logKey, logOrigin, openCheckpoint, type VerifiedCheckpoint } from './checkpoint.ts';
import { encodeEntry, type LogEntry } from './log-entries.ts';
import { verifyInclusion } from './merkle-proofs.ts';
import { leafHash, type Hash } from './merkle-tree.ts';
import type { WitnessPolicy } from './witness-policy.ts';

export const evidenceSchema = z.strictObject({
  /** The signed note, with the cosignatures there are. */
  checkpoint: z.string().max(65_536),
  /** Of the entry in the record. */
  index: z.number().int().nonnegative(),
  /** Hashes from the entry to the root, hex. */
  proof: z.array(z.string().regex(/^[0-9a-f]{64}$/, 'expected 32 bytes in lower-case hex')).max(63),
});

export type Evidence = Readonly<z.infer<typeof evidenceSchema>>;

/** @throws CestaError `config.invalid` for a policy that nothing could meet, or two witnesses of one name or key. */
export function requirePolicy({ witnesses, quorum }: WitnessPolicy): WitnessPolicy {
  if (!Number.isInteger(quorum) || quorum < 0 || quorum > witnesses.length) {
    throw new CestaError('config.invalid', `quorum: expected an integer in 0..${witnesses.length}, the witnesses that are named, got ${quorum}`);
  }
  for (const field of ['name', 'publicKey'] as const) {
    if (new Set(witnesses.map((witness) => witness[field])).size < witnesses.length) throw new CestaError('config.invalid', `witnesses: expected another ${field} for each`);
  }
  return { witnesses, quorum };
}

export function makeEvidence(checkpoint: string, index: number, proof: readonly Hash[]): Evidence {
  return { checkpoint, index, proof: proof.map((hash) => bytesToHex(hash)) };
}

/**
 * Checks that an entry is in the record of a coordinator.
 * @returns the head it is below, for the comparison with heads seen before.
 * @throws CestaError `log.untrusted` without a head that the coordinator and enough witnesses signed; `log.inconsistent`
 * when the entry is not below it; `protocol.malformed`.
 */
export async function openEvidence(entry: LogEntry, { checkpoint, index, proof }: Evidence, coordinatorKey: string, { witnesses, quorum }: WitnessPolicy): Promise<VerifiedCheckpoint> {
  const head = await openCheckpoint(checkpoint, [logKey(coordinatorKey), ...witnesses], logOrigin(coordinatorKey));
  const cosigned = new Set(head.signatures.filter(({ key }) => key.kind === 'witness').map(({ key }) => key.name));
  if (cosigned.size < quorum) throw new CestaError('log.untrusted', `checkpoint: expected cosignatures of ${quorum} witnesses, got ${cosigned.size}`);
  const claim = { leaf: leafHash(encodeEntry(entry)), index, size: head.size, root: head.root, proof: proof.map((hash) => Uint8Array.from(hexToBytes(hash))) };
  if (!verifyInclusion(claim)) throw new CestaError('log.inconsistent', `${entry.type}: expected it to be entry ${index} of the ${head.size} in the public record, got a proof that does not show it`);
  return head;
}
