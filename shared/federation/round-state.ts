/** What a round is in each phase, what may happen to it, and what is to be done about that: the words of `round.ts`. */
import type { ErrorCode } from '../protocol/error-table.ts';
import type { Carried } from './carried.ts';
import type { MemberStates } from './member-states.ts';
import type { Plan } from './plan.ts';

/** Of those invited: they have not answered, joined, or are not in this round. */
export type InviteeState = 'pending' | 'joined' | 'out';

export type MemberState = 'working' | 'away' | 'reported' | 'dropped';

/** What a masked session collects: fresh keys, shares of secrets, masked vectors, confirmations of who survived, and what unmasks the sum. */
export type MaskingStage = 'keys' | 'nonces' | 'shares' | 'masked' | 'confirm' | 'unmask';

interface Common {
  readonly plan: Plan;
}

export type Round =
  | (Common & {
      readonly phase: 'recruiting';
      readonly invited: MemberStates<InviteeState>;
      readonly carried: Carried;
      readonly deadline: number;
    })
  | (Common & {
      readonly phase: 'training';
      readonly members: MemberStates<MemberState>;
      readonly carried: Carried;
      readonly deadline: number;
    })
  /** Mode `distributed`: members mask together; who drops out and when is the masked session's affair. */
  | (Common & {
      readonly phase: 'masking';
      readonly members: ReadonlySet<string>;
      readonly stage: MaskingStage;
      /** Members whose answer to this stage has arrived. */
      readonly answered: number;
    })
  | (Common & {
      readonly phase: 'releasing';
      readonly reported: readonly string[];
      /** Members of a buffered round that may report to a later one. */
      readonly stragglers: readonly string[];
    })
  | (Common & { readonly phase: 'done'; readonly reported: readonly string[]; readonly stragglers: readonly string[]; readonly version: number })
  | (Common & { readonly phase: 'failed'; readonly code: ErrorCode; readonly reason: string });

/** Times are milliseconds of any monotonic clock, the same for all events of a round. */
export type RoundEvent =
  | { readonly kind: 'join'; readonly participant: string; readonly now: number }
  /** The participant said that it will not report, or not any more. */
  | { readonly kind: 'decline'; readonly participant: string; readonly now: number }
  /** The connection ended; the participant may come back. */
  | { readonly kind: 'leave'; readonly participant: string; readonly now: number }
  | { readonly kind: 'return'; readonly participant: string; readonly now: number }
  /** The participant's whole update arrived, was validated and stands ready to be summed. */
  | { readonly kind: 'report'; readonly participant: string; readonly now: number }
  /** The participant started anew, without what it had of this round: it cannot come back into it. */
  | { readonly kind: 'restart'; readonly participant: string; readonly now: number }
  /** The participant broke the protocol and is out of this round for good. */
  | { readonly kind: 'misbehave'; readonly participant: string; readonly code: ErrorCode; readonly now: number }
  /** The report of a carried member is in the buffer. */
  | { readonly kind: 'late-report'; readonly participant: string; readonly now: number }
  /** Nothing is expected of this carried member any more. */
  | { readonly kind: 'late-loss'; readonly participant: string; readonly now: number }
  | { readonly kind: 'tick'; readonly now: number }
  | { readonly kind: 'masking'; readonly stage: MaskingStage; readonly answered: number }
  /** The masked sum of these members is unmasked. */
  | { readonly kind: 'summed'; readonly reported: readonly string[] }
  /** The sum has become what the round is for: a release, or a decision about the one of this version. */
  | { readonly kind: 'released'; readonly version: number }
  | { readonly kind: 'abort'; readonly code: ErrorCode; readonly reason: string };

export type RoundEffect =
  | { readonly kind: 'invite'; readonly participants: readonly string[] }
  /** Reserve the budget durably, then tell the members to train. */
  | { readonly kind: 'start-training'; readonly participants: readonly string[]; readonly deadline: number }
  /** Open a masked session with these members; answer with `masking`, and `summed` or `abort`. */
  | { readonly kind: 'start-masking'; readonly participants: readonly string[] }
  /** Tell a member that came back where it stands. */
  | { readonly kind: 'resume'; readonly participant: string; readonly deadline: number }
  /** Fold the participant's staged update into the accumulator: happens exactly once per participant. */
  | { readonly kind: 'accumulate'; readonly participant: string }
  | { readonly kind: 'refuse'; readonly participant: string; readonly code: ErrorCode; readonly message: string }
  /** Decode the accumulator, update the model, publish; answer with `released` or `abort`. */
  | { readonly kind: 'release'; readonly reported: readonly string[] }
  | { readonly kind: 'announce-done'; readonly version: number }
  | { readonly kind: 'announce-failed'; readonly code: ErrorCode; readonly reason: string };

export type Step = readonly [Round, readonly RoundEffect[]];
