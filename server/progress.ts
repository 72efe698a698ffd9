/** A round in figures, for operators: what `cesta serve` prints and a dashboard draws. */
import { countIn, membersIn } from '../shared/federation/member-states.ts';
import type { Round } from '../shared/federation/round.ts';
import type { ErrorCode } from '../shared/protocol/error-table.ts';

export interface RoundProgress {
  readonly round: string;
  readonly phase: Round['phase'];
  /** Invited and not yet answered; 0 once training starts. */
  readonly pending: number;
  /** Joined while recruiting, members afterwards. */
  readonly members: number;
  readonly reported: number;
  /** Members that are neither working nor reported. */
  readonly away: number;
  /** Version of the release, once done. */
  readonly version: number | null;
  readonly failure: { readonly code: ErrorCode; readonly message: string } | null;
}

export function progressOf(round: Round): RoundProgress {
  const base = { round: round.plan.round, phase: round.phase, pending: 0, members: 0, reported: 0, away: 0, version: null, failure: null };
  switch (round.phase) {
    case 'recruiting':
      return { ...base, pending: countIn(round.invited, 'pending'), members: countIn(round.invited, 'joined') };
    case 'training': {
      const members = round.members.places.size;
      const reported = countIn(round.members, 'reported');
      return { ...base, members, reported, away: members - reported - countIn(round.members, 'working') };
    }
    case 'masking':
      return { ...base, members: round.members.size, reported: reportedIn(round) };
    case 'releasing':
      return { ...base, members: round.reported.length, reported: round.reported.length };
    case 'done':
      return { ...base, members: round.reported.length, reported: round.reported.length, version: round.version };
    case 'failed':
      return { ...base, failure: { code: round.code, message: round.reason } };
    default:
      return round satisfies never;
  }
}

/** Who belongs to a round that is open, by participant. */
export function membersOf(round: Round): readonly string[] {
  switch (round.phase) {
    case 'recruiting':
      return membersIn(round.invited, 'joined');
    case 'training':
      return [...round.members.places.keys()];
    case 'masking':
      return [...round.members];
    case 'releasing':
      return round.reported;
    case 'done':
    case 'failed':
      return [];
    default:
      return round satisfies never;
  }
}

function reportedIn({ stage, answered, members }: Extract<Round, { phase: 'masking' }>): number {
  switch (stage) {
    case 'keys':
    case 'nonces':
    case 'shares':
      return 0;
    case 'masked':
      return answered;
    case 'confirm':
    case 'unmask':
      return members.size;
    default:
      return stage satisfies never;
  }
}
