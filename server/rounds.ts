/**
 * One round as the coordinator sees it: what participants send goes in, checked against the plan and the phase; what
 * becomes of it is the pure reducer's decision. No participant can end a round; only its rules can.
 */
import { nobodyCarried } from '../shared/federation/carried.ts';
import { stateOf } from '../shared/federation/member-states.ts';
import { planHash, type Plan } from '../shared/federation/plan.ts';
import { isOver, openRound, type Round } from '../shared/federation/round.ts';
import { CestaError, toCestaError } from '../shared/protocol/errors.ts';
import type { Chunk } from '../shared/protocol/messages.ts';
import { createAggregation, type Aggregation } from './aggregation.ts';
import type { RoundMessage } from './gateway/connection.ts';
import type { MaskedRound } from './masked-round.ts';
import { acceptAgain, invitationTo, invite, train } from './round-members.ts';
import { apply, dispatch, receiptsOf, type RoundContext, type RoundOutcome, type Runner } from './round-effects.ts';

export type { Conclusion, RoundContext, RoundOutcome } from './round-effects.ts';

type ReportMessage = Extract<RoundMessage, { type: 'report' }>;

export interface RoundRun {
  readonly plan: Plan;
  readonly state: Round;
  /** @throws CestaError saying why the message is refused. */
  message(participant: string, message: RoundMessage): void;
  /** @throws CestaError saying why the chunk is refused; a member is then out of the round. */
  chunk(participant: string, chunk: Chunk): void;
  /** The connection ended; the participant may come back. */
  left(participant: string): void;
  /** The participant continues its session on a new connection. */
  resumed(participant: string): void;
  /** The participant is here again without its session: a process that started anew has nothing of this round. */
  restarted(participant: string): void;
  /** The participant broke the protocol; a member is then out of the round. */
  expelled(participant: string, error: CestaError): void;
  /** Fails the round, unless its release is being made already. */
  stop(reason: string): void;
  /** Resolves when the round is over and everything about it is recorded and told. */
  readonly ended: Promise<RoundOutcome>;
}

/**
 * Runs a round whose plan and reservation are in the journal.
 * @param candidates who may be invited, in the order of invitation
 */
export function startRound(context: RoundContext, plan: Plan, candidates: readonly string[]): RoundRun {
  const { clock } = context;
  let end: (outcome: RoundOutcome) => void = () => undefined;
  const ended = new Promise<RoundOutcome>((resolve) => {
    end = resolve;
  });
  const carried = plan.aggregation === undefined ? nobodyCarried : context.stragglers.open(plan, (kind, participant) => dispatch(runner, { kind, participant, now: clock.now() }));
  const step = openRound(plan, candidates, clock.now(), carried);
  const runner = createRunner(context, { plan, candidates, round: step[0], end });
  apply(runner, step);
  return {
    plan,
    ended,
    get state() {
      return runner.round;
    },
    message: (participant, message) => acceptMessage(runner, participant, message),
    chunk: (participant, chunk) => acceptChunk(runner, participant, chunk),
    left(participant) {
      forget(runner, participant);
      dispatch(runner, { kind: 'leave', participant, now: clock.now() });
    },
    resumed: (participant) => resume(runner, participant),
    restarted: (participant) => dispatch(runner, { kind: 'restart', participant, now: clock.now() }),
    expelled: (participant, error) => exclude(runner, participant, error),
    stop(reason) {
      if (runner.round.phase !== 'releasing') dispatch(runner, { kind: 'abort', code: 'round.failed', reason });
    },
  };
}

type RunnerStart = Pick<Runner, 'plan' | 'round' | 'end'> & { readonly candidates: readonly string[] };

function createRunner(context: RoundContext, { candidates, ...start }: RunnerStart): Runner {
  const { gateway, clock, areas, stallMs, stragglers } = context;
  const { plan } = start;
  const hash = planHash(plan);
  const aggregation = plan.privacy.mode === 'distributed' ? null : createAggregation({
    plan,
    clock,
    areas,
    stallMs,
    onGrant: (participant) => void gateway.send(participant, { type: 'upload', round: plan.round }),
    onStall(participant, error) {
      if (!stragglers.exclude(participant, error)) exclude(runner, participant, error);
      gateway.refuse(participant, error);
    },
  });
  const runner: Runner = {
    ...start,
    context,
    aggregation,
    masked: null,
    faulty: new Set(),
    planHash: hash,
    invitation: invitationTo(context, plan, hash),
    directory: new Map(),
    backends: new Map(),
    receipts: receiptsOf(() => runner, context, plan.round, hash),
    invited: new Set(candidates.slice(0, plan.cohort.maxParticipants)),
    isTraining: false,
    releaseSha256: '',
    effects: [],
    isBusy: false,
    cancelTimer: () => undefined,
  };
  return runner;
}

