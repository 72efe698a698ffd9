/** The first half of a participant: fresh keys (R0), the roster, and shares of its secrets for its neighbours (R1). */
import { CestaError } from '../protocol/errors.ts';
import { concatenated, invalid, membersOf, randomBytes, recordOf, requireLength, sameBytes } from './bytes.ts';
import { diffieHellman } from './crypto.ts';
import { neighboursOf, pointsOf } from './graph.ts';
import { sessionKey } from './labels.ts';
import type { MessageOf } from './messages.ts';
import { chainEnd, chainKeys } from './noise-chain.ts';
import type { OwnSession, Pair, ParticipantContext, ParticipantStep, StateOf } from './participant-state.ts';
import { advertiseStatement, readRoster, type Roster } from './roster.ts';
import { boxKey, commitmentRow, pairMaskKey, sealShares } from './sealed-share.ts';
import { nonceHashOf, openSession, seedCommitmentOf, sharesStatement, signBytes } from './session.ts';
import { splitSecret } from './shamir.ts';
import { componentsOf } from './terms.ts';

/** R0: keys that live for one round. */
export async function advertise(context: ParticipantContext): Promise<ParticipantStep> {
  const { terms, id, identity, crypto, random } = context;
  if (terms.noise !== null && context.noiseOf === undefined) throw invalid('noiseOf', 'a function, because the terms have removable noise', 'none');
  const [cipherSecret, maskSecret, nonce] = [randomBytes(random, 32), randomBytes(random, 32), randomBytes(random, 32)];
  const keys = { id, cipherKey: await crypto.x25519PublicKey(cipherSecret), maskKey: await crypto.x25519PublicKey(maskSecret), nonceHash: nonceHashOf(nonce) };
  const entry = { ...keys, signature: signBytes(identity, advertiseStatement(terms, keys)) };
  return [{ kind: 'advertised', cipherSecret, maskSecret, nonce, entry, roster: null }, [{ kind: 'send', message: { kind: 'advertise', ...entry } }]];
}

/** R0': checks the roster; a complete graph deals at once, a Harary graph opens its nonce first. */
export async function acceptRoster(context: ParticipantContext, state: StateOf<'advertised'>, message: MessageOf<'roster'>): Promise<ParticipantStep> {
  const { terms, crypto, directory } = context;
  const roster = await readRoster(crypto, terms, directory, message);
  const member = ownPlace(roster, state);
  if (terms.graph.kind === 'complete') return deal(context, state, roster, new Map());
  return [{ ...state, roster }, [{ kind: 'send', message: { kind: 'nonce', from: member, nonce: state.nonce } }]];
}

/** The opened nonces of a Harary round: each must be the one that was committed to, and the own one among them. */
export async function acceptOpenings(context: ParticipantContext, state: StateOf<'advertised'>, { opened, nonces }: MessageOf<'openings'>): Promise<ParticipantStep> {
  const { roster } = state;
  if (roster === null || context.terms.graph.kind === 'complete') throw new CestaError('protocol.out-of-order', 'openings: expected after the roster of a Harary round, got them elsewhere');
  const members = membersOf('opened', roster.entries.length, opened);
  requireLength('nonces', nonces, members.length * 32);
  const values = new Map(members.map((member, i) => [member, recordOf(nonces, i, 32)]));
  values.forEach((nonce, member) => {
    if (!sameBytes(nonceHashOf(nonce), roster.entries[member].nonceHash)) throw invalid(`nonce of ${roster.entries[member].id}`, 'the one committed to', 'another');
  });
  if (!members.includes(ownPlace(roster, state))) throw invalid('opened', 'the own nonce among them', 'none');
  return deal(context, state, roster, values);
}

