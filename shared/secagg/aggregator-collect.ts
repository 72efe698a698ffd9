/** One answer at a time: each is checked in full before it changes anything. A check that fails throws and names its sender. */
import { hexToBytes } from '../protocol/digest.ts';
import { CestaError } from '../protocol/errors.ts';
import type { AggregatorContext, AggregatorStateOf, CollectingState, Dealing, Revealed, Signed } from './aggregator-state.ts';
import { invalid, membersOf, recordOf, requireLength, sameBytes } from './bytes.ts';
import { neighboursOf, placeAmongNeighbours } from './graph.ts';
import { statement as statementOf } from './labels.ts';
import type { MessageOf, ParticipantMessage } from './messages.ts';
import { chainEnd } from './noise-chain.ts';
import { addPacked, requirePacked } from './ring.ts';
import { advertiseStatement, requireFullOrder, requireNewKeys, type Directory, type Roster, type RosterEntry } from './roster.ts';
import { boxBytes, commitmentRowBytes, isCommitted, slotName } from './sealed-share.ts';
import { confirmStatement, firstRemoved, maskedStatement, nonceHashOf, seedCommitmentOf, sharesStatement, slotsToReveal, unmaskStatement, type Session } from './session.ts';
import { shareBytes } from './shamir.ts';
import { componentsOf, type Terms } from './terms.ts';

/** An accepted answer: the new state (still waiting for others), and what was wrong with parts that could be left out. */
export type Collected<State extends CollectingState = CollectingState> = readonly [State, CestaError | null];

export type AnswerMessage = Exclude<ParticipantMessage, { kind: 'abort' }>;

/** What answers each state. */
const answerTo: Readonly<Record<CollectingState['kind'], AnswerMessage['kind']>> = {
  keys: 'advertise', nonces: 'nonce', shares: 'shares', masked: 'masked', confirm: 'confirm', unmask: 'unmask',
};

/**
 * What the sender of a message signed, once the signature is found right.
 * @throws CestaError `secagg.invalid` for another sender, an unknown one or a signature that does not verify;
 * `protocol.out-of-order` for a message of another state.
 */
export async function openAnswer(context: AggregatorContext, state: CollectingState, from: string, message: AnswerMessage): Promise<Signed> {
  if (message.kind !== answerTo[state.kind]) throw new CestaError('protocol.out-of-order', `${message.kind}: expected ${answerTo[state.kind]} in ${state.kind}, got this`);
  const publicKey = senderKey(context.directory, state, from, message);
  // The hash committed to is what binds a nonce: it carries no signature, and there is no second one to show.
  if (message.kind === 'nonce' && state.kind === 'nonces') requireOpening(state.roster, message);
  if (message.kind === 'nonce') return { statement: statementOf('nonce', message.nonce), signature: new Uint8Array(0) };
  const statement = await signedPart(context, state, message);
  if (!(await context.crypto.verify(publicKey, message.signature, statement))) throw invalid('signature', `one of ${from} over this ${message.kind}`, 'another');
  return { statement, signature: message.signature };
}

function senderKey(directory: Directory, state: CollectingState, from: string, message: AnswerMessage): Uint8Array {
  const publicKey = directory.get(from);
  if (publicKey === undefined) throw invalid('sender', 'a shop of the directory', from);
  if (message.kind === 'advertise') {
    if (message.id !== from) throw invalid('id', from, message.id);
  } else if (rosterOfState(state)?.[message.from]?.id !== from) throw invalid('from', `the number of ${from}`, message.from);
  return hexToBytes(publicKey);
}

function rosterOfState(state: CollectingState): readonly RosterEntry[] | undefined {
  if (state.kind === 'keys') return undefined;
  return state.kind === 'nonces' ? state.roster.entries : state.session.roster.entries;
}

