/** States, events and effects of a participant: plain data. */
import type { SigningKey } from '../ledger/signing-key.ts';
import type { SecureRandom } from '../numerics/random.ts';
import type { ErrorCode } from '../protocol/error-table.ts';
import type { SecaggCrypto } from './crypto.ts';
import type { ParticipantMessage } from './messages.ts';
import type { NoiseOf } from './noise-chain.ts';
import type { Directory, Roster, RosterEntry } from './roster.ts';
import type { Session } from './session.ts';
import type { Terms } from './terms.ts';

export interface ParticipantContext {
  /** Made from the plan and the model that this side holds, never taken from the coordinator. */
  readonly terms: Terms;
  readonly id: string;
  readonly identity: SigningKey;
  readonly directory: Directory;
  readonly crypto: SecaggCrypto;
  readonly random: SecureRandom;
  /** Required where the terms have removable noise. */
  readonly noiseOf?: NoiseOf;
}

/** Secrets that one member knows of another. */
export interface Pair {
  readonly member: number;
  /** Opens the box this neighbour sent. */
  readonly boxKey: Uint8Array;
  /** Stretched into the mask that cancels with the neighbour's. */
  readonly maskKey: Uint8Array;
}

/** A session as one of its members sees it. */
export interface OwnSession extends Session {
  readonly member: number;
  readonly neighbours: readonly number[];
}

interface Held {
  readonly session: OwnSession;
  /** Seed of the self-mask. */
  readonly seed: Uint8Array;
  /** Key of the first noise component. */
  readonly noiseRoot: Uint8Array;
}

interface HoldsShares extends Held {
  /** Neighbours that dealt shares, as the coordinator said: those masked with. */
  readonly dealers: ReadonlySet<number>;
  /** The shares of each dealer whose box opened. */
  readonly shares: ReadonlyMap<number, Uint8Array>;
}

/** `ready` is the second half of SHARED: shares have arrived, the report is being computed. */
export type ParticipantState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'advertised'; readonly cipherSecret: Uint8Array; readonly maskSecret: Uint8Array; readonly nonce: Uint8Array; readonly entry: RosterEntry; readonly roster: Roster | null }
  | ({ readonly kind: 'shared'; readonly pairs: readonly Pair[] } & Held)
  | ({ readonly kind: 'ready'; readonly pairs: readonly Pair[]; readonly noise: Int32Array | null } & HoldsShares)
  | ({ readonly kind: 'masked' } & HoldsShares)
  | ({ readonly kind: 'confirmed'; readonly survivors: ReadonlySet<number>; readonly survivorsHash: Uint8Array; readonly survivorsSignature: Uint8Array } & HoldsShares)
  | { readonly kind: 'done' }
  | { readonly kind: 'aborted'; readonly code: ErrorCode; readonly message: string };

export type StateOf<Kind extends ParticipantState['kind']> = Extract<ParticipantState, { kind: Kind }>;

export type ParticipantEvent =
  | { readonly kind: 'start' }
  /** Whatever the coordinator sent, decoded but not checked. */
  | { readonly kind: 'message'; readonly message: unknown }
  /** The statistic with its own base share of noise, in grid steps; wanted once `report-wanted` was seen. */
  | { readonly kind: 'report'; readonly vector: Int32Array }
  /** The deadline of a state, the loss of the connection, a restart or the user: nothing more is sent. */
  | { readonly kind: 'stop'; readonly reason: string };

/** Two statements signed by the coordinator of which an honest one signs one only. */
export interface Evidence {
  readonly of: 'roster' | 'survivors';
  readonly sessionId: Uint8Array;
  readonly first: { readonly digest: Uint8Array; readonly signature: Uint8Array };
  readonly second: { readonly digest: Uint8Array; readonly signature: Uint8Array };
}

export type ParticipantEffect =
  | { readonly kind: 'send'; readonly message: ParticipantMessage }
  /** The roster is fixed: noise is planned for so many participants. Answer with a `report` event. */
  | { readonly kind: 'report-wanted'; readonly participants: number }
  /** To be on disk before the next effect runs: this session has been answered and may never be again. */
  | { readonly kind: 'record-release'; readonly sessionId: Uint8Array }
  | { readonly kind: 'aborted'; readonly code: ErrorCode; readonly message: string; readonly evidence?: Evidence }
  | { readonly kind: 'done' };

export type ParticipantStep<State extends ParticipantState = ParticipantState> = readonly [State, readonly ParticipantEffect[]];
