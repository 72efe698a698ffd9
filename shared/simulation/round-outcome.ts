/** What a simulated round is given and yields, however its participants are simulated. */
import type { ShopperHistory } from '../commerce/history.ts';
import type { DecodedSum } from '../federation/accumulator.ts';
import type { Plan } from '../federation/plan.ts';
import type { FoldBase } from '../federation/strategies/fold.ts';
import type { ErrorCode } from '../protocol/error-table.ts';
import type { AnyFederatedModel } from '../recommender/federated-model.ts';

/** One participant of a round, and what it will do. Times are virtual milliseconds since the round was opened. */
export interface Member {
  /** Shop or shopper of the population, by what clients are. */
  readonly index: number;
  readonly id: string;
  /** It answers the invitation then. */
  readonly joinMs: number;
  /** Its report is made so long after training started. */
  readonly trainMs: number;
  /** It is gone before its report, or stays. */
  readonly leaves: boolean;
  readonly isMalicious: boolean;
}

export interface SimulatedRoundInput {
  readonly plan: Plan;
  readonly model: AnyFederatedModel;
  readonly base: FoldBase & { readonly owns?: ReadonlyMap<number, Float32Array> };
  /** In the order of invitation: at most `plan.cohort.maxParticipants`. */
  readonly members: readonly Member[];
  /** Training histories of a member, malicious ones as they pretend them. */
  readonly historiesOf: (member: Member) => readonly ShopperHistory[];
  /** What a malicious participant reports instead of its honest sum, before noise; absent where it only pretends histories. */
  readonly spoil?: (honest: Int32Array) => Int32Array;
  /** Seed of all randomness of the round: noise, rounding, sampling. */
  readonly seed: number;
}

export type SimulatedOutcome =
  | {
      readonly kind: 'summed';
      readonly aggregate: DecodedSum;
      /** Members whose report is in the sum. */
      readonly reported: readonly number[];
      /** Control variates to go on with, by member index; empty but for SCAFFOLD. */
      readonly owns: ReadonlyMap<number, Float32Array>;
      readonly traffic: RoundTraffic;
    }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly reason: string; readonly traffic: RoundTraffic };

/** What a round took, in virtual time and in bytes of a real one. */
export interface RoundTraffic {
  readonly virtualMs: number;
  readonly invited: number;
  readonly joined: number;
  readonly left: number;
  /** Reports that came after the round was closed. */
  readonly late: number;
  /** Of all participants together: payloads of the protocol without framing of sockets. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Share of the contributions in the sum that the clip norm shortened, as far as the simulation saw; null where it did not look. */
  readonly clipFraction: number | null;
}
