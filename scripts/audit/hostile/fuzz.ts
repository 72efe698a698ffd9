/**
 * Sends mutated frames in every state a connection can be in, from several connections at a time, and counts what comes
 * back. A visit brings one connection into one state, sends its frames and ends; who is there at the same time decides
 * what a frame meets, so a seed repeats the frames and not their answers.
 */
import { seededRandom, type SeededRandom } from '../../../shared/numerics/random.ts';
import type { Plan } from '../../../shared/federation/plan.ts';
import { garbageRequests } from './http-garbage.ts';
import { visitSession } from './masked-visits.ts';
import { lastMutations, mutations, pick, type Mutation } from './mutations.ts';
import { announcement, answerMs, dial, enter, greet, join, shopNamed, type Peer, type Shop } from './peer.ts';
import { chunkSeed, seedsAt, type SeedMaker } from './seeds.ts';
import { guests, type HostileMode } from './task.ts';

export interface FuzzTally {
  frames: number;
  readonly byState: Map<string, number>;
  readonly byMutation: Map<string, number>;
  /** Codes, types of messages, statuses of ends and of HTTP. */
  readonly answers: Map<string, number>;
}

export interface FuzzOptions {
  readonly url: URL;
  readonly coordinatorKey: string;
  readonly mode: HostileMode;
  readonly frames: number;
  readonly seed: number;
  readonly onProgress?: (frames: number) => void;
}

export interface Attacker {
  readonly options: FuzzOptions;
  readonly tally: FuzzTally;
  readonly random: SeededRandom;
  readonly name: string;
  /** Counts up: each visit has a connection of its own, and some a name of their own. */
  visits: number;
  frames: number;
}

/** How many connections are at it at a time. */
const attackers = 16;
/** Frames of one visit of a shop whose key is proven: its mistakes are answered one by one. */
const framesPerVisit = 240;
/** The first wrong piece of an upload puts a member out of its round. */
const framesOfMembers = 40;
/** Before the proof the first mistake ends the connection; what follows tests the end. */
const framesOfStrangers = 3;
/** Sessions take their time: however few frames are asked for, these are played. */
const leastSessions = 6;
/** A round is not always open. */
const invitationMs = 5_000;
const sampleWords = 256;

export function countIn(map: Map<string, number>, key: string, by = 1): void {
  map.set(key, (map.get(key) ?? 0) + by);
}

export async function fuzz(options: FuzzOptions): Promise<FuzzTally> {
  const tally: FuzzTally = { frames: 0, byState: new Map(), byMutation: new Map(), answers: new Map() };
  const work = async (index: number): Promise<void> => {
    const attacker: Attacker = { options, tally, random: seededRandom(options.seed, `attacker ${index}`), name: `guest-${index}`, visits: 0, frames: 0 };
    const visits = visitsOf(options.mode, index);
    while (tally.frames < options.frames || (visits === sessions && attacker.visits < leastSessions)) {
      attacker.visits += 1;
      await pick(attacker.random, visits)(attacker);
      options.onProgress?.(tally.frames);
    }
  };
  await Promise.all(Array.from({ length: attackers }, (_, index) => work(index)));
  return tally;
}

type Visit = (attacker: Attacker) => Promise<void>;

/** Opens a connection, and ends it after the visit. */
export function visit(state: string, act: (attacker: Attacker, peer: Peer) => Promise<void>): Visit {
  return async (attacker) => {
    const { tally: { answers }, options: { url } } = attacker;
    let peer: Peer;
    try {
      peer = await dial(url, { onAnswer: (answer) => countIn(answers, answer) });
    } catch (error) {
      return countIn(answers, `refused ${error instanceof Error ? error.message : ''}`);
    }
    const before = attacker.frames;
    await act(attacker, peer);
    await peer.settled(answerMs);
    peer.hangUp();
    await peer.closed;
    countIn(attacker.tally.byState, state, attacker.frames - before);
  };
}

/** A few names come again and again, as shops do. */
function ownShop({ name, visits }: Attacker): Shop {
  return shopNamed(`${name}-${visits % 32}`);
}

/** Sends mutated frames, each made from seeds of its own, and now and then one that ends the connection. */
export async function volley(attacker: Attacker, peer: Peer, count: number, seeds: readonly SeedMaker[], table = mutations): Promise<void> {
  const { random } = attacker;
  for (let sent = 0; sent < count && peer.isOpen; sent += 1) await mutate(attacker, peer, table, seeds);
  if (peer.isOpen && random.nextBelow(3) === 0) await mutate(attacker, peer, lastMutations, seeds);
}

