/**
 * What no participant may be able to do to the others, one by one: each case attacks in the middle of rounds that honest
 * shops take part in, has to be answered as it says, and its round has to complete.
 */
import { maxCoordinate } from '../../../shared/federation/accumulator.ts';
import type { Plan } from '../../../shared/federation/plan.ts';
import { encodeChunk, maxFrameBytes } from '../../../shared/protocol/messages.ts';
import { encodeTensors } from '../../../shared/protocol/tensors.ts';
import { announcement, answerMs, dial, enter, greet, join, shopNamed, trickle, type Peer } from './peer.ts';
import type { HostileMode } from './task.ts';
import { frameOf, opcodes } from './web-socket-frames.ts';

export interface CaseContext {
  readonly url: URL;
  readonly mode: HostileMode;
  /** Names of their own for every run. */
  readonly run: string;
}

export interface CaseOutcome {
  /** A code, the status of an end, or a word. */
  readonly answer: string;
  /** The round that was attacked, if any. */
  readonly round: string | null;
}

export interface HostileCase {
  readonly name: string;
  readonly expected: string;
  /** `upload`: a report in the clear; `member`: takes part in a round. */
  readonly needs: 'nothing' | 'member' | 'upload';
  readonly act: (context: CaseContext, name: string) => Promise<CaseOutcome>;
}

interface Member {
  readonly peer: Peer;
  readonly plan: Plan;
}

export const outside = (answer: string): CaseOutcome => ({ answer, round: null });

/** Of the next refusal. */
export async function code(peer: Peer): Promise<string> {
  return (await peer.next('error', answerMs))?.code ?? 'no answer';
}

/** A case of somebody who was told to train. */
function member(name: string, expected: string, act: (attacker: Member) => Promise<string> | string): HostileCase {
  return { name, expected, needs: 'member', act: (context, shop) => asMember(context, shop, act) };
}

async function asMember({ url, run }: CaseContext, name: string, act: (attacker: Member) => Promise<string> | string): Promise<CaseOutcome> {
  const peer = await dial(url);
  try {
    const plan = (await enter(peer, shopNamed(`${name}-${run}`))) ? (await peer.next('invite', answerMs))?.plan : undefined;
    if (plan === undefined) return outside('not invited');
    join(peer, plan);
    if ((await peer.next('train', answerMs)) === null) return outside('not trained');
    return { answer: await act({ peer, plan }), round: plan.round };
  } finally {
    peer.hangUp();
  }
}

/** A case of somebody who may upload, after an announcement of `update`. */
function uploader(name: string, expected: string, update: (plan: Plan) => Int32Array, act: (attacker: Member & { readonly update: Int32Array }) => Promise<string>): HostileCase {
  const uploading = async ({ peer, plan }: Member): Promise<string> => {
    const words = update(plan);
    peer.say(announcement(plan, words));
    return (await peer.next('upload', answerMs)) === null ? 'no upload' : act({ peer, plan, update: words });
  };
  return { name, expected, needs: 'upload', act: (context, shop) => asMember(context, shop, uploading) };
}

const zeros = ({ statisticLength }: Plan): Int32Array => new Int32Array(statisticLength);

function sendChunk({ peer, plan }: Member, data: Int32Array, offset = 0): void {
  void peer.write(frameOf(encodeChunk({ round: plan.round, seq: peer.nextSeq(), offset, data }), { opcode: opcodes.binary }));
}

function sendTensor({ peer, plan }: Member, data: Float32Array): void {
  void peer.write(frameOf(encodeTensors({ chunk: { shape: [data.length], data } }, { round: plan.round, seq: String(peer.nextSeq()), offset: '0' }), { opcode: opcodes.binary }));
}

async function accepted(peer: Peer): Promise<string> {
  return (await peer.next('accepted', answerMs)) === null ? 'not accepted' : 'accepted';
}

const updates: readonly HostileCase[] = [
  uploader('a valid envelope with a garbage payload', 'update.corrupt', zeros, (attacker) => {
    sendChunk(attacker, attacker.update.map((_, index) => index % 7));
    return code(attacker.peer);
  }),
  {
    name: 'a wrong length', expected: 'update.wrong-length', needs: 'upload',
    act: (context, shop) => asMember(context, shop, ({ peer, plan }) => {
      peer.say({ ...announcement(plan, zeros(plan)), length: 2 ** 40 });
      return code(peer);
    }),
  },
  uploader('more than was announced', 'update.wrong-length', zeros, (attacker) => {
    sendChunk(attacker, new Int32Array(attacker.update.length + 1));
    return code(attacker.peer);
  }),
  uploader('NaN', 'protocol.malformed', zeros, (attacker) => {
    sendTensor(attacker, new Float32Array(attacker.update.length).fill(Number.NaN));
    return code(attacker.peer);
  }),
  uploader('1e30', 'protocol.malformed', zeros, (attacker) => {
    sendTensor(attacker, new Float32Array(attacker.update.length).fill(1e30));
    return code(attacker.peer);
  }),
  uploader('the largest word', 'update.out-of-range', (plan) => zeros(plan).fill(2 ** 31 - 1), (attacker) => {
    sendChunk(attacker, attacker.update);
    return code(attacker.peer);
  }),
  uploader('a zero update', 'accepted', zeros, (attacker) => {
    sendChunk(attacker, attacker.update);
    return accepted(attacker.peer);
  }),
  uploader('a count that is a lie within the bounds', 'accepted', (plan) => zeros(plan).fill(-maxCoordinate(plan), -1), (attacker) => {
    sendChunk(attacker, attacker.update);
    return accepted(attacker.peer);
  }),
  uploader('the same update twice', 'protocol.out-of-order', zeros, async (attacker) => {
    sendChunk(attacker, attacker.update);
    await accepted(attacker.peer);
    sendChunk(attacker, attacker.update);
    return code(attacker.peer);
  }),
  uploader('an upload at one byte a second', 'protocol.out-of-order', zeros, async (attacker) => {
    const { peer, plan, update } = attacker;
    const stop = trickle(peer.socket, frameOf(encodeChunk({ round: plan.round, seq: peer.nextSeq(), offset: 0, data: update }), { opcode: opcodes.binary }));
    return code(peer).finally(stop);
  }),
];