/** The bytes under a signature, after the lengths that they hash over are found right. */
async function signedPart({ terms, crypto }: AggregatorContext, state: CollectingState, message: Exclude<AnswerMessage, { kind: 'nonce' }>): Promise<Uint8Array> {
  if (message.kind === 'advertise') return advertiseStatement(terms, message);
  if (state.kind === 'keys' || state.kind === 'nonces') throw new CestaError('internal', `${message.kind}: expected a session, got ${state.kind}`);
  const { session } = state;
  switch (message.kind) {
    case 'shares':
      return sharesStatement(session, message);
    case 'masked':
      requirePacked(message.vector, terms.length, terms.modulusBits);
      return maskedStatement(session, message.from, await crypto.sha256(message.vector), message.unopened);
    case 'confirm':
      return confirmStatement(session, survivorsOf(state));
    case 'unmask':
      return unmaskStatement(session, survivorsOf(state), message);
    default:
      return message satisfies never;
  }
}

function survivorsOf(state: CollectingState): Uint8Array {
  if (state.kind === 'confirm' || state.kind === 'unmask') return state.survivorsHash;
  throw new CestaError('internal', `survivors: expected them to be fixed, got ${state.kind}`);
}

/** Takes in an answer that {@link openAnswer} found genuine. @throws CestaError for an answer that is wrong. */
export async function collect(context: AggregatorContext, state: CollectingState, message: AnswerMessage, from: { readonly id: string; readonly signed: Signed }): Promise<Collected> {
  const next = answered(state, from.id, from.signed);
  if (next.kind === 'keys' && message.kind === 'advertise') return collectKeys(context, next, message);
  if (next.kind === 'nonces' && message.kind === 'nonce') return collectNonce(next, message);
  if (next.kind === 'shares' && message.kind === 'shares') return collectShares(context, next, message);
  if (next.kind === 'masked' && message.kind === 'masked') return collectVector(context, next, message);
  if (next.kind === 'confirm' && message.kind === 'confirm') return [{ ...next, confirmations: new Map(next.confirmations).set(message.from, message.signature) }, null];
  if (next.kind === 'unmask' && message.kind === 'unmask') return collectReveal(context, next, message);
  throw new CestaError('internal', `${message.kind}: expected to be checked before, got it in ${state.kind}`);
}

function answered<State extends CollectingState>(state: State, from: string, signed: Signed): State {
  const waiting = new Set(state.waiting);
  waiting.delete(from);
  return { ...state, waiting, answers: new Map(state.answers).set(from, signed) };
}

async function collectKeys({ crypto }: AggregatorContext, state: AggregatorStateOf<'keys'>, message: MessageOf<'advertise'>): Promise<Collected> {
  const { id, cipherKey, maskKey, nonceHash, signature } = message;
  const entry: RosterEntry = { id, cipherKey, maskKey, nonceHash, signature };
  await requireFullOrder(crypto, entry);
  requireNewKeys(state.entries.values(), entry);
  const entries = new Map(state.entries).set(id, entry);
  return [{ ...state, entries }, null];
}

function collectNonce(state: AggregatorStateOf<'nonces'>, { from, nonce }: MessageOf<'nonce'>): Collected {
  return [{ ...state, nonces: new Map(state.nonces).set(from, nonce) }, null];
}

function requireOpening({ entries }: Roster, { from, nonce }: MessageOf<'nonce'>): void {
  if (!sameBytes(nonceHashOf(nonce), entries[from].nonceHash)) throw invalid('nonce', 'the one committed to', 'another');
}

function collectShares({ terms }: AggregatorContext, state: AggregatorStateOf<'shares'>, message: MessageOf<'shares'>): Collected {
  const components = componentsOf(terms);
  const holders = neighboursOf(state.session.graph, message.from).length;
  requireLength('chainEnd', message.chainEnd, components === 0 ? 0 : 32);
  requireLength('boxes', message.boxes, holders * boxBytes(components));
  requireLength('commitments', message.commitments, holders * commitmentRowBytes(components));
  const { seedCommitment, chainEnd: end, commitments } = message;
  const dealings = new Map(state.dealings).set(message.from, { seedCommitment, chainEnd: end, commitments });
  return [{ ...state, dealings, boxes: new Map(state.boxes).set(message.from, message.boxes) }, null];
}

