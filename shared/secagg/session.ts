/** What both sides of a session compute alike: the statements that members sign, and what their shares are of. */
import { sha256 } from '@noble/hashes/sha2.js';
import { hexToBytes } from '../protocol/digest.ts';
import type { SigningKey } from '../ledger/signing-key.ts';
import { CestaError } from '../protocol/errors.ts';
import { bitmapOf, concatenated } from './bytes.ts';
import type { SecaggCrypto } from './crypto.ts';
import { completeGraph, graphParameters, hararyGraph, neighboursOf, type Graph } from './graph.ts';
import { labelledHash, statement } from './labels.ts';
import type { MessageOf } from './messages.ts';
import type { Roster } from './roster.ts';
import { maskKeySlot, noiseSlot, seedSlot } from './sealed-share.ts';
import { componentsOf, termsHash, type Terms } from './terms.ts';
import { completeThreshold } from './thresholds.ts';

export interface Session {
  readonly roster: Roster;
  readonly graph: Graph;
  /** Members that may deal: of a Harary graph, those whose nonce made it. Leaving one out costs its vector. */
  readonly opened: ReadonlySet<number>;
}

export function signBytes(key: SigningKey, bytes: Uint8Array): Uint8Array {
  return hexToBytes(key.sign(bytes));
}

/**
 * `nonces` are those that were opened, in rising order of their members; a complete graph needs none. All of them are
 * hashed, since an exclusive or would cancel where a member copies another's. The session id of a Harary round covers
 * them too: members that were shown different openings stand in different graphs, and must share nothing.
 * @throws CestaError `secagg.too-few` where fewer opened than may survive.
 */
export async function openSession(crypto: SecaggCrypto, terms: Terms, roster: Roster, nonces: ReadonlyMap<number, Uint8Array>): Promise<Session> {
  const participants = roster.entries.length;
  if (terms.graph.kind === 'complete') return { roster, graph: completeGraph(participants), opened: new Set(roster.entries.keys()) };
  const mixed = labelledHash('openings', bitmapOf(participants, nonces.keys()), concatenated([...nonces.values()]));
  const seed = labelledHash('graph', termsHash(terms), roster.root, mixed);
  const graph = await hararyGraph(crypto, participants, graphParameters(terms, participants), seed);
  const session: Session = { roster: { ...roster, sessionId: labelledHash('opened-session', roster.sessionId, mixed) }, graph, opened: new Set(nonces.keys()) };
  requireSurvivors(terms, session, nonces.size);
  return session;
}

export function nonceHashOf(nonce: Uint8Array): Uint8Array {
  return labelledHash('nonce', nonce);
}

export function seedCommitmentOf({ roster }: Session, member: number, seed: Uint8Array): Uint8Array {
  return labelledHash('seed', roster.sessionId, member, seed);
}

export function sharesStatement({ roster }: Session, { from, seedCommitment, chainEnd, boxes, commitments }: Omit<MessageOf<'shares'>, 'signature' | 'kind'>): Uint8Array {
  return statement('r1', roster.sessionId, from, seedCommitment, chainEnd, sha256(boxes), sha256(commitments));
}

export function maskedStatement({ roster }: Session, from: number, vectorHash: Uint8Array, unopened: Uint8Array): Uint8Array {
  return statement('r2', roster.sessionId, from, vectorHash, unopened);
}

export function survivorsHash({ roster }: Session, survivors: Iterable<number>): Uint8Array {
  return labelledHash('survivors', roster.sessionId, bitmapOf(roster.entries.length, survivors));
}

/** What the coordinator signs when it names the survivors. */
export function survivorsStatement({ roster }: Session, hash: Uint8Array): Uint8Array {
  return statement('survivors', roster.sessionId, hash);
}

/** What a member signs to confirm them. */
export function confirmStatement({ roster }: Session, hash: Uint8Array): Uint8Array {
  return statement('r3', roster.sessionId, hash);
}

export function unmaskStatement({ roster }: Session, hash: Uint8Array, { from, seed, noiseKey, shares }: Omit<MessageOf<'unmask'>, 'signature' | 'kind'>): Uint8Array {
  return statement('r4', roster.sessionId, hash, from, seed, noiseKey, sha256(shares));
}

/**
 * Whether so many survivors leave enough noise and enough of a crowd.
 * @throws CestaError `secagg.too-few`
 */
export function requireSurvivors(terms: Terms, { roster }: Pick<Session, 'roster'>, survivors: number): void {
  const participants = roster.entries.length;
  const fewest = fewestSurvivors(terms, participants);
  if (survivors < fewest) throw new CestaError('secagg.too-few', `survivors: expected at least ${fewest}, got ${survivors}`);
  const dropped = participants - survivors;
  if (terms.noise !== null && dropped > terms.noise.tolerated) throw new CestaError('secagg.too-few', `dropouts: expected at most ${terms.noise.tolerated}, beyond which too little noise is left, got ${dropped}`);
}

/** Of a roster of so many; a round may need more of them for its noise. The degree and threshold of a Harary graph are secure for so many dropouts and no more. */
export function fewestSurvivors({ graph, minParticipants }: Pick<Terms, 'graph' | 'minParticipants'>, participants: number): number {
  return Math.max(minParticipants, graph.kind === 'complete' ? completeThreshold(participants) : participants - Math.floor(graph.dropoutFraction * participants));
}

/**
 * Signatures over one survivor set without which nothing is revealed: of two sets with so many each, more members than may be corrupt
 * would have signed both. Neighbours alone do not tell: far from them, a coordinator could have another set confirmed, and so
 * have less noise left in than all dropouts together call for.
 */
export function confirmationsNeeded(terms: Pick<Terms, 'graph'>, { roster, graph }: { readonly roster: Pick<Roster, 'entries'>; readonly graph: Pick<Graph, 'threshold'> }): number {
  if (terms.graph.kind === 'complete') return graph.threshold;
  const participants = roster.entries.length;
  return Math.floor((participants + Math.ceil(terms.graph.corruptFraction * participants)) / 2) + 1;
}

/** The first component that survivors remove, or null where dropouts used up all of them. A component that one dropout began on stays. */
export function firstRemoved(terms: Terms, { roster }: Session, survivors: number): number | null {
  const first = Math.ceil((roster.entries.length - survivors) / (terms.noise?.dropoutStep ?? 1)) + 1;
  return first <= componentsOf(terms) ? first : null;
}

/** One share that a holder reveals. */
export interface RevealedSlot {
  readonly dealer: number;
  readonly slot: number;
}

/**
 * What `holder` reveals once the survivor set is confirmed, in the order it travels: for a neighbour that survived,
 * its seed (and noise key); for one that dealt shares and then dropped out, its mask key. Both sides derive this list
 * from one signed set, so that nobody can ask for both secrets of one member.
 */
export function slotsToReveal(terms: Terms, session: Session, { holder, dealers, survivors }: { holder: number; dealers: ReadonlySet<number>; survivors: ReadonlySet<number> }): RevealedSlot[] {
  const first = firstRemoved(terms, session, survivors.size);
  return neighboursOf(session.graph, holder).filter((dealer) => dealers.has(dealer)).flatMap((dealer) => {
    if (!survivors.has(dealer)) return [{ dealer, slot: maskKeySlot }];
    const seed = { dealer, slot: seedSlot };
    return first === null ? [seed] : [seed, { dealer, slot: noiseSlot(first) }];
  });
}