const messages: readonly HostileCase[] = [
  member('one garbage byte', 'protocol.malformed', ({ peer }) => {
    void peer.write(frameOf(Buffer.of(0), { opcode: opcodes.binary }));
    return code(peer);
  }),
  member('a number that is NaN', 'protocol.malformed', ({ peer, plan }) => {
    void peer.write(frameOf(Buffer.from(`{"type":"leave","seq":NaN,"round":"${plan.round}"}`)));
    return code(peer);
  }),
  member('a number of 1e30', 'protocol.malformed', ({ peer, plan }) => {
    void peer.write(frameOf(Buffer.from(`{"type":"leave","seq":1e30,"round":"${plan.round}"}`)));
    return code(peer);
  }),
  member('an update for another round', 'update.wrong-round', ({ peer, plan }) => {
    peer.say({ ...announcement(plan, zeros(plan)), round: 'hostile-999999' });
    return code(peer);
  }),
  member('an update for another plan', 'update.wrong-round', ({ peer, plan }) => {
    peer.say({ ...announcement(plan, zeros(plan)), planHash: 'f'.repeat(64) });
    return code(peer);
  }),
  member('a replay', 'protocol.replayed', ({ peer, plan }) => {
    peer.send({ ...announcement(plan, zeros(plan)), seq: 1 });
    return code(peer);
  }),
  member('an oversized frame', 'closed 1009', async ({ peer }) => {
    void peer.write(frameOf(Buffer.alloc(maxFrameBytes + 1), { opcode: opcodes.binary }));
    return `closed ${await peer.closed}`;
  }),
  // A masked session cannot wait for who is silent longer than a stage; in the clear, the deadline of the round ends it.
  member('a silent member', 'silent', async ({ peer, plan }) => {
    const over = await Promise.race([peer.next('round-done', answerMs), peer.next('round-failed', answerMs)]);
    return over?.round === plan.round || over === null ? 'silent' : 'another round';
  }),
];

/** Ends a connection at some moment. */
function leaver(moment: string, needs: HostileCase['needs'], act: (context: CaseContext, peer: Peer, name: string) => Promise<string | null>): HostileCase {
  return {
    name: `a client that leaves ${moment}`, expected: 'left', needs,
    async act(context, name) {
      const peer = await dial(context.url);
      const round = await act(context, peer, `${name}-${context.run}`);
      peer.hangUp();
      return { answer: 'left', round };
    },
  };
}

async function invitedPlan(peer: Peer, name: string): Promise<Plan | null> {
  return (await enter(peer, shopNamed(name))) ? ((await peer.next('invite', answerMs))?.plan ?? null) : null;
}

const leavers: readonly HostileCase[] = [
  leaver('at once', 'nothing', () => Promise.resolve(null)),
  leaver('after its hello', 'nothing', async (_context, peer, name) => {
    await greet(peer, shopNamed(name));
    return null;
  }),
  leaver('with its proof', 'nothing', async (_context, peer, name) => {
    peer.send((await greet(peer, shopNamed(name))) ?? {});
    return null;
  }),
  leaver('when it is ready', 'nothing', async (_context, peer, name) => {
    await enter(peer, shopNamed(name));
    return null;
  }),
  leaver('when it is invited', 'member', async (_context, peer, name) => (await invitedPlan(peer, name))?.round ?? null),
  leaver('when it has joined', 'member', async (_context, peer, name) => {
    const plan = await invitedPlan(peer, name);
    if (plan !== null) join(peer, plan);
    return plan?.round ?? null;
  }),
  member('a client that leaves when it trains', 'left', ({ peer }) => {
    peer.hangUp();
    return 'left';
  }),
  uploader('a client that leaves when it may upload', 'left', zeros, () => Promise.resolve('left')),
  uploader('a client that leaves in its upload', 'left', zeros, async ({ peer, plan, update }) => {
    sendChunk({ peer, plan }, update.slice(0, 1));
    await peer.settled(answerMs);
    return 'left';
  }),
  uploader('a client that leaves after its upload', 'left', zeros, async ({ peer, plan, update }) => {
    sendChunk({ peer, plan }, update);
    await accepted(peer);
    return 'left';
  }),
];

export const memberCases: readonly HostileCase[] = [...messages, ...updates, ...leavers];
