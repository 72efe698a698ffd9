/** The middle of a participant: it opens the shares dealt to it (R1') and masks its report (R2). */
import { CestaError } from '../protocol/errors.ts';
import { bitmapOf, invalid, membersOf, recordOf, requireLength } from './bytes.ts';
import type { MessageOf } from './messages.ts';
import { chainKeys, noiseSeed } from './noise-chain.ts';
import type { OwnSession, ParticipantContext, ParticipantStep, StateOf } from './participant-state.ts';
import { addMask } from './prg.ts';
import { addWords, packVector } from './ring.ts';
import { boxBytes, commitmentRowBytes, openShares } from './sealed-share.ts';
import { maskedStatement, signBytes } from './session.ts';
import { componentsOf } from './terms.ts';

/**
 * R1': a box that does not open leaves its dealer's shares unheld, which is reported; the mask with that dealer stays,
 * because the dealer, who knows nothing of it, adds its half.
 */
export async function acceptShares(context: ParticipantContext, state: StateOf<'shared'>, message: MessageOf<'forward'>): Promise<ParticipantStep> {
  const { terms, crypto } = context;
  const { session, seed, noiseRoot } = state;
  const components = componentsOf(terms);
  const dealers = membersOf('senders', session.roster.entries.length, message.senders);
  const pairs = dealers.map((dealer) => {
    const pair = state.pairs.find(({ member }) => member === dealer);
    if (pair === undefined || !session.opened.has(dealer)) throw invalid('senders', 'neighbours that opened their nonces', dealer);
    return pair;
  });
  requireLength('boxes', message.boxes, dealers.length * boxBytes(components));
  requireLength('commitments', message.commitments, dealers.length * commitmentRowBytes(components));
  const shares = new Map<number, Uint8Array>();
  for (const [i, { member, boxKey }] of pairs.entries()) {
    const route = { sessionId: session.roster.sessionId, dealer: member, holder: session.member };
    const opened = await openShares(crypto, boxKey, recordOf(message.boxes, i, boxBytes(components)), recordOf(message.commitments, i, commitmentRowBytes(components)), route);
    if (opened !== null) shares.set(member, opened);
  }
  try {
    requireEnoughShares(context, session, dealers.length, shares.size);
  } catch (thrown) {
    // Not in a state yet, where leaving would erase them.
    for (const share of shares.values()) share.fill(0);
    throw thrown;
  }
  for (const { boxKey } of state.pairs) boxKey.fill(0);
  const noise = await drawNoise(context, session, noiseRoot);
  return [
    { kind: 'ready', session, seed, noiseRoot, pairs, dealers: new Set(dealers), shares, noise },
    [{ kind: 'report-wanted', participants: session.roster.entries.length }],
  ];
}

function requireEnoughShares({ terms }: ParticipantContext, { graph }: OwnSession, dealers: number, opened: number): void {
  if (opened + 1 < graph.threshold) throw new CestaError('secagg.too-few', `shares: expected at least ${graph.threshold - 1} boxes that open, got ${opened}`);
  if (graph.kind === 'complete' && dealers + 1 < terms.minParticipants) throw new CestaError('secagg.too-few', `senders: expected at least ${terms.minParticipants - 1}, got ${dealers}`);
}

/** The sum of all removable components, drawn before the report is in hand so that no draw can be timed against it. */
async function drawNoise({ terms, noiseOf }: ParticipantContext, { roster }: OwnSession, noiseRoot: Uint8Array): Promise<Int32Array | null> {
  const keys = chainKeys(noiseRoot, componentsOf(terms));
  if (keys.length === 0 || noiseOf === undefined) return null;
  const noise = new Int32Array(terms.length);
  for (const [i, key] of keys.entries()) addWords(noise, await noiseOf(noiseSeed(key, i + 1), { component: i + 1, participants: roster.entries.length }), 1);
  return noise;
}

/** R2: report + removable noise + self-mask + pairwise masks, which cancel between two members. */
export async function maskReport(context: ParticipantContext, state: StateOf<'ready'>, vector: Int32Array): Promise<ParticipantStep> {
  const { terms, crypto, identity } = context;
  const { session, seed, noiseRoot, dealers, shares } = state;
  if (vector.length !== terms.length) throw invalid('vector', `${terms.length} coordinates`, vector.length);
  // What is outside the ring wraps: to leave over it would tell the coordinator about the data.
  const masked = vector.slice();
  if (state.noise !== null) addWords(masked, state.noise, 1);
  state.noise?.fill(0);
  await addMask(crypto, seed, masked, 1);
  for (const { member, maskKey } of state.pairs) {
    await addMask(crypto, maskKey, masked, member > session.member ? 1 : -1);
    maskKey.fill(0);
  }
  const packed = packVector(masked, terms.modulusBits);
  const unopened = bitmapOf(session.roster.entries.length, [...dealers].filter((dealer) => !shares.has(dealer)));
  const signature = signBytes(identity, maskedStatement(session, session.member, await crypto.sha256(packed), unopened));
  return [
    { kind: 'masked', session, seed, noiseRoot, dealers, shares },
    [{ kind: 'send', message: { kind: 'masked', from: session.member, vector: packed, unopened, signature } }],
  ];
}
