/**
 * What the coordinator must not forget about the participants of a round: who trained, whose report it acknowledged,
 * who was left out and why. The survivors of a round are those with a receipt, but for members of a group that was left out
 * afterwards: the public record says whose reports are in a sum.
 */
import type { SignedReceipt } from '../../shared/ledger/receipt.ts';
import type { ErrorCode } from '../../shared/protocol/error-table.ts';

/** `joined`: on the roster. `reported`: has a receipt. `excluded`: nothing of it is in the sum. */
export type ParticipantState = 'joined' | 'reported' | 'excluded';

export interface RosterEntry {
  /** Name without case. */
  readonly participant: string;
  /** Public key, hex. */
  readonly node: string;
}

/** One thing that happened to a participant while a round was open. */
export type ParticipantChange = RosterEntry & (
  | { readonly kind: 'reported'; readonly receipt: SignedReceipt }
  | { readonly kind: 'excluded'; readonly code: ErrorCode }
);

export interface ParticipantRecord extends RosterEntry {
  readonly state: ParticipantState;
  /** Why it was excluded. */
  readonly code: ErrorCode | null;
}

export interface ReceiptRecord {
  readonly participant: string;
  readonly sha256: string;
  readonly signature: string;
  readonly acceptedAt: string;
}

export interface ParticipantRecords {
  /**
   * Writes all of the changes or none, in one commit; each participant is in it once.
   * @throws CestaError `storage.failed` for a second receipt of a participant.
   */
  recordParticipants(round: string, changes: readonly ParticipantChange[]): Promise<void>;
  /** By name. */
  participants(round: string): Promise<readonly ParticipantRecord[]>;
  /** By name. */
  receipts(round: string): Promise<readonly ReceiptRecord[]>;
}