async function mutate(attacker: Attacker, peer: Peer, table: Readonly<Record<string, Mutation>>, seeds: readonly SeedMaker[]): Promise<void> {
  const { tally, random } = attacker;
  const name = pick(random, Object.keys(table));
  const bytes = table[name](pick(random, seeds)(), { other: pick(random, seeds)(), random });
  attacker.frames += 1;
  tally.frames += 1;
  countIn(tally.byMutation, name);
  await peer.write(bytes);
}

function seedsOf(attacker: Attacker, peer: Peer, plan: Plan | null, update = new Int32Array(sampleWords)): SeedMaker[] {
  return seedsAt({ shop: ownShop(attacker), plan, nextSeq: peer.nextSeq }, update);
}

const strangers: readonly Visit[] = [
  visit('before hello', (attacker, peer) => volley(attacker, peer, framesOfStrangers, seedsOf(attacker, peer, null))),
  visit('after hello', async (attacker, peer) => {
    if ((await greet(peer, ownShop(attacker))) !== null) await volley(attacker, peer, framesOfStrangers, seedsOf(attacker, peer, null));
  }),
  visit('while the proof is checked', async (attacker, peer) => {
    const proof = await greet(peer, ownShop(attacker));
    if (proof === null) return;
    peer.send(proof);
    await volley(attacker, peer, framesOfStrangers, seedsOf(attacker, peer, null));
  }),
  async ({ tally, random, options: { url } }) => {
    const statuses = await garbageRequests(url, random);
    tally.frames += statuses.length;
    countIn(tally.byState, 'HTTP', statuses.length);
    for (const status of statuses) countIn(tally.answers, `HTTP ${status}`);
  },
];

const ready = visit('ready', async (attacker, peer) => {
  if (await enter(peer, ownShop(attacker))) await volley(attacker, peer, framesPerVisit, seedsOf(attacker, peer, null));
});

/** Who was invited and has not answered; to be invited takes a round that opens. */
const recruiting = visit('recruiting', async (attacker, peer) => {
  const plan = await invited(attacker, peer);
  if (plan !== null) await volley(attacker, peer, framesOfMembers, seedsOf(attacker, peer, plan));
});

const training = visit('training', async (attacker, peer) => {
  const plan = await trained(attacker, peer);
  if (plan !== null) await volley(attacker, peer, framesOfMembers, seedsOf(attacker, peer, plan, new Int32Array(plan.statisticLength)));
});

const uploading = visit('upload granted', async (attacker, peer) => {
  const plan = await trained(attacker, peer);
  if (plan === null) return;
  const update = Int32Array.from({ length: plan.statisticLength }, () => attacker.random.nextBelow(64) - 32);
  peer.say(announcement(plan, update));
  if ((await peer.next('upload', invitationMs)) === null) return;
  const half = update.length >> 1;
  await volley(attacker, peer, framesOfMembers, [() => chunkSeed(plan.round, peer.nextSeq(), 0, update.slice(0, half)), () => chunkSeed(plan.round, peer.nextSeq(), half, update.slice(half)), () => chunkSeed(plan.round, peer.nextSeq(), 0, update)]);
});

async function invited(attacker: Attacker, peer: Peer): Promise<Plan | null> {
  return (await enter(peer, ownShop(attacker))) ? ((await peer.next('invite', invitationMs))?.plan ?? null) : null;
}

async function trained(attacker: Attacker, peer: Peer): Promise<Plan | null> {
  const plan = await invited(attacker, peer);
  if (plan === null) return null;
  join(peer, plan);
  return (await peer.next('train', invitationMs)) === null ? null : plan;
}

const outsiders: readonly Visit[] = [...strangers, ready, ready, ready, ready];
const members: readonly Visit[] = [ready, recruiting, training, uploading];
const sessions: readonly Visit[] = [visit('masked session', visitSession)];

/** Half of the attackers wait for nothing; in masked sums, as many as may leave one are members of it at a time. */
function visitsOf(mode: HostileMode, index: number): readonly Visit[] {
  if (mode === 'local') return index % 2 === 0 ? outsiders : members;
  return index < guests.distributed ? sessions : [...outsiders, recruiting];
}
