/**
 * One round as a pure state machine: `(round, event) -> [round, effects]`. The server runs the effects and
 * feeds their outcomes back as events; nothing here knows sockets, clocks or disks.
 *
 * Membership is frozen when training starts. Every leave is re-evaluated at once, so that nobody silent can
 * stall a round: a round closes when every member has reported or is away, when the target has reported, or
 * at its deadline. A member that is away may come back while others are still working. Lists of members are in the order of
 * invitation. In mode `distributed` a masked
 * session (`shared/secagg`) stands in for training: it has stages and deadlines of its own, and ends in one sum.
 *
 * A buffered round does not cut off who is slow: members without a report at the close are its stragglers, and later
 * rounds carry them. Carried reports count towards target and quorum; for carried members a round waits while its quorum
 * is short, until its deadline. One report must be its own: what its plan was charged for has to buy something.
 */
import type { ErrorCode } from '../protocol/error-table.ts';
import { afterLate, countCarried, fewestOwn, nobodyCarried, type Carried } from './carried.ts';
import { countIn, everybodyIn, membersIn, stateOf, withState } from './member-states.ts';
import type { Plan } from './plan.ts';
import type { MemberState, Round, RoundEffect, RoundEvent, Step } from './round-state.ts';

export type { MaskingStage, Round, RoundEffect, RoundEvent, Step } from './round-state.ts';

/**
 * Opens a round for the participants connected now, at most `maxParticipants` of them in the given order.
 * @param carried of a buffered task: none of them may be a candidate, or one shop could count twice
 */
export function openRound(plan: Plan, candidates: readonly string[], now: number, carried: Carried = nobodyCarried): Step {
  const invited = candidates.slice(0, plan.cohort.maxParticipants);
  const round: Round = { plan, phase: 'recruiting', invited: everybodyIn('pending', invited), carried, deadline: now + plan.deadlines.recruitingMs };
  const fewest = fewestOwn(round);
  if (invited.length < fewest) return fail(round, `participants: expected at least ${fewest}, got ${invited.length}`);
  return [round, [{ kind: 'invite', participants: invited }]];
}

/** The next state and what to do about it. Events that make no sense in a state change nothing but may be refused. */
export function advance(round: Round, event: RoundEvent): Step {
  if (event.kind === 'abort') return isOver(round) ? [round, []] : fail(round, event.reason, event.code);
  switch (round.phase) {
    case 'recruiting':
      return recruit(round, event);
    case 'training':
      return train(round, event);
    case 'masking':
      return mask(round, event);
    case 'releasing':
      if (event.kind === 'released') {
        return [{ plan: round.plan, phase: 'done', reported: round.reported, stragglers: round.stragglers, version: event.version }, [{ kind: 'announce-done', version: event.version }]];
      }
      return [round, refuseLate(event)];
    case 'done':
    case 'failed':
      return [round, refuseLate(event)];
    default:
      return round satisfies never;
  }
}

export function isOver(round: Round): boolean {
  return round.phase === 'done' || round.phase === 'failed';
}

/** When the next `tick` matters, or null. */
export function nextDeadline(round: Round): number | null {
  return round.phase === 'recruiting' || round.phase === 'training' ? round.deadline : null;
}

function recruit(round: Extract<Round, { phase: 'recruiting' }>, event: RoundEvent): Step {
  switch (event.kind) {
    case 'join': {
      if (stateOf(round.invited, event.participant) !== 'pending') return [round, [refusal(event.participant, 'round.not-member', 'join: this participant was not invited or has answered')]];
      return settle({ ...round, invited: withState(round.invited, event.participant, 'joined') }, event.now);
    }
    case 'decline':
    case 'leave':
    case 'restart':
    case 'misbehave':
      // Of whoever was not invited, time is all there is to hear.
      return settle(stateOf(round.invited, event.participant) === undefined ? round : { ...round, invited: withState(round.invited, event.participant, 'out') }, event.now);
    case 'tick':
      return settle(round, event.now);
    case 'late-report':
    case 'late-loss':
      return settle({ ...round, carried: afterLate(round.carried, event) }, event.now);
    case 'report':
      return [round, [refusal(event.participant, 'protocol.out-of-order', 'report: training has not started')]];
    case 'return':
    case 'masking':
    case 'summed':
    case 'released':
    case 'abort':
      return [round, []];
    default:
      return event satisfies never;
  }
}

/** Recruiting ends when everyone invited has answered or the time is up. */
function settle(round: Extract<Round, { phase: 'recruiting' }>, now: number): Step {
  const fewest = fewestOwn(round);
  const [joined, pending] = [countIn(round.invited, 'joined'), countIn(round.invited, 'pending')];
  if (joined + pending < fewest) return fail(round, `participants: expected at least ${fewest}, got ${joined} joined and ${pending} unanswered`);
  if (pending > 0 && now < round.deadline) return [round, []];
  if (joined < fewest) return fail(round, `participants: expected at least ${fewest} to join, got ${joined}`);
  const participants = membersIn(round.invited, 'joined');
  if (round.plan.privacy.mode === 'distributed') {
    return [{ plan: round.plan, phase: 'masking', members: new Set(participants), stage: 'keys', answered: 0 }, [{ kind: 'start-masking', participants }]];
  }
  const deadline = now + round.plan.deadlines.trainingMs;
  return [{ plan: round.plan, phase: 'training', members: everybodyIn('working', participants), carried: round.carried, deadline }, [{ kind: 'start-training', participants, deadline }]];
}

