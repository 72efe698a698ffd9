/** What a cheat needs: signatures of its own key over what it likes, and boxes and shares as it likes them. */
import { sha256 } from '@noble/hashes/sha2.js';
import type { SigningKey } from '../../shared/ledger/signing-key.ts';
import { concatenated } from '../../shared/secagg/bytes.ts';
import type { MessageOf, ParticipantMessage } from '../../shared/secagg/messages.ts';
import { advertiseStatement } from '../../shared/secagg/roster.ts';
import { commitmentRow } from '../../shared/secagg/sealed-share.ts';
import { confirmStatement, maskedStatement, sharesStatement, signBytes, unmaskStatement, type Session } from '../../shared/secagg/session.ts';
import type { Terms } from '../../shared/secagg/terms.ts';
import { idOf, keyOf, openWorld, reportOf, sumOf, termsOf, type SessionOptions, type World } from './session.ts';

/** The member that cheats. */
export const cheat = 1;

/** One dropout is tolerated, and noise is zero, so that every sum is exact. */
export const cheatTerms = (overrides: Partial<Terms> = {}): Terms => termsOf({ length: 5, modulusBits: 20, noise: { tolerated: 1 }, ...overrides });

export function openQuiet(options: SessionOptions): World {
  const terms = options.terms ?? cheatTerms();
  return openWorld({ noiseOf: () => new Int32Array(terms.length), ...options, terms });
}

export function sessionOf({ aggregator: { state } }: World): Session {
  if (!('session' in state)) throw new Error(`expected a session, got ${state.kind}`);
  return state.session;
}

function survivorsHashOf({ aggregator: { state } }: World): Uint8Array {
  return 'survivorsHash' in state ? state.survivorsHash : new Uint8Array(32);
}

function statementOf(world: World, message: Exclude<ParticipantMessage, { kind: 'abort' | 'nonce' }>): Uint8Array {
  switch (message.kind) {
    case 'advertise':
      return advertiseStatement(world.terms, message);
    case 'shares':
      return sharesStatement(sessionOf(world), message);
    case 'masked':
      return maskedStatement(sessionOf(world), message.from, sha256(message.vector), message.unopened);
    case 'confirm':
      return confirmStatement(sessionOf(world), survivorsHashOf(world));
    case 'unmask':
      return unmaskStatement(sessionOf(world), survivorsHashOf(world), message);
    default:
      return message satisfies never;
  }
}

/** The message with a right signature over whatever it says now. */
export function signed(world: World, message: ParticipantMessage, key: SigningKey = keyOf(cheat)): ParticipantMessage {
  if (message.kind === 'abort' || message.kind === 'nonce') return message;
  return { ...message, signature: signBytes(key, statementOf(world, message)) };
}

export function flipped(bytes: Uint8Array, at = 0): Uint8Array {
  const changed = bytes.slice();
  changed[at] ^= 1;
  return changed;
}

/** Binary fields of a message. */
export function binaryFields(message: ParticipantMessage): [string, Uint8Array][] {
  return Object.entries(message).filter((entry): entry is [string, Uint8Array] => entry[1] instanceof Uint8Array);
}

/**
 * Lets the cheat deal to some holders (by their place among the others) what is not on its polynomial: with
 * commitments to it, so that the boxes open, or without, so that they do not.
 */
export function misdeal(world: World, options: { readonly places: readonly number[]; readonly isCommitted: boolean }): (message: MessageOf<'shares'>) => ParticipantMessage {
  const participant = world.participants.get(idOf(cheat));
  if (participant === undefined) throw new Error('expected the cheat to take part');
  const { crypto } = participant.context;
  const sealed: Uint8Array[] = [];
  const seal: typeof crypto.seal = (key, plaintext, associated) => {
    const bundle = options.places.includes(sealed.length) ? plaintext.map((byte) => byte ^ 0x55) : plaintext.slice();
    sealed.push(bundle);
    return crypto.seal(key, bundle, associated);
  };
  world.participants.set(idOf(cheat), { ...participant, context: { ...participant.context, crypto: { ...crypto, seal } } });
  return (message) => {
    if (!options.isCommitted) return message;
    const { roster: { sessionId } } = sessionOf(world);
    const rows = sealed.map((bundle, place) => commitmentRow(crypto, { sessionId, dealer: cheat, holder: place < cheat ? place : place + 1 }, bundle));
    return signed(world, { ...message, commitments: concatenated(rows) });
  };
}

/** Whether the round ended with the sum of just these survivors. */
export function hasExactSum({ aggregator: { state }, ids, terms }: World): boolean {
  if (state.kind !== 'done') return false;
  const expected = sumOf(state.result.survivors.map((id) => reportOf(ids.indexOf(id), terms.length)), terms.length);
  return expected.every((value, i) => value === state.result.sum[i]);
}
