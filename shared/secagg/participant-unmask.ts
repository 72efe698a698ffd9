/** The end of a participant: one survivor set, confirmed by enough signatures (R3), then its shares, once (R4). */
import { hexToBytes } from '../protocol/digest.ts';
import { CestaError } from '../protocol/errors.ts';
import { concatenated, invalid, membersOf, recordOf, requireLength } from './bytes.ts';
import type { MessageOf } from './messages.ts';
import { chainEnd } from './noise-chain.ts';
import type { ParticipantContext, ParticipantStep, StateOf } from './participant-state.ts';
import { confirmationsNeeded, confirmStatement, firstRemoved, requireSurvivors, signBytes, slotsToReveal, survivorsHash, survivorsStatement, unmaskStatement } from './session.ts';
import { shareBytes } from './shamir.ts';

/** R3: a survivor set with this member in it, nobody in it whose mask is unknown here, and a crowd. */
export async function confirmSurvivors(context: ParticipantContext, state: StateOf<'masked'>, message: MessageOf<'survivors'>): Promise<ParticipantStep> {
  const { terms, crypto, identity } = context;
  const { session, dealers } = state;
  const survivors = new Set(membersOf('survivors', session.roster.entries.length, message.members));
  const hash = survivorsHash(session, survivors);
  if (!(await crypto.verify(hexToBytes(terms.coordinatorKey), message.signature, survivorsStatement(session, hash)))) throw invalid('survivors', 'the signature of the coordinator', 'another');
  if (!survivors.has(session.member)) throw invalid('survivors', 'this participant among them', 'a set without it');
  const near = new Set(session.neighbours);
  const stranger = [...survivors].find((member) => !session.opened.has(member) || (near.has(member) && !dealers.has(member)));
  if (stranger !== undefined) throw invalid('survivors', 'members that dealt shares', stranger);
  requireSurvivors(terms, session, survivors.size);
  requireLiveNeighbours(state, survivors);
  const signature = signBytes(identity, confirmStatement(session, hash));
  return [
    { ...state, kind: 'confirmed', survivors, survivorsHash: hash, survivorsSignature: message.signature },
    [{ kind: 'send', message: { kind: 'confirm', from: session.member, signature } }],
  ];
}

function requireLiveNeighbours({ session }: StateOf<'masked'>, survivors: ReadonlySet<number>): void {
  const live = session.neighbours.filter((neighbour) => survivors.has(neighbour)).length + 1;
  if (live < session.graph.threshold) throw new CestaError('secagg.too-few', `survivors: expected at least ${session.graph.threshold} here and among the neighbours, got ${live}`);
}

/**
 * R4: with `threshold` signatures of neighbours over this very set, any other set lacks its own, so one member's two secrets can
 * never both be asked for; with as many of all members as {@link confirmationsNeeded}, there is no other set anywhere. The coordinator sends no lists: what is revealed follows from the set.
 */
export async function reveal(context: ParticipantContext, state: StateOf<'confirmed'>, message: MessageOf<'confirmations'>): Promise<ParticipantStep> {
  const { terms, identity } = context;
  const { session, survivors, dealers, shares } = state;
  await requireConfirmations(context, state, message);
  const first = firstRemoved(terms, session, survivors.size);
  const slots = slotsToReveal(terms, session, { holder: session.member, dealers: new Set([...dealers].filter((dealer) => shares.has(dealer))), survivors });
  const content = {
    from: session.member,
    seed: state.seed.slice(),
    noiseKey: first === null ? new Uint8Array(0) : chainEnd(state.noiseRoot, first - 1).slice(),
    shares: concatenated(slots.map(({ dealer, slot }) => recordOf(shares.get(dealer) ?? new Uint8Array(0), slot, shareBytes))),
  };
  const signature = signBytes(identity, unmaskStatement(session, state.survivorsHash, content));
  return [{ kind: 'done' }, [
    { kind: 'record-release', sessionId: session.roster.sessionId },
    { kind: 'send', message: { kind: 'unmask', ...content, signature } },
    { kind: 'done' },
  ]];
}

async function requireConfirmations({ crypto, directory, terms }: ParticipantContext, { session, survivors, survivorsHash: hash }: StateOf<'confirmed'>, { signers, signatures }: MessageOf<'confirmations'>): Promise<void> {
  const members = membersOf('signers', session.roster.entries.length, signers);
  requireLength('signatures', signatures, members.length * 64);
  const statement = confirmStatement(session, hash);
  const near = new Set([...session.neighbours, session.member]);
  const { threshold } = session.graph;
  const needed = confirmationsNeeded(terms, session);
  let [here, all] = [0, 0];
  for (const [i, member] of members.entries()) {
    const isNear = near.has(member);
    if (!survivors.has(member) || (!isNear && all >= needed)) continue;
    const publicKey = directory.get(session.roster.entries[member].id);
    if (publicKey === undefined || !(await crypto.verify(hexToBytes(publicKey), recordOf(signatures, i, 64), statement))) continue;
    all += 1;
    if (isNear) here += 1;
    if (here >= threshold && all >= needed) return;
  }
  throw new CestaError('secagg.too-few', `confirmations: expected ${needed} signatures over this survivor set, ${threshold} of them here and of neighbours, got ${all} and ${here}`);
}
