/**
 * The participant of `cesta/silo-secagg/v1` as a pure machine: IDLE -> ADVERTISED -> SHARED -> MASKED -> CONFIRMED ->
 * DONE, or ABORTED from anywhere. Papers: Bonawitz et al. 2017 (the variant against an active coordinator), Bell et
 * al. 2020. Guarantee: whatever the coordinator sends, it learns at most one sum, of at least `minParticipants` vectors
 * that this one is part of, unless a third or more of the participants collude with it.
 * Does not protect against: what the sum itself says (that is the noise's task), or a member that reports nonsense.
 * The caller runs one step at a time; a participant that restarts within a round stops, and never comes back to it.
 */
import { hexToBytes } from '../protocol/digest.ts';
import { CestaError, toCestaError } from '../protocol/errors.ts';
import { membersOf, sameBytes } from './bytes.ts';
import { parseCoordinatorMessage, type CoordinatorMessage, type MessageOf } from './messages.ts';
import { acceptOpenings, acceptRoster, advertise } from './participant-deal.ts';
import { acceptShares, maskReport } from './participant-mask.ts';
import type { Evidence, ParticipantContext, ParticipantEvent, ParticipantState, ParticipantStep, StateOf } from './participant-state.ts';
import { confirmSurvivors, reveal } from './participant-unmask.ts';
import { readRoster, type Roster } from './roster.ts';
import { survivorsHash, survivorsStatement } from './session.ts';

export const idleParticipant: ParticipantState = { kind: 'idle' };

/**
 * One step. It never rejects: whatever is wrong aborts, and an aborted participant has erased its secrets. The state
 * passed in is spent, since erasing overwrites what it held.
 * @example
 * let [state, effects] = await participantStep(context, idleParticipant, { kind: 'start' });
 */
export async function participantStep(context: ParticipantContext, state: ParticipantState, event: ParticipantEvent): Promise<ParticipantStep> {
  if (state.kind === 'done' || state.kind === 'aborted') return [state, []];
  try {
    const step = await transition(context, state, event);
    if (step[0].kind === 'done' || step[0].kind === 'aborted') erase(state);
    return step;
  } catch (thrown) {
    erase(state);
    return abort(toCestaError(thrown));
  }
}

function abort({ code, message }: CestaError, evidence?: Evidence): ParticipantStep {
  return [{ kind: 'aborted', code, message }, [
    { kind: 'send', message: { kind: 'abort', code, message: message.slice(0, 2000) } },
    { kind: 'aborted', code, message, ...(evidence === undefined ? {} : { evidence }) },
  ]];
}

function equivocation(evidence: Evidence): ParticipantStep {
  return abort(new CestaError('secagg.equivocation', `${evidence.of}: expected one for this round, got two that the coordinator signed`), evidence);
}

async function transition(context: ParticipantContext, state: ParticipantState, event: ParticipantEvent): Promise<ParticipantStep> {
  switch (event.kind) {
    case 'start':
      if (state.kind !== 'idle') throw outOfOrder('start', state);
      return advertise(context);
    case 'message':
      return receive(context, state, parseCoordinatorMessage(event.message));
    case 'report':
      if (state.kind !== 'ready') throw outOfOrder('report', state);
      return maskReport(context, state, event.vector);
    case 'stop':
      throw new CestaError('secagg.aborted', `participant: expected to finish the round, got ${event.reason}`);
    default:
      return event satisfies never;
  }
}

/** Each message has one place. A repeated roster or survivor set is idle talk if it is the same, and evidence if not. */
async function receive(context: ParticipantContext, state: ParticipantState, message: CoordinatorMessage): Promise<ParticipantStep> {
  switch (message.kind) {
    case 'roster':
      if (state.kind === 'advertised' && state.roster === null) return acceptRoster(context, state, message);
      return repeatedRoster(context, state, message);
    case 'openings':
      if (state.kind === 'advertised') return acceptOpenings(context, state, message);
      throw outOfOrder('openings', state);
    case 'forward':
      if (state.kind === 'shared') return acceptShares(context, state, message);
      throw outOfOrder('forward', state);
    case 'survivors':
      if (state.kind === 'masked') return confirmSurvivors(context, state, message);
      if (state.kind === 'confirmed') return repeatedSurvivors(context, state, message);
      throw outOfOrder('survivors', state);
    case 'confirmations':
      if (state.kind === 'confirmed') return reveal(context, state, message);
      throw outOfOrder('confirmations', state);
    default:
      return message satisfies never;
  }
}

async function repeatedRoster({ crypto, terms, directory }: ParticipantContext, state: ParticipantState, message: MessageOf<'roster'>): Promise<ParticipantStep> {
  const first = rosterOfState(state);
  if (first === null) throw outOfOrder('roster', state);
  const second = await readRoster(crypto, terms, directory, message);
  if (sameBytes(first.root, second.root)) return [state, []];
  return equivocation({
    of: 'roster',
    sessionId: first.sessionId,
    first: { digest: first.root, signature: first.signature },
    second: { digest: second.root, signature: second.signature },
  });
}

async function repeatedSurvivors({ crypto, terms }: ParticipantContext, state: StateOf<'confirmed'>, { members, signature }: MessageOf<'survivors'>): Promise<ParticipantStep> {
  const hash = survivorsHash(state.session, membersOf('survivors', state.session.roster.entries.length, members));
  if (sameBytes(hash, state.survivorsHash)) return [state, []];
  if (!(await crypto.verify(hexToBytes(terms.coordinatorKey), signature, survivorsStatement(state.session, hash)))) throw outOfOrder('survivors without a valid signature', state);
  return equivocation({
    of: 'survivors',
    sessionId: state.session.roster.sessionId,
    first: { digest: state.survivorsHash, signature: state.survivorsSignature },
    second: { digest: hash, signature },
  });
}

function rosterOfState(state: ParticipantState): Roster | null {
  switch (state.kind) {
    case 'advertised':
      return state.roster;
    case 'shared':
    case 'ready':
    case 'masked':
    case 'confirmed':
      return state.session.roster;
    case 'idle':
    case 'done':
    case 'aborted':
      return null;
    default:
      return state satisfies never;
  }
}

function outOfOrder(what: string, { kind }: ParticipantState): CestaError {
  return new CestaError('protocol.out-of-order', `${what}: expected in another state, got it in ${kind}`);
}

/** Overwrites every secret of a state: after the round nobody can be made to reveal it. */
function erase(state: ParticipantState): void {
  if (state.kind === 'advertised') for (const secret of [state.cipherSecret, state.maskSecret, state.nonce]) secret.fill(0);
  if ('seed' in state) for (const secret of [state.seed, state.noiseRoot]) secret.fill(0);
  if ('pairs' in state) for (const { boxKey, maskKey } of state.pairs) [boxKey, maskKey].forEach((secret) => secret.fill(0));
  if ('shares' in state) for (const share of state.shares.values()) share.fill(0);
  if (state.kind === 'ready') state.noise?.fill(0);
}
