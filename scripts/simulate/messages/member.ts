/**
 * One member of a simulated round: the participant that shops and browsers run, whose owner answers, trains, leaves or is slow as
 * the simulation says. Its keys, masks and noise are streams of the seed, so that a round can be repeated: they hide nothing.
 */
import { openConnection, type Connection } from '../../../client/connection.ts';
import { startParticipant } from '../../../client/participant.ts';
import type { OpenSocket } from '../../../client/socket.ts';
import { signingKey, type SigningKey } from '../../../shared/ledger/signing-key.ts';
import { secureRandom, seededRandom, type SecureRandom } from '../../../shared/numerics/random.ts';
import type { Noised } from '../../../shared/privacy/vectors.ts';
import { hexToBytes, sha256Hex } from '../../../shared/protocol/digest.ts';
import type { SecaggCrypto } from '../../../shared/secagg/crypto.ts';
import type { Member, SimulatedRoundInput } from '../../../shared/simulation/round-outcome.ts';
import type { VirtualTime } from '../../../shared/simulation/virtual-time.ts';
import { makeReport, type MemberReport } from './report.ts';
import type { RealWork } from './real-work.ts';

export interface MemberContext {
  readonly input: SimulatedRoundInput;
  readonly crypto: SecaggCrypto;
  readonly time: VirtualTime;
  readonly work: RealWork;
  readonly openSocket: OpenSocket;
  readonly coordinatorKey: string;
  /** Virtual time at which the round was opened. */
  readonly openedMs: () => number;
}

export interface SimulatedMember {
  readonly member: Member;
  /** As the coordinator knows it. */
  readonly name: string;
  readonly isUp: boolean;
  /** Since it was told to train: at work on its report, gone before, or done with it. Null before that. */
  readonly stage: 'training' | 'left' | 'made' | null;
  /** Why it did not join; null where it did, or has not answered. */
  readonly refusal: string | null;
  /** What its report was made of. */
  readonly made: Omit<MemberReport, 'report'> | null;
}

type Running = { -readonly [Field in keyof SimulatedMember]: SimulatedMember[Field] } & { connection: Connection | null };

/** A key pair of the seed: that of a real participant is drawn from the operating system. */
export function simulatedKey(seed: number, name: string): SigningKey {
  return signingKey(Uint8Array.from(hexToBytes(sha256Hex(new TextEncoder().encode(`simulated key\n${seed}\n${name}`)))));
}

/** Passes for secure, so that a session can be repeated, and is not: whoever knows the seed can take every mask off. */
function repeatableSecrets(seed: number, name: string): SecureRandom {
  const stream = seededRandom(seed, name);
  return secureRandom((bytes) => {
    for (let i = 0; i < bytes.length; i += 1) bytes[i] = stream.nextUint32();
  });
}

export function startMember(context: MemberContext, member: Member): SimulatedMember {
  const { time, work, crypto, openSocket, coordinatorKey, openedMs, input: { model, plan, seed } } = context;
  const name = member.id.toLowerCase();
  const key = simulatedKey(seed, name);
  const running: Running = { member, name, isUp: false, stage: null, refusal: null, made: null, connection: null };
  let checked = (): void => undefined;
  startParticipant({
    connect: (handlers) => (running.connection = openConnection({
      ...handlers, url: 'wss://coordinator.invalid', openSocket, shop: name, key, coordinatorKey, products: [], timers: time, uniform: () => 0.5,
      onMessage(message) {
        // Another thread checks the signature of the plan.
        if (message.type === 'invite') checked = work.begin();
        handlers.onMessage(message);
      },
    })),
    timers: time,
    async model() {
      checked();
      await later(time, openedMs() + member.joinMs - time.now());
      return model;
    },
    statistic: (_plan, _hash, { participants, signal }) => train(context, running, participants, signal),
    masking: { id: name, key, crypto, random: repeatableSecrets(seed, `secrets of ${name} ${plan.round}`), recordRelease: releasesOnce(), acceptDirectory: () => undefined },
    receipts: { shop: name, node: key.publicKey, keep: () => undefined },
    onEvent(event) {
      if (event.kind === 'up') running.isUp = true;
      if (event.kind !== 'declined') return;
      checked();
      if (running.stage === null) running.refusal = `${event.code}: ${event.message}`;
    },
  });
  return running;
}

/** Takes the member's time first, so that only those whose time is up have a report in memory. */
async function train(context: MemberContext, running: Running, participants: number, signal: AbortSignal): Promise<Noised> {
  const { input, time, work } = context;
  const { member } = running;
  running.stage = 'training';
  await later(time, member.leaves ? member.trainMs / 2 : member.trainMs);
  signal.throwIfAborted();
  if (member.leaves) {
    running.stage = 'left';
    running.connection?.close();
    signal.throwIfAborted();
  }
  const done = work.begin();
  try {
    const { report, ...made } = await makeReport(input, member, participants);
    running.made = made;
    running.stage = 'made';
    return report;
  } finally {
    done();
  }
}

function later(time: VirtualTime, delayMs: number): Promise<void> {
  return new Promise((resolve) => void time.after(delayMs, resolve));
}

/** A session is answered once, by whatever a participant writes down. */
function releasesOnce(): (sessionId: string) => void {
  const answered = new Set<string>();
  return (sessionId) => {
    if (answered.has(sessionId)) throw new Error(`session ${sessionId}: expected to be answered once`);
    answered.add(sessionId);
  };
}

