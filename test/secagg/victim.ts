/** One honest participant, stopped in each of its states, so that a test can play a lying coordinator against it. */
import { expect } from 'vitest';
import type { ErrorCode } from '../../shared/protocol/error-table.ts';
import { bitmapOf } from '../../shared/secagg/bytes.ts';
import type { CoordinatorMessage, MessageOf, ParticipantMessage } from '../../shared/secagg/messages.ts';
import { idleParticipant, participantStep } from '../../shared/secagg/participant.ts';
import type { Evidence, ParticipantContext, ParticipantEffect, ParticipantEvent, ParticipantState } from '../../shared/secagg/participant-state.ts';
import { rootOf, rosterMessage, rosterOf, rosterStatement, type RosterEntry } from '../../shared/secagg/roster.ts';
import { signBytes, survivorsHash, survivorsStatement, type Session } from '../../shared/secagg/session.ts';
import type { Terms } from '../../shared/secagg/terms.ts';
import { openQuiet } from './attacks.ts';
import { coordinator, idOf, run, type SessionOptions } from './session.ts';

/** The number of the honest participant under attack. */
export const victim = 2;
export const victimId = idOf(victim);

export type Stage = 'idle' | 'advertised' | 'shared' | 'ready' | 'masked' | 'confirmed';
export const stages: readonly Stage[] = ['idle', 'advertised', 'shared', 'ready', 'masked', 'confirmed'];

export interface Victim {
  readonly context: ParticipantContext;
  /** A copy of its state: a step spends what it is given. */
  readonly in: (stage: Stage) => ParticipantState;
  /** What an honest coordinator sent it. */
  readonly sent: ReadonlyMap<CoordinatorMessage['kind'], CoordinatorMessage>;
  /** What everybody sent the coordinator. */
  readonly view: readonly { readonly from: string; readonly message: ParticipantMessage }[];
  readonly session: Session;
}

/** Plays an honest round and keeps the victim's state before each message. */
export async function victimOf(options: SessionOptions): Promise<Victim> {
  const states = new Map<Stage, ParticipantState>([['idle', idleParticipant]]);
  const sent = new Map<CoordinatorMessage['kind'], CoordinatorMessage>();
  const world = openQuiet({
    ...options,
    toParticipant: (message, to) => {
      const state = world.participants.get(to)?.state;
      if (to === victimId && state !== undefined && state.kind !== 'done' && state.kind !== 'aborted') {
        if (!states.has(state.kind)) states.set(state.kind, structuredClone(state));
        sent.set(message.kind, message);
      }
      return message;
    },
  });
  await run(world);
  const context = world.participants.get(victimId)?.context;
  const shared = states.get('shared');
  const forward = sent.get('forward');
  const masked = states.get('masked');
  if (context === undefined || shared === undefined || forward === undefined || masked?.kind !== 'masked') throw new Error('expected an honest round');
  const [ready] = await participantStep(context, structuredClone(shared), { kind: 'message', message: forward });
  states.set('ready', ready);
  return {
    context, sent, view: world.view, session: masked.session,
    in: (stage) => {
      const state = states.get(stage);
      if (state?.kind !== stage) throw new Error(`expected to have seen ${stage}`);
      return structuredClone(state);
    },
  };
}

export function sentBy<Kind extends CoordinatorMessage['kind']>({ sent }: Victim, kind: Kind): MessageOf<Kind> {
  const message = sent.get(kind);
  if (message?.kind !== kind) throw new Error(`expected a ${kind}`);
  return message as MessageOf<Kind>;
}

/** Entries that participants advertised. */
export function entriesOf({ view }: Pick<Victim, 'view'>): RosterEntry[] {
  return view.flatMap(({ message }) => {
    if (message.kind !== 'advertise') return [];
    const { id, cipherKey, maskKey, nonceHash, signature } = message;
    return [{ id, cipherKey, maskKey, nonceHash, signature }];
  });
}

/** The coordinator's roster of these entries, in its order or, `asGiven`, in this one. */
export function rosterFor(terms: Terms, entries: readonly RosterEntry[], asGiven = false): MessageOf<'roster'> {
  const sign = (statement: Uint8Array): Uint8Array => signBytes(coordinator, statement);
  if (!asGiven) return rosterMessage(rosterOf(terms, entries, sign));
  const root = rootOf(entries);
  return rosterMessage({ entries, root, sessionId: new Uint8Array(32), signature: sign(rosterStatement(terms, root)) });
}

export function survivorsFor(session: Session, members: readonly number[], key = coordinator): MessageOf<'survivors'> {
  return { kind: 'survivors', members: bitmapOf(session.roster.entries.length, members), signature: signBytes(key, survivorsStatement(session, survivorsHash(session, members))) };
}

/**
 * The victim, in this state, meets these messages: it must abort with this code, reveal nothing, keep no secret, and
 * stay deaf to the honest messages of the round.
 */
export async function expectAbort(target: Victim, stage: Stage, event: ParticipantEvent | CoordinatorMessage, code: ErrorCode): Promise<Evidence | undefined> {
  const before = target.in(stage);
  const [state, effects] = await participantStep(target.context, before, isEvent(event) ? event : { kind: 'message', message: event });
  expect(state).toMatchObject({ kind: 'aborted', code });
  expect(Object.keys(state).sort()).toEqual(['code', 'kind', 'message']);
  expect(secretsIn(before).every((secret) => secret.every((byte) => byte === 0))).toBe(true);
  const later: ParticipantEffect[] = [];
  for (const message of target.sent.values()) later.push(...(await participantStep(target.context, state, { kind: 'message', message }))[1]);
  expect(later).toEqual([]);
  const messages = effects.flatMap((effect) => (effect.kind === 'send' ? [effect.message.kind] : []));
  expect(messages).toEqual(['abort']);
  expect(effects.some(({ kind }) => kind === 'record-release')).toBe(false);
  return effects.flatMap((effect) => (effect.kind === 'aborted' && effect.evidence !== undefined ? [effect.evidence] : []))[0];
}

function isEvent(event: ParticipantEvent | CoordinatorMessage): event is ParticipantEvent {
  return event.kind === 'start' || event.kind === 'message' || event.kind === 'report' || event.kind === 'stop';
}

export function secretsIn(state: ParticipantState): Uint8Array[] {
  const secrets: Uint8Array[] = [];
  if (state.kind === 'advertised') secrets.push(state.cipherSecret, state.maskSecret, state.nonce);
  if ('seed' in state) secrets.push(state.seed, state.noiseRoot);
  if ('pairs' in state) secrets.push(...state.pairs.flatMap(({ boxKey, maskKey }) => [boxKey, maskKey]));
  if ('shares' in state) secrets.push(...state.shares.values());
  return secrets;
}
