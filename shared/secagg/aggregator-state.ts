/** States, events and effects of the aggregator. Plain data, but for the sum: one vector, added to in place. */
import type { SigningKey } from '../ledger/signing-key.ts';
import type { ErrorCode } from '../protocol/error-table.ts';
import type { SecaggCrypto } from './crypto.ts';
import type { CoordinatorMessage } from './messages.ts';
import type { NoiseOf } from './noise-chain.ts';
import type { Directory, Roster, RosterEntry } from './roster.ts';
import type { Session } from './session.ts';
import type { Terms } from './terms.ts';

export interface AggregatorContext {
  readonly terms: Terms;
  readonly directory: Directory;
  /** The key behind `terms.coordinatorKey`. */
  readonly identity: SigningKey;
  readonly crypto: SecaggCrypto;
  /** Required where the terms have removable noise. */
  readonly noiseOf?: NoiseOf;
}

/** A participant that broke the protocol: left out from here on, while the others go on. */
export interface Blame {
  readonly id: string;
  /** What the aggregator was collecting. */
  readonly stage: AggregatorState['kind'];
  readonly code: ErrorCode;
  readonly message: string;
  /** The two statements of an equivocation. */
  readonly evidence?: { readonly first: Signed; readonly second: Signed };
}

interface Collecting {
  /** Who may still answer. */
  readonly waiting: ReadonlySet<string>;
  readonly blamed: readonly Blame[];
  /** Who left or was left out: nothing more that it says counts. */
  readonly gone: ReadonlySet<string>;
  /** What each sender signed in this state, to tell a repetition from a contradiction. */
  readonly answers: ReadonlyMap<string, Signed>;
}

/** A statement and its signature. */
export interface Signed {
  readonly statement: Uint8Array;
  readonly signature: Uint8Array;
}

/** What a member committed to when it dealt its shares. */
export interface Dealing {
  readonly seedCommitment: Uint8Array;
  readonly chainEnd: Uint8Array;
  /** Packed rows, one per neighbour. */
  readonly commitments: Uint8Array;
}

interface Dealt extends Collecting {
  readonly session: Session;
  readonly dealings: ReadonlyMap<number, Dealing>;
}

interface Summed extends Dealt {
  readonly sum: Int32Array;
  /** The members whose masked vector is in the sum, each with the dealers whose box did not open for it. */
  readonly reported: ReadonlyMap<number, ReadonlySet<number>>;
}

/** What one survivor revealed and what proved to be right. */
export interface Revealed {
  readonly seed: Uint8Array | null;
  readonly noiseKey: Uint8Array | null;
  /** By dealer and slot. */
  readonly shares: ReadonlyMap<string, Uint8Array>;
}

export interface PrivateSum {
  /** Exact: the survivors' reports, with the noise that was planned for so many dropouts. */
  readonly sum: Int32Array;
  readonly survivors: readonly string[];
  /** Size of the roster, for which noise was planned. */
  readonly participants: number;
  /** Survivors whose removable noise stays in, because neither they nor their shares gave the key: more noise, never less. */
  readonly excessNoise: readonly string[];
  readonly blamed: readonly Blame[];
}

export type AggregatorState =
  | { readonly kind: 'open' }
  | ({ readonly kind: 'keys'; readonly entries: ReadonlyMap<string, RosterEntry> } & Collecting)
  /** Harary graphs only. */
  | ({ readonly kind: 'nonces'; readonly roster: Roster; readonly nonces: ReadonlyMap<number, Uint8Array> } & Collecting)
  | ({ readonly kind: 'shares'; readonly boxes: ReadonlyMap<number, Uint8Array> } & Dealt)
  | ({ readonly kind: 'masked' } & Summed)
  | ({ readonly kind: 'confirm'; readonly survivorsHash: Uint8Array; readonly confirmations: ReadonlyMap<number, Uint8Array> } & Summed)
  | ({ readonly kind: 'unmask'; readonly survivorsHash: Uint8Array; readonly revealed: ReadonlyMap<number, Revealed> } & Summed)
  | { readonly kind: 'done'; readonly result: PrivateSum }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string; readonly blamed: readonly Blame[] };

export type CollectingState = Extract<AggregatorState, Collecting>;
export type AggregatorStateOf<Kind extends AggregatorState['kind']> = Extract<AggregatorState, { kind: Kind }>;

export type AggregatorEvent =
  /** Opens the round to these shops, whose machines the caller starts. */
  | { readonly kind: 'start'; readonly invited: readonly string[] }
  /** What came on the connection of `from`, decoded but not checked. */
  | { readonly kind: 'message'; readonly from: string; readonly message: unknown }
  | { readonly kind: 'left'; readonly id: string }
  /** The time of this state is up: go on with whoever answered. */
  | { readonly kind: 'deadline' };

export type AggregatorEffect =
  | { readonly kind: 'send'; readonly to: string; readonly message: CoordinatorMessage }
  /** Tell this shop, and ignore it until the round is over. */
  | { readonly kind: 'exclude'; readonly blame: Blame }
  /** The state changed: arm the deadline of `stage`. */
  | { readonly kind: 'entered'; readonly stage: AggregatorState['kind'] }
  | { readonly kind: 'done'; readonly result: PrivateSum }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string; readonly blamed: readonly Blame[] };

export type AggregatorStep = readonly [AggregatorState, readonly AggregatorEffect[]];
