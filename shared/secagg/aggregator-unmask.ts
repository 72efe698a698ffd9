/**
 * The last step: what masks the sum is computed from what survivors revealed, and taken off. Own secrets come first;
 * shares stand in for whoever left after its vector was in the sum, and give the mask keys of those who left before.
 */
import { CestaError } from '../protocol/errors.ts';
import { accusedDealers, endsOf, sharesOf, type Recovered } from './aggregator-blame.ts';
import { isOwnNoiseKey, isOwnSeed } from './aggregator-collect.ts';
import type { AggregatorContext, AggregatorStateOf, Blame, PrivateSum } from './aggregator-state.ts';
import { sameBytes } from './bytes.ts';
import { diffieHellman, type Awaitable } from './crypto.ts';
import { neighboursOf } from './graph.ts';
import { sessionKey } from './labels.ts';
import { chainEnd, noiseSeed } from './noise-chain.ts';
import { addMask } from './prg.ts';
import { addWords, signExtend } from './ring.ts';
import { maskKeySlot, noiseSlot, pairMaskKey, seedSlot } from './sealed-share.ts';
import { firstRemoved } from './session.ts';
import { decodeShares } from './share-decoder.ts';
import { combineShares, type Share } from './shamir.ts';
import { componentsOf } from './terms.ts';

type Unmasking = AggregatorStateOf<'unmask'>;

/** Runs of shares that are tried where more of them are wrong than a code can correct. */
const attempts = 16;

/** A member whose secret no shares give back, and it dealt them: the sum stays masked, and this is why. */
export class UnmaskableError extends CestaError {
  readonly blame: Blame;

  constructor(blame: Blame) {
    super('secagg.too-few', blame.message);
    this.blame = blame;
  }
}

/** Takes every mask and all removable noise off the sum, in place. @throws UnmaskableError or CestaError `secagg.too-few` */
export async function unmask(context: AggregatorContext, state: Unmasking): Promise<PrivateSum> {
  const { terms } = context;
  const { session: { roster: { entries } }, sum, reported, dealings, blamed } = state;
  const misdealt = new Set<number>();
  for (const survivor of reported.keys()) await addMask(context.crypto, await seedOf(state, survivor, misdealt), sum, -1);
  for (const dealer of dealings.keys()) if (!reported.has(dealer)) await removePairMasks(context, state, dealer, misdealt);
  const excessNoise = await removeNoise(context, state, misdealt);
  const accused = [...accusedDealers(state), ...[...misdealt].map((dealer) => misdealing(state, dealer))];
  return {
    sum: signExtend(sum, terms.modulusBits),
    survivors: [...reported.keys()].sort((a, b) => a - b).map((member) => entries[member].id),
    participants: entries.length,
    excessNoise: excessNoise.map((member) => entries[member].id),
    // One blame each: who was left out before has been told already.
    blamed: accused.reduce((all, blame) => (all.some(({ id }) => id === blame.id) ? all : [...all, blame]), blamed),
  };
}

/** A survivor's own word, or what shares give. Shares are looked at in any case: nobody else sees whether they fit. */
async function seedOf(state: Unmasking, member: number, misdealt: Set<number>): Promise<Uint8Array> {
  const { session, dealings, revealed } = state;
  const recovered = await recover(state, { dealer: member, slot: seedSlot }, (seed) => isOwnSeed(session, dealings.get(member), member, seed));
  if (recovered.isMisdealt) misdealt.add(member);
  const seed = revealed.get(member)?.seed ?? recovered.secret;
  if (seed === null) throw unmaskable(state, member, recovered);
  return seed;
}