function acceptMessage(runner: Runner, participant: string, message: RoundMessage): void {
  const now = runner.context.clock.now();
  switch (message.type) {
    case 'join':
      requirePlan(runner, message);
      return dispatch(runner, { kind: 'join', participant, now });
    case 'report':
      requirePlan(runner, message);
      if (message.backend !== undefined) runner.backends.set(participant, message.backend);
      return runner.aggregation === null ? maskedOf(runner, message.type).announce(participant, message) : acceptReport(runner, runner.aggregation, participant, message);
    case 'masked':
      // About a round that is over: there is nothing left to refuse.
      if (message.round !== runner.plan.round || isOver(runner.round)) return;
      return maskedOf(runner, message.type).message(participant, message.frame);
    case 'decline':
    case 'leave':
      // About a round that is over anyway: there is nothing left to refuse.
      if (message.round !== runner.plan.round) return;
      // Once for each invitation: repeated, it would fill the log.
      if (message.type === 'decline' && runner.round.phase === 'recruiting' && stateOf(runner.round.invited, participant) === 'pending') runner.context.logger.info({ participant, round: message.round, code: message.code, reason: message.message }, 'invitation declined');
      forget(runner, participant);
      // Whoever says so has nothing to come back with.
      return dispatch(runner, { kind: 'decline', participant, now });
    default:
      return message satisfies never;
  }
}

function requirePlan({ plan, planHash: hash }: Runner, message: { readonly round: string; readonly planHash: string }): void {
  if (message.round !== plan.round) throw new CestaError('update.wrong-round', `round: expected ${plan.round}, got ${message.round}`);
  if (message.planHash !== hash) throw new CestaError('update.wrong-round', `planHash: expected ${hash}, got ${message.planHash}`);
}

/** Nothing more is expected of this participant, unless it comes back and the round allows that. */
function forget({ aggregation, masked }: Runner, participant: string): void {
  aggregation?.discard(participant);
  masked?.left(participant);
}

function maskedOf({ masked, plan }: Runner, what: string): MaskedRound {
  if (masked === null) throw new CestaError('protocol.out-of-order', `${what}: expected a masked session in ${plan.round}, got none`);
  return masked;
}

function acceptReport(runner: Runner, aggregation: Aggregation, participant: string, { length, sha256 }: ReportMessage): void {
  const { round } = runner;
  // The first acceptance was lost with a connection: saying it again lets the participant rest.
  if (hasReported(round, participant)) return acceptAgain(runner, participant);
  if (round.phase === 'recruiting' || (round.phase === 'training' && !runner.isTraining)) {
    throw new CestaError('protocol.out-of-order', 'report: training has not started');
  }
  if (round.phase !== 'training' || stateOf(round.members, participant) !== 'working') {
    throw new CestaError('round.not-member', 'report: expected one of a working member of an open round');
  }
  try {
    aggregation.announce(participant, { length, sha256 });
  } catch (error) {
    const coded = toCestaError(error);
    if (coded.code === 'update.wrong-length') exclude(runner, participant, coded);
    throw coded;
  }
}

function acceptChunk(runner: Runner, participant: string, { round, offset, data }: Chunk): void {
  if (round !== runner.plan.round) throw new CestaError('update.wrong-round', `round: expected ${runner.plan.round}, got ${round}`);
  if (runner.masked !== null) return runner.masked.chunk(participant, offset, data);
  try {
    if (runner.aggregation?.take(participant, offset, data) === 'complete') dispatch(runner, { kind: 'report', participant, now: runner.context.clock.now() });
  } catch (error) {
    exclude(runner, participant, toCestaError(error));
    throw error;
  }
}

/** Nothing of the participant is summed in this round, unless it is already. */
function exclude(runner: Runner, participant: string, { code, message }: CestaError): void {
  const { context, plan } = runner;
  context.logger.warn({ participant, round: plan.round, code, reason: message }, 'participant excluded');
  forget(runner, participant);
  if (!isOver(runner.round) && !hasReported(runner.round, participant)) runner.receipts.exclude(participant, code);
  dispatch(runner, { kind: 'misbehave', participant, code, now: context.clock.now() });
}

function resume(runner: Runner, participant: string): void {
  const { round, context } = runner;
  // What was under way on the old connection starts afresh.
  runner.aggregation?.discard(participant);
  if (hasReported(round, participant)) return acceptAgain(runner, participant);
  if (round.phase === 'recruiting' && stateOf(round.invited, participant) === 'pending') return invite(runner, participant);
  if (round.phase !== 'training') return;
  if (stateOf(round.members, participant) === 'working' && runner.isTraining) return train(runner, participant, round.deadline);
  dispatch(runner, { kind: 'return', participant, now: context.clock.now() });
}

function hasReported(round: Round, participant: string): boolean {
  switch (round.phase) {
    case 'training':
      return stateOf(round.members, participant) === 'reported';
    case 'releasing':
    case 'done':
      return round.reported.includes(participant);
    case 'recruiting':
    // Who lost its connection in a masked session is out of it.
    case 'masking':
    case 'failed':
      return false;
    default:
      return round satisfies never;
  }
}
