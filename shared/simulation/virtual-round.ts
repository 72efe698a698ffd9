/**
 * Who is in the sum of a simulated round: the reducer that the coordinator runs, fed with the events of a cohort in the order of
 * their virtual times. What members send is somebody else's affair: nothing here looks at data.
 *
 * Mode `distributed` masks in one session (or one a group), which waits for everybody on its roster until its deadline: who has
 * left or is late by then has dropped out. Beyond the dropouts that removable noise makes up for nothing is revealed, nor is it
 * where fewer are left than give the masks back.
 */
import type { Plan } from '../federation/plan.ts';
import { maskedTerms } from '../federation/masked-terms.ts';
import { fewestRows } from '../federation/robust/combine-rows.ts';
import { advance, isOver, openRound, type Round, type RoundEvent } from '../federation/round.ts';
import type { ErrorCode } from '../protocol/error-table.ts';
import { CestaError } from '../protocol/errors.ts';
import { fewestSurvivors } from '../secagg/session.ts';
import type { Terms } from '../secagg/terms.ts';
import type { Member, RoundTraffic } from './round-outcome.ts';

export type Turnout = Omit<RoundTraffic, 'bytesUp' | 'bytesDown' | 'clipFraction'>;

export type VirtualRound =
  /** `groups`: of a plan that has them, those whose sums are revealed. `roster`: members of the one sum at its start, dropouts included. */
  | { readonly kind: 'closed'; readonly reported: readonly Member[]; readonly roster: number; readonly groups: readonly SummedGroup[] | null; readonly turnout: Turnout }
  /** `sent`: reports that were on their way for nothing. */
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly reason: string; readonly sent: number; readonly turnout: Turnout };

/** One masked sum of several. */
export interface SummedGroup {
  /** Places in `reported` of those who are in it. */
  readonly reports: readonly number[];
  readonly roster: number;
}

/** Places in a roster of so many, dealt into the groups of a plan. */
export type Deal = (participants: number) => readonly (readonly number[])[];

/** @param deal of a plan with groups; null without */
export function runVirtualRound(plan: Plan, members: readonly Member[], deal: Deal | null): VirtualRound {
  const recruiting = recruit(plan, members);
  const { round, joined, startMs } = recruiting;
  const turnout = { invited: members.length, joined: joined.length, left: 0, late: 0, virtualMs: startMs };
  switch (round.phase) {
    case 'masking':
      return maskTogether(recruiting, turnout, deal);
    case 'training':
      return trainApart(recruiting, round, turnout);
    case 'failed':
      return { kind: 'failed', code: round.code, reason: round.reason, sent: 0, turnout };
    case 'recruiting':
    case 'releasing':
    case 'done':
      throw new CestaError('internal', `round: expected training to have started or failed, got ${round.phase}`);
    default:
      return round satisfies never;
  }
}

interface Recruited {
  readonly plan: Plan;
  readonly round: Round;
  /** In the order they answered. */
  readonly joined: readonly Member[];
  readonly startMs: number;
}

function recruit(plan: Plan, members: readonly Member[]): Recruited {
  const invited = members.slice(0, plan.cohort.maxParticipants);
  let [round] = openRound(plan, invited.map(({ id }) => id), 0);
  const joined: Member[] = [];
  let startMs = 0;
  for (const member of byTime(invited, ({ joinMs }) => joinMs)) {
    if (round.phase !== 'recruiting' || member.joinMs > round.deadline) break;
    startMs = member.joinMs;
    joined.push(member);
    [round] = advance(round, { kind: 'join', participant: member.id, now: startMs });
  }
  if (round.phase === 'recruiting') {
    startMs = round.deadline;
    [round] = advance(round, { kind: 'tick', now: startMs });
  }
  return { plan, round, joined, startMs };
}

/** Stable, so that of equal times the first invited comes first. */
function byTime(members: readonly Member[], timeOf: (member: Member) => number): Member[] {
  return [...members].sort((a, b) => timeOf(a) - timeOf(b));
}

