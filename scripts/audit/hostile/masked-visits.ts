/** Members of masked sums that follow the protocol up to some message, by the real participant, and from there on do not. */
import { startMaskedSession, type MaskedSession } from '../../../client/masked-session.ts';
import type { Plan } from '../../../shared/federation/plan.ts';
import type { Noised } from '../../../shared/privacy/vectors.ts';
import { chunkBytes } from '../../../shared/protocol/messages.ts';
import { volley, type Attacker } from './fuzz.ts';
import { mutations } from './mutations.ts';
import { announcement, answerMs, enter, join, shopNamed, within, type Peer } from './peer.ts';
import { chunkSeed, type SeedMaker } from './seeds.ts';
import { frameOf, opcodes } from './web-socket-frames.ts';

/** advertise, shares, the vector, confirm, unmask. */
const messagesOfSession = 5;
const framesOfMember = 20;
/** Half of them within the frame of the session: what is no message is refused before the session sees it. */
const inside = { 'masked frame': mutations['masked frame'] };

/** A session that breaks at a message chosen by chance; a member that was named is not invited again, so each has a name of its own. */
export async function visitSession(attacker: Attacker, peer: Peer): Promise<void> {
  const { random, name, visits, options: { coordinatorKey } } = attacker;
  const shop = shopNamed(`${name}-${attacker.options.seed}-${visits}`);
  if (!(await enter(peer, shop))) return;
  const plan = (await peer.next('invite', answerMs))?.plan;
  if (plan === undefined) return;
  join(peer, plan);
  const train = await peer.next('train', answerMs);
  if (train === null) return;
  const script = scriptFor(attacker, peer, { plan, breaksAt: random.nextBelow(messagesOfSession + 1) });
  const session = startMaskedSession({
    plan, coordinatorKey,
    directory: new Map(train.directory ?? []),
    identity: { id: shop.shop.toLowerCase(), key: shop.key, recordRelease: () => undefined, acceptDirectory: () => undefined },
    deadlineMs: answerMs,
    report: () => Promise.resolve(new Int32Array(plan.statisticLength) as unknown as Noised),
    send: script.send,
    upload: script.upload,
    onEnd: script.end,
  });
  void listen(peer, session);
  await within(answerMs, undefined, Promise.race([script.over, peer.closed]));
  session.stop('the visit is over');
}

async function listen(peer: Peer, session: MaskedSession): Promise<void> {
  for (let message = await peer.next('masked', answerMs); message !== null; message = await peer.next('masked', answerMs)) session.receive(message.frame);
}

interface Script {
  readonly send: (frame: Uint8Array) => void;
  readonly upload: (words: Int32Array) => void;
  readonly end: () => void;
  /** The frames are sent, or there is nothing more to break. */
  readonly over: Promise<void>;
}

function scriptFor(attacker: Attacker, peer: Peer, { plan, breaksAt }: { plan: Plan; breaksAt: number }): Script {
  const { round } = plan;
  let end: () => void = () => undefined;
  const over = new Promise<void>((resolve) => (end = resolve));
  let count = 0;
  const breaks = (): boolean => (count += 1) > breaksAt;
  const attack = (seeds: readonly SeedMaker[]): void => void volley(attacker, peer, framesOfMember >> 1, seeds, inside).then(() => volley(attacker, peer, framesOfMember >> 1, seeds)).then(end);
  return {
    over,
    end: () => end(),
    send(frame) {
      const message = { type: 'masked', round, frame: Buffer.from(frame).toString('base64') };
      if (breaks()) attack([() => ({ opcode: opcodes.text, payload: Buffer.from(JSON.stringify({ ...message, seq: peer.nextSeq() })) })]);
      else peer.say(message);
    },
    upload(words) {
      peer.say(announcement(plan, words));
      void peer.next('upload', answerMs).then((granted) => {
        if (granted === null) return end();
        const step = chunkBytes / Int32Array.BYTES_PER_ELEMENT;
        const chunks = Array.from({ length: Math.ceil(words.length / step) }, (_, index): SeedMaker => () => chunkSeed(round, peer.nextSeq(), index * step, words.slice(index * step, (index + 1) * step)));
        if (breaks()) return attack(chunks);
        for (const chunk of chunks) void peer.write(frameOf(chunk().payload, { opcode: opcodes.binary }));
      });
    },
  };
}
