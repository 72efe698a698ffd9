/**
 * Tables of the coordinator. Portable on purpose: text, integers and doubles only, times as ISO 8601 text, JSON as
 * text that is parsed where it is read, no booleans.
 */
import type { FormSchema } from './form-storage.ts';
import type { IdentitySchema } from './identity-storage.ts';
import type { OperatorSchema } from './operator-storage.ts';
import type { ParticipantSchema } from './participant-storage.ts';
import type { ReleaseState, Serving, SpendState, StoredRoundState, TaskState } from './storage.ts';

export interface Schema extends FormSchema, IdentitySchema, OperatorSchema, ParticipantSchema {
  readonly settings: { key: string; value: string };
  readonly tasks: { name: string; spec: string; catalogue_hash: string | null; created_at: string; state: TaskState };
  readonly rounds: {
    id: string;
    task: string;
    number: number;
    plan: string;
    plan_hash: string;
    state: StoredRoundState;
    opened_at: string;
    training_at: string | null;
    ended_at: string | null;
    /** Members when training starts, reports when the round is done. */
    participants: number | null;
    failure_code: string | null;
    failure_message: string | null;
  };
  readonly releases: {
    task: string;
    version: number;
    sha256: string;
    round: string;
    manifest: string;
    created_at: string;
    state: ReleaseState;
    /** Both or neither. */
    served_by_change: Serving['change'] | null;
    served_by_reason: Serving['reason'] | null;
    previous: number | null;
    /** The verdict of a canary that held it back. */
    canary: string | null;
  };
  readonly spends: { round: string; task: string; event: string; epsilon: number | null; delta: number | null; state: SpendState; changed_at: string };
  /** Rounds that score releases. Digests of the one they are about, and of the one it is compared with. */
  readonly evaluations: { round: string; task: string; candidate: string; served: string; result: string | null };
  /** The public record. `bytes`: Base 64. */
  readonly log_entries: { position: number; bytes: string };
  readonly nodes: { name_key: string; name: string; public_key: string; first_seen: string; last_seen: string };
}
