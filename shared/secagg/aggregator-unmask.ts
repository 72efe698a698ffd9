/**
 * The last step: what masks the sum is computed from what survivors revealed, and taken off. Own secrets come first;
 * shares stand in for whoever left after its vector was in the sum, and give the mask keys of those who left before.
 */
import { CestaError } from '../protocol/errors.ts';
import { isOwnNoiseKey, isOwnSeed, slotName } from './aggregator-collect.ts';
import type { AggregatorContext, AggregatorStateOf, Blame, PrivateSum } from './aggregator-state.ts';
import { sameBytes } from './bytes.ts';
import { diffieHellman } from './crypto.ts';
import { neighboursOf } from './graph.ts';
import { sessionKey } from './labels.ts';
import { chainKeys, noiseSeed } from './noise-chain.ts';
import { addMask } from './prg.ts';
import { addWords, signExtend } from './ring.ts';
import { maskKeySlot, noiseSlot, pairMaskKey, seedSlot } from './sealed-share.ts';
import { firstRemoved } from './session.ts';
import { combineShares, type Share } from './shamir.ts';
import { componentsOf } from './terms.ts';

type Unmasking = AggregatorStateOf<'unmask'>;

/** Subsets of shares that are tried where a dealer gave some holders shares off its polynomial. */
const attempts = 16;

/** A member whose secret no shares give back: the sum stays masked, and this is why. */
export class UnmaskableError extends CestaError {
  readonly blame: Blame;

  constructor(blame: Blame) {
    super(blame.code, blame.message);
    this.blame = blame;
  }
}

/** Takes every mask and all removable noise off the sum, in place. @throws UnmaskableError or CestaError `secagg.too-few` */
export async function unmask(context: AggregatorContext, state: Unmasking): Promise<PrivateSum> {
  const { terms } = context;
  const { session, sum, reported, dealings, blamed } = state;
  const { entries } = session.roster;
  for (const survivor of reported.keys()) await addMask(context.crypto, seedOf(state, survivor), sum, -1);
  for (const dealer of dealings.keys()) if (!reported.has(dealer)) await removePairMasks(context, state, dealer);
  const excessNoise = await removeNoise(context, state);
  return {
    sum: signExtend(sum, terms.modulusBits),
    survivors: [...reported.keys()].sort((a, b) => a - b).map((member) => entries[member].id),
    participants: entries.length,
    excessNoise: excessNoise.map((member) => entries[member].id),
    blamed,
  };
}

function seedOf(state: Unmasking, member: number): Uint8Array {
  const { session, dealings, revealed } = state;
  const own = revealed.get(member)?.seed ?? null;
  if (own !== null) return own;
  const found = recover(state, member, seedSlot, (seed) => isOwnSeed(session, dealings.get(member), member, seed));
  if (found === null) throw unmaskable(state, member, 'seed');
  return found;
}

/** The masks that survivors added for a member whose vector never came. */
async function removePairMasks({ terms, crypto }: AggregatorContext, state: Unmasking, dropped: number): Promise<void> {
  const { session, sum, reported } = state;
  const { entries, sessionId } = session.roster;
  const survivors = neighboursOf(session.graph, dropped).filter((neighbour) => reported.has(neighbour));
  if (survivors.length === 0) return;
  let secret: Uint8Array | null = null;
  for (const candidate of secretsFrom(state, dropped, maskKeySlot)) {
    if (!sameBytes(await crypto.x25519PublicKey(candidate), entries[dropped].maskKey)) continue;
    secret = candidate;
    break;
  }
  if (secret === null) throw unmaskable(state, dropped, 'mask key');
  for (const survivor of survivors) {
    const shared = await diffieHellman(crypto, secret, entries[survivor].maskKey);
    if (shared === null) throw unmaskable(state, survivor, 'mask key');
    const key = pairMaskKey(sessionKey(shared, sessionId), terms.modelHash, dropped, survivor);
    await addMask(crypto, key, sum, dropped > survivor ? -1 : 1);
  }
}

/** @returns survivors whose removable noise stays, because nobody could give its key. */
async function removeNoise({ terms, noiseOf }: AggregatorContext, state: Unmasking): Promise<number[]> {
  const { session, sum, reported, dealings, revealed } = state;
  const first = firstRemoved(terms, session, reported.size);
  if (first === null) return [];
  if (noiseOf === undefined) throw new CestaError('internal', 'noiseOf: expected a function, because the terms have removable noise');
  const excess: number[] = [];
  for (const survivor of reported.keys()) {
    const isKey = (key: Uint8Array): boolean => isOwnNoiseKey(terms, session, dealings.get(survivor), { key, survivors: reported.size });
    const key = revealed.get(survivor)?.noiseKey ?? recover(state, survivor, noiseSlot(first), isKey);
    if (key === null) {
      excess.push(survivor);
      continue;
    }
    for (const [i, componentKey] of chainKeys(key, componentsOf(terms) - first + 1).entries()) {
      const component = first + i;
      addWords(sum, await noiseOf(noiseSeed(componentKey, component), { component, participants: session.roster.entries.length }), -1);
    }
  }
  return excess;
}

function recover(state: Unmasking, dealer: number, slot: number, isRight: (secret: Uint8Array) => boolean): Uint8Array | null {
  for (const secret of secretsFrom(state, dealer, slot)) if (isRight(secret)) return secret;
  return null;
}

/** Secrets that runs of `threshold` neighbouring shares give. An honest dealer's are all the same one. */
function* secretsFrom({ session, revealed }: Unmasking, dealer: number, slot: number): Generator<Uint8Array> {
  const { threshold } = session.graph;
  const shares: Share[] = [];
  for (const [holder, { shares: held }] of revealed) {
    const bytes = held.get(slotName(dealer, slot));
    if (bytes !== undefined) shares.push({ x: holder + 1, bytes });
  }
  for (let start = 0; start + threshold <= shares.length && start < attempts; start += 1) yield combineShares(shares.slice(start, start + threshold));
}

function unmaskable({ session, kind }: Unmasking, member: number, what: string): UnmaskableError {
  const { id } = session.roster.entries[member];
  return new UnmaskableError({ id, stage: kind, code: 'secagg.too-few', message: `${what} of ${id}: expected shares that give it back, got too few that fit` });
}