function mask(round: Extract<Round, { phase: 'masking' }>, event: RoundEvent): Step {
  switch (event.kind) {
    case 'masking':
      return [{ ...round, stage: event.stage, answered: event.answered }, []];
    case 'summed':
      return [{ plan: round.plan, phase: 'releasing', reported: event.reported, stragglers: [] }, [{ kind: 'release', reported: event.reported }]];
    case 'join':
      return [round, [refusal(event.participant, round.members.has(event.participant) ? 'protocol.out-of-order' : 'round.not-member', 'join: membership was frozen when masking started')]];
    case 'decline':
    case 'leave':
    case 'return':
    case 'report':
    case 'restart':
    case 'misbehave':
    case 'late-report':
    case 'late-loss':
    case 'tick':
    case 'released':
    case 'abort':
      return [round, []];
    default:
      return event satisfies never;
  }
}

function train(round: Extract<Round, { phase: 'training' }>, event: RoundEvent): Step {
  if (event.kind === 'tick') return close(round, event.now);
  if (event.kind === 'late-report' || event.kind === 'late-loss') return close({ ...round, carried: afterLate(round.carried, event) }, event.now);
  if (event.kind === 'released' || event.kind === 'abort' || event.kind === 'masking' || event.kind === 'summed') return [round, []];
  const state = stateOf(round.members, event.participant);
  if (state === undefined) {
    const answers = event.kind === 'leave' || event.kind === 'restart' || event.kind === 'misbehave' || event.kind === 'decline' ? [] : [refusal(event.participant, 'round.not-member', `${event.kind}: membership was frozen when training started`)];
    return [round, answers];
  }
  switch (event.kind) {
    case 'report':
      if (state !== 'working') return [round, [refusal(event.participant, 'protocol.out-of-order', `report: expected a working member, got one that is ${state}`)]];
      return withEffects(close(mark(round, event.participant, 'reported'), event.now), [{ kind: 'accumulate', participant: event.participant }]);
    case 'return':
      if (state !== 'away') return [round, []];
      return [mark(round, event.participant, 'working'), [{ kind: 'resume', participant: event.participant, deadline: round.deadline }]];
    case 'leave':
      return state === 'working' ? close(mark(round, event.participant, 'away'), event.now) : [round, []];
    case 'decline':
    case 'restart':
    case 'misbehave':
      // A report that was summed cannot be picked out again: only members that have not reported are dropped.
      return state === 'reported' ? [round, []] : close(mark(round, event.participant, 'dropped'), event.now);
    case 'join':
      return [round, [refusal(event.participant, 'protocol.out-of-order', 'join: training has already started')]];
    default:
      return event satisfies never;
  }
}

/** Training ends when the target has reported, when no own member is working any more, or at the deadline. */
function close(round: Extract<Round, { phase: 'training' }>, now: number): Step {
  const { minParticipants, targetParticipants } = round.plan.cohort;
  const [reported, working, away] = [countIn(round.members, 'reported'), countIn(round.members, 'working'), countIn(round.members, 'away')];
  const buffered = reported + countCarried(round.carried, 'reported');
  const possible = working + away + countCarried(round.carried, 'working');
  if (buffered + possible < minParticipants) {
    return fail(round, `participants: expected at least ${minParticipants} reports, got ${buffered} and ${possible} still possible`);
  }
  if (reported + working + away === 0) return fail(round, 'participants: expected a report to this plan, got none, and none is possible');
  const isDue = now >= round.deadline;
  if (reported > 0 && (buffered >= targetParticipants || (buffered >= minParticipants && (working === 0 || isDue)))) {
    const survivors = membersIn(round.members, 'reported');
    return [{ plan: round.plan, phase: 'releasing', reported: survivors, stragglers: stragglersOf(round) }, [{ kind: 'release', reported: survivors }]];
  }
  if (isDue) return fail(round, `participants: expected at least ${minParticipants} reports by the deadline, got ${buffered}`);
  return [round, []];
}

function stragglersOf(round: Extract<Round, { phase: 'training' }>): readonly string[] {
  return round.plan.aggregation === undefined ? [] : [...membersIn(round.members, 'working'), ...membersIn(round.members, 'away')];
}

function mark(round: Extract<Round, { phase: 'training' }>, participant: string, state: MemberState): Extract<Round, { phase: 'training' }> {
  return { ...round, members: withState(round.members, participant, state) };
}

function fail(round: Round, reason: string, code: ErrorCode = 'round.failed'): Step {
  return [{ plan: round.plan, phase: 'failed', code, reason }, [{ kind: 'announce-failed', code, reason }]];
}

function refuseLate(event: RoundEvent): RoundEffect[] {
  if (event.kind !== 'join' && event.kind !== 'report') return [];
  return [refusal(event.participant, 'round.not-member', `${event.kind}: this round is closed; wait for the next one`)];
}

function refusal(participant: string, code: ErrorCode, message: string): RoundEffect {
  return { kind: 'refuse', participant, code, message };
}

function withEffects([round, effects]: Step, first: readonly RoundEffect[]): Step {
  return [round, [...first, ...effects]];
}