function ownPlace({ entries }: Roster, { entry }: StateOf<'advertised'>): number {
  const place = entries.findIndex(({ id }) => id === entry.id);
  if (place < 0) throw invalid('roster', `${entry.id} in it`, 'none');
  const listed = entries[place];
  const isSame = sameBytes(listed.cipherKey, entry.cipherKey) && sameBytes(listed.maskKey, entry.maskKey) && sameBytes(listed.nonceHash, entry.nonceHash);
  if (!isSame) throw invalid(`entry of ${entry.id}`, 'the keys just advertised', 'others');
  return place;
}

/** R1. The Diffie-Hellman secrets are spent here: what is kept is one key per neighbour and purpose. */
async function deal(context: ParticipantContext, state: StateOf<'advertised'>, listed: Roster, nonces: ReadonlyMap<number, Uint8Array>): Promise<ParticipantStep> {
  const { terms, crypto, random, identity } = context;
  const member = ownPlace(listed, state);
  const { graph, roster, opened } = await openSession(crypto, terms, listed, nonces);
  const session: OwnSession = { roster, graph, opened, member, neighbours: neighboursOf(graph, member) };
  const [seed, noiseRoot] = [randomBytes(random, 32), randomBytes(random, 32)];
  const components = componentsOf(terms);
  const points = pointsOf(graph, session.neighbours);
  const secrets = [seed, state.maskSecret, ...chainKeys(noiseRoot, components)];
  const shares = secrets.map((secret) => splitSecret(secret, graph.threshold, points, random));
  const pairs: Pair[] = [];
  const boxes: Uint8Array[] = [];
  const rows: Uint8Array[] = [];
  for (const [place, neighbour] of session.neighbours.entries()) {
    const route = { sessionId: roster.sessionId, dealer: member, holder: neighbour };
    const { outgoing, ...pair } = await agree(context, state, session, neighbour);
    const bundle = concatenated(shares.map((dealt) => dealt[place]));
    pairs.push(pair);
    rows.push(commitmentRow(crypto, route, bundle));
    boxes.push(await sealShares(crypto, outgoing, bundle, route));
    for (const spent of [bundle, outgoing]) spent.fill(0);
  }
  for (const dealt of shares) for (const share of dealt) share.fill(0);
  const content = {
    from: member,
    seedCommitment: seedCommitmentOf(session, member, seed),
    chainEnd: components === 0 ? new Uint8Array(0) : chainEnd(noiseRoot, components),
    boxes: concatenated(boxes),
    commitments: concatenated(rows),
  };
  state.cipherSecret.fill(0);
  state.maskSecret.fill(0);
  const message: MessageOf<'shares'> = { kind: 'shares', ...content, signature: signBytes(identity, sharesStatement(session, content)) };
  return [{ kind: 'shared', session, seed, noiseRoot, pairs }, [{ kind: 'send', message }]];
}

/** The keys shared with one neighbour. @throws CestaError `secagg.invalid` for a point of low order. */
async function agree({ terms, crypto }: ParticipantContext, { cipherSecret, maskSecret }: StateOf<'advertised'>, { roster, member }: OwnSession, neighbour: number): Promise<Pair & { readonly outgoing: Uint8Array }> {
  const { id, cipherKey, maskKey } = roster.entries[neighbour];
  const forBoxes = await diffieHellman(crypto, cipherSecret, cipherKey);
  const forMasks = await diffieHellman(crypto, maskSecret, maskKey);
  if (forBoxes === null || forMasks === null) throw invalid(`key of ${id}`, 'a point of full order', 'one of low order');
  const { sessionId } = roster;
  const [sealing, masking] = [sessionKey(crypto, forBoxes, sessionId), sessionKey(crypto, forMasks, sessionId)];
  const keys = {
    member: neighbour,
    outgoing: boxKey(crypto, sealing, { sessionId, dealer: member, holder: neighbour }),
    boxKey: boxKey(crypto, sealing, { sessionId, dealer: neighbour, holder: member }),
    maskKey: pairMaskKey(crypto, masking, terms.modelHash, [member, neighbour]),
  };
  for (const spent of [forBoxes, forMasks, sealing, masking]) spent.fill(0);
  return keys;
}