/** A member that leaves is gone half way. */
function endMs({ leaves, trainMs }: Member): number {
  return leaves ? trainMs / 2 : trainMs;
}

function trainApart({ plan, joined, startMs }: Recruited, started: Round, turnout: Turnout): VirtualRound {
  let round = started;
  const reported: Member[] = [];
  const deadline = startMs + plan.deadlines.trainingMs;
  let now = startMs;
  let left = 0;
  for (const member of byTime(joined, endMs)) {
    if (round.phase !== 'training' || startMs + endMs(member) > deadline) break;
    now = startMs + endMs(member);
    const event: RoundEvent = { kind: member.leaves ? 'leave' : 'report', participant: member.id, now };
    [round] = advance(round, event);
    if (member.leaves) left += 1;
    else reported.push(member);
  }
  if (round.phase === 'training') {
    now = deadline;
    [round] = advance(round, { kind: 'tick', now });
  }
  const late = joined.length - left - reported.length;
  const after = { ...turnout, left, late, virtualMs: now };
  if (round.phase === 'failed') return { kind: 'failed', code: round.code, reason: round.reason, sent: reported.length, turnout: after };
  return { kind: 'closed', reported, roster: reported.length, groups: null, turnout: after };
}

function maskTogether({ plan, round, joined, startMs }: Recruited, turnout: Turnout, deal: Deal | null): VirtualRound {
  const deadline = plan.deadlines.trainingMs;
  const isThere = (member: Member): boolean => !member.leaves && member.trainMs <= deadline;
  const left = joined.filter((member) => member.leaves && endMs(member) <= deadline).length;
  const late = joined.length - left - joined.filter(isThere).length;
  const lastMs = late > 0 ? deadline : joined.reduce((last, member) => Math.max(last, endMs(member)), 0);
  const after = { ...turnout, left, late, virtualMs: startMs + Math.min(deadline, lastMs) };
  const rosters = deal === null ? [joined] : deal(joined.length).map((places) => places.map((place) => joined[place]));
  // Whose session it is decides nothing here.
  const terms = maskedTerms(plan, '0'.repeat(64));
  const summed = rosters.map((roster) => ({ roster, survivors: roster.filter(isThere) })).filter(({ roster, survivors }) => isRevealed(terms, roster.length, survivors.length));
  const fewest = plan.robust === undefined ? 1 : fewestRows(plan.robust.rule, plan.robust.byzantine);
  const event: RoundEvent = summed.length < fewest ? { kind: 'abort', code: 'secagg.too-few', reason: tooFew(terms, rosters[0].length, { joined: joined.length, survivors: joined.filter(isThere).length }) } : { kind: 'summed', reported: summed.flatMap(({ survivors }) => survivors.map(({ id }) => id)) };
  const [ended] = advance(round, event);
  if (ended.phase === 'failed') return { kind: 'failed', code: ended.code, reason: ended.reason, sent: joined.filter(isThere).length, turnout: after };
  if (isOver(ended)) throw new CestaError('internal', `round: expected a sum to be released, got ${ended.phase}`);
  const reported: Member[] = [];
  const groups = summed.map(({ roster, survivors }) => ({ roster: roster.length, reports: survivors.map((member) => reported.push(member) - 1) }));
  return { kind: 'closed', reported, roster: joined.length, groups: deal === null ? null : groups, turnout: after };
}

/** What both sides of a masked session hold its survivors against. */
function isRevealed(terms: Terms, roster: number, survivors: number): boolean {
  return roster - survivors <= toleratedBy(terms) && survivors >= fewestSurvivors(terms, roster);
}

function toleratedBy({ noise }: Terms): number {
  return noise?.tolerated ?? Infinity;
}

function tooFew(terms: Terms, roster: number, { joined, survivors }: { readonly joined: number; readonly survivors: number }): string {
  return `survivors: expected at least ${fewestSurvivors(terms, roster)} of ${roster} in a masked sum, and at most ${toleratedBy(terms)} dropouts, got ${survivors} of ${joined}`;
}