/** The masks that survivors added for a member whose vector never came. */
async function removePairMasks({ terms, crypto }: AggregatorContext, state: Unmasking, dropped: number, misdealt: Set<number>): Promise<void> {
  const { session, sum, reported } = state;
  const { entries, sessionId } = session.roster;
  const survivors = neighboursOf(session.graph, dropped).filter((neighbour) => reported.has(neighbour));
  if (survivors.length === 0) return;
  const isRight = async (candidate: Uint8Array): Promise<boolean> => sameBytes(await crypto.x25519PublicKey(candidate), entries[dropped].maskKey);
  const recovered = await recover(state, { dealer: dropped, slot: maskKeySlot }, isRight);
  if (recovered.isMisdealt) misdealt.add(dropped);
  if (recovered.secret === null) throw unmaskable(state, dropped, recovered);
  for (const survivor of survivors) {
    const shared = await diffieHellman(crypto, recovered.secret, entries[survivor].maskKey);
    if (shared === null) throw new CestaError('internal', `mask key of ${entries[survivor].id}: expected to be checked before, got one of low order`);
    const key = pairMaskKey(crypto, sessionKey(crypto, shared, sessionId), terms.modelHash, [dropped, survivor]);
    await addMask(crypto, key, sum, dropped > survivor ? -1 : 1);
  }
}

/** @returns survivors whose removable noise stays, because nobody could give its key. */
async function removeNoise({ terms, noiseOf }: AggregatorContext, state: Unmasking, misdealt: Set<number>): Promise<number[]> {
  const { session, sum, reported, dealings, revealed } = state;
  const first = firstRemoved(terms, session, reported.size);
  if (first === null) return [];
  if (noiseOf === undefined) throw new CestaError('internal', 'noiseOf: expected a function, because the terms have removable noise');
  const excess: number[] = [];
  const keys = new Map<number, Uint8Array>();
  for (const survivor of reported.keys()) {
    const recovered = await recover(state, { dealer: survivor, slot: noiseSlot(first) }, (key) => isOwnNoiseKey(terms, session, dealings.get(survivor), { key, survivors: reported.size }));
    if (recovered.isMisdealt) misdealt.add(survivor);
    const key = revealed.get(survivor)?.noiseKey ?? recovered.secret;
    if (key === null) excess.push(survivor);
    else keys.set(survivor, key);
  }
  // One component of everybody after the other: what draws noise of one variance takes longer to make than to use.
  for (let component = first; component <= componentsOf(terms); component += 1) {
    for (const [survivor, key] of keys) {
      addWords(sum, await noiseOf(noiseSeed(key, component), { component, participants: session.roster.entries.length }), -1);
      keys.set(survivor, chainEnd(key, 1));
    }
  }
  return excess;
}

async function recover(state: Unmasking, { dealer, slot }: { readonly dealer: number; readonly slot: number }, isRight: (secret: Uint8Array) => Awaitable<boolean>): Promise<Recovered> {
  const { threshold } = state.session.graph;
  const shares = sharesOf(state, dealer, slot);
  let secret: Uint8Array | null = null;
  let isMisdealt = false;
  for (const end of endsOf(shares, threshold)) {
    if (await isRight(end)) secret = end;
    else isMisdealt = true;
  }
  return { secret: secret ?? (isMisdealt ? await corrected(shares, threshold, isRight) : null), isMisdealt };
}

async function corrected(shares: readonly Share[], threshold: number, isRight: (secret: Uint8Array) => Awaitable<boolean>): Promise<Uint8Array | null> {
  for (const candidate of candidatesOf(shares, threshold)) if (await isRight(candidate)) return candidate;
  return null;
}

function* candidatesOf(shares: readonly Share[], threshold: number): Generator<Uint8Array> {
  const decoded = decodeShares(shares, threshold);
  if (decoded !== null) yield decoded;
  for (let start = 1; start + threshold < shares.length && start < attempts; start += 1) yield combineShares(shares.slice(start, start + threshold));
}

/** A member that is only short of shares did nothing wrong: others left with them. */
function unmaskable(state: Unmasking, member: number, { isMisdealt }: Recovered): CestaError {
  const { id } = state.session.roster.entries[member];
  if (isMisdealt) return new UnmaskableError(misdealing(state, member));
  return new CestaError('secagg.too-few', `shares of ${id}: expected at least ${state.session.graph.threshold}, got fewer`);
}

function misdealing({ session, kind }: Unmasking, member: number): Blame {
  const { id } = session.roster.entries[member];
  return { id, stage: kind, code: 'secagg.invalid', message: `shares of ${id}: expected on one polynomial, of the secret committed to, got others` };
}