/** Adds the vector to the one sum, after every check: a refused vector leaves no trace, an accepted one needs no memory. */
function collectVector({ terms }: AggregatorContext, state: AggregatorStateOf<'masked'>, message: MessageOf<'masked'>): Collected {
  const unopened = new Set(membersOf('unopened', state.session.roster.entries.length, message.unopened));
  addPacked(state.sum, message.vector, terms.modulusBits);
  return [{ ...state, reported: new Map(state.reported).set(message.from, unopened) }, null];
}

/** A wrong share or seed is left out and blamed; the right ones beside it still count. */
function collectReveal(context: AggregatorContext, state: AggregatorStateOf<'unmask'>, message: MessageOf<'unmask'>): Collected {
  const { terms } = context;
  const { session, dealings, reported } = state;
  const { from } = message;
  const unopened = reported.get(from);
  const dealers = new Set([...dealings.keys()].filter((dealer) => unopened?.has(dealer) !== true));
  const slots = slotsToReveal(terms, session, { holder: from, dealers, survivors: new Set(reported.keys()) });
  const removed = firstRemoved(terms, session, reported.size);
  requireLength('shares', message.shares, slots.length * shareBytes);
  requireLength('noiseKey', message.noiseKey, removed === null ? 0 : 32);
  let wrong: CestaError | null = null;
  const shares = new Map<string, Uint8Array>();
  slots.forEach(({ dealer, slot }, i) => {
    const share = recordOf(message.shares, i, shareBytes);
    if (isRightShare(context, session, dealings, { dealer, holder: from, slot, share })) shares.set(slotName(dealer, slot), share);
    else wrong ??= invalid(`share of ${session.roster.entries[dealer].id}`, 'the one that was dealt', 'another');
  });
  const dealing = dealings.get(from);
  const seed = isOwnSeed(session, dealing, from, message.seed) ? message.seed : null;
  const noiseKey = isOwnNoiseKey(terms, session, dealing, { key: message.noiseKey, survivors: reported.size }) ? message.noiseKey : null;
  if (seed === null) wrong ??= invalid('seed', 'the one committed to', 'another');
  if (noiseKey === null && removed !== null) wrong ??= invalid('noiseKey', 'the one committed to', 'another');
  const revealed: Revealed = { seed, noiseKey, shares };
  return [{ ...state, revealed: new Map(state.revealed).set(from, revealed) }, wrong];
}

interface HeldShare {
  readonly dealer: number;
  readonly holder: number;
  readonly slot: number;
  readonly share: Uint8Array;
}

function isRightShare({ terms, crypto }: AggregatorContext, { roster, graph }: Session, dealings: ReadonlyMap<number, Dealing>, { dealer, holder, slot, share }: HeldShare): boolean {
  const dealing = dealings.get(dealer);
  if (dealing === undefined) return false;
  const row = recordOf(dealing.commitments, placeAmongNeighbours(graph, dealer, holder), commitmentRowBytes(componentsOf(terms)));
  return isCommitted(crypto, { sessionId: roster.sessionId, dealer, holder }, { slot, share }, row);
}

export function isOwnSeed(session: Session, dealing: Dealing | undefined, member: number, seed: Uint8Array): boolean {
  return dealing !== undefined && sameBytes(seedCommitmentOf(session, member, seed), dealing.seedCommitment);
}

/** Whether `key` is that of the first removed component: the published end of the chain follows from it. */
export function isOwnNoiseKey(terms: Terms, session: Session, dealing: Dealing | undefined, { key, survivors }: { key: Uint8Array; survivors: number }): boolean {
  const first = firstRemoved(terms, session, survivors);
  if (first === null || dealing === undefined || key.length !== 32) return false;
  return sameBytes(chainEnd(key, componentsOf(terms) - first + 1), dealing.chainEnd);
}
