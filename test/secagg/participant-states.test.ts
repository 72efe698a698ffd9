/** What a participant does with what does not belong where it is, what it keeps, and what it says when it leaves. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { CoordinatorMessage } from '../../shared/secagg/messages.ts';
import { participantStep } from '../../shared/secagg/participant.ts';
import { openSession } from '../../shared/secagg/session.ts';
import { softwareCrypto } from '../../shared/secagg/software-crypto.ts';
import { cheatTerms, flipped, openQuiet } from './attacks.ts';
import { revealers, run, termsOf } from './session.ts';
import { expectAbort, secretsIn, sentBy, stages, survivorsFor, victim, victimOf, type Stage, type Victim } from './victim.ts';

const honest = { roster: 'advertised', forward: 'shared', survivors: 'masked', confirmations: 'confirmed' } as const satisfies Partial<Record<CoordinatorMessage['kind'], Stage>>;

/** The roster and the survivor set that a participant knows already: the same ones again are idle talk. */
const isRepetition = (kind: CoordinatorMessage['kind'], stage: Stage): boolean => (kind === 'roster' && stages.indexOf(stage) > 1) || (kind === 'survivors' && stage === 'confirmed');

describe('a message where it does not belong', () => {
  let target: Victim;
  beforeAll(async () => {
    target = await victimOf({ participants: 4 });
  });

  for (const stage of stages) {
    it(`aborts in ${stage}, whatever its kind`, async () => {
      const openings: CoordinatorMessage = { kind: 'openings', opened: Uint8Array.of(0b1111), nonces: new Uint8Array(128) };
      for (const message of [...target.sent.values(), openings]) {
        const belongs = message.kind !== 'openings' && honest[message.kind] === stage;
        if (belongs || isRepetition(message.kind, stage)) continue;
        await expectAbort(target, stage, message, 'protocol.out-of-order');
      }
    });

    it(`aborts in ${stage} where it is no message at all, or a participant's`, async () => {
      for (const message of [null, 'roster', 3, [], {}, { kind: 'roster' }, { ...sentBy(target, 'survivors'), extra: 1 }, ...target.view.map((seen) => seen.message)]) {
        await expectAbort(target, stage, { kind: 'message', message }, 'secagg.invalid');
      }
    });

    it(`aborts in ${stage} on a stop, and on events of other states`, async () => {
      await expectAbort(target, stage, { kind: 'stop', reason: 'a restart' }, 'secagg.aborted');
      if (stage !== 'idle') await expectAbort(target, stage, { kind: 'start' }, 'protocol.out-of-order');
      if (stage !== 'ready') await expectAbort(target, stage, { kind: 'report', vector: new Int32Array(24) }, 'protocol.out-of-order');
    });
  }

  it('is taken in its place, so that the refusals above are for the place', async () => {
    for (const [kind, stage] of Object.entries(honest) as [keyof typeof honest, Stage][]) {
      const [state] = await participantStep(target.context, target.in(stage), { kind: 'message', message: sentBy(target, kind) });
      expect([kind, state.kind]).not.toEqual([kind, 'aborted']);
    }
  });

  it('finds nothing left to reveal after the round', async () => {
    const before = target.in('confirmed');
    const [state] = await participantStep(target.context, before, { kind: 'message', message: sentBy(target, 'confirmations') });
    expect(state).toEqual({ kind: 'done' });
    expect(secretsIn(before).length).toBeGreaterThan(0);
    expect(secretsIn(before).every((secret) => secret.every((byte) => byte === 0))).toBe(true);
    for (const message of target.sent.values()) expect(await participantStep(target.context, state, { kind: 'message', message })).toEqual([state, []]);
  });

  it('finds the mask keys spent once the vector is masked', () => {
    for (const stage of ['masked', 'confirmed'] as const) expect('pairs' in target.in(stage)).toBe(false);
    for (const { boxKey } of ((state) => (state.kind === 'ready' ? state.pairs : []))(target.in('ready'))) expect(boxKey).toEqual(new Uint8Array(32));
  });
});

describe('what a participant no longer holds', () => {
  it('is a Diffie-Hellman secret once its keys are made, and a share once it left for want of others', async () => {
    const target = await victimOf({ participants: 4 });
    const seen: Uint8Array[] = [];
    const { crypto } = target.context;
    const note = async <Bytes extends Uint8Array | null>(made: Bytes | Promise<Bytes>): Promise<Bytes> => {
      const bytes = await made;
      if (bytes !== null) seen.push(bytes);
      return bytes;
    };
    const context = { ...target.context, crypto: { ...crypto, x25519: (secret: Uint8Array, publicKey: Uint8Array) => note(crypto.x25519(secret, publicKey)), open: (key: Uint8Array, box: Uint8Array, associated: Uint8Array) => note(crypto.open(key, box, associated)) } };
    await participantStep(context, target.in('advertised'), { kind: 'message', message: sentBy(target, 'roster') });
    expect(seen).toHaveLength(6);
    const forward = sentBy(target, 'forward');
    const [state] = await participantStep(context, target.in('shared'), { kind: 'message', message: { ...forward, boxes: forward.boxes.map((byte, i) => (i < 2 * forward.boxes.length / 3 ? byte ^ 1 : byte)) } });
    expect(state).toMatchObject({ kind: 'aborted', code: 'secagg.too-few' });
    expect(seen).toHaveLength(7);
    expect(seen.every((bytes) => bytes.every((byte) => byte === 0))).toBe(true);
  });
});

describe('what a participant says when it leaves', () => {
  it('never quotes its report, which the coordinator may not see', async () => {
    const terms = termsOf({ modulusBits: 16, length: 3 });
    const target = await victimOf({ participants: 4, terms });
    for (const vector of [Int32Array.of(4711), Int32Array.of(1, 2, 3, 123_456)]) {
      const [, effects] = await participantStep(target.context, target.in('ready'), { kind: 'report', vector });
      const said = JSON.stringify(effects.filter(({ kind }) => kind === 'send'));
      expect(said).toContain('"abort"');
      expect(said).not.toMatch(/123456|4711|vector/);
      expect(JSON.stringify(effects.filter(({ kind }) => kind === 'aborted'))).toContain('vector');
    }
  });

  it('does not leave over a report that exceeds the ring: that would tell a bit of it', async () => {
    const target = await victimOf({ participants: 4, terms: termsOf({ modulusBits: 16, length: 3 }) });
    const [state, effects] = await participantStep(target.context, target.in('ready'), { kind: 'report', vector: Int32Array.of(1, 2, 123_456) });
    expect(state.kind).toBe('masked');
    expect(effects.map(({ kind }) => kind)).toEqual(['send']);
  });

  it('never quotes a fault of its sampler either', async () => {
    const terms = cheatTerms();
    const target = await victimOf({ participants: 4, terms });
    const context = { ...target.context, noiseOf: () => { throw new Error('seed 0xabcdef'); } };
    const [state, effects] = await participantStep(context, target.in('shared'), { kind: 'message', message: sentBy(target, 'forward') });
    expect(state).toMatchObject({ kind: 'aborted', code: 'internal', message: 'seed 0xabcdef' });
    expect(JSON.stringify(effects.filter(({ kind }) => kind === 'send'))).not.toContain('abcdef');
  });
});

describe('a coordinator that picks the graph', () => {
  const participants = 30;
  const terms = termsOf({ length: 2, minParticipants: 20, graph: { kind: 'harary', corruptFraction: 0.05, dropoutFraction: 0.1, securityBits: 20 } });
  let target: Victim;
  const openings = (): ReturnType<typeof sentBy<'openings'>> => sentBy(target, 'openings');

  beforeAll(async () => {
    target = await victimOf({ participants, terms });
  });

  /** The victim once it has opened its nonce, and what it does with these openings. */
  async function opened(message: CoordinatorMessage): Promise<readonly [string, string]> {
    const [state] = await participantStep(target.context, target.in('advertised'), { kind: 'message', message: sentBy(target, 'roster') });
    const [next] = await participantStep(target.context, state, { kind: 'message', message });
    return [next.kind, next.kind === 'aborted' ? next.code : ''];
  }

  const without = (members: readonly number[]): CoordinatorMessage => {
    const bits = openings().opened.slice();
    for (const member of members) bits[member >>> 3] &= ~(1 << (member & 7));
    const nonces = Array.from({ length: participants }, (_, i) => i).filter((i) => !members.includes(i)).map((i) => openings().nonces.slice(32 * i, 32 * i + 32));
    return { kind: 'openings', opened: bits, nonces: Uint8Array.from(nonces.flatMap((nonce) => [...nonce])) };
  };

  it('is held to nonces that were committed to, to its own among them, and to dropouts that the graph allows', async () => {
    expect(await opened(openings())).toEqual(['shared', '']);
    expect(await opened(without([0, 5, 29]))).toEqual(['shared', '']);
    expect(await opened(without([0, 5, 6, 29]))).toEqual(['aborted', 'secagg.too-few']);
    expect(await opened(without([victim]))).toEqual(['aborted', 'secagg.invalid']);
    expect(await opened({ ...openings(), nonces: flipped(openings().nonces, 77) })).toEqual(['aborted', 'secagg.invalid']);
    expect(await opened({ ...openings(), nonces: openings().nonces.slice(32) })).toEqual(['aborted', 'secagg.invalid']);
    await expectAbort(target, 'advertised', openings(), 'protocol.out-of-order');
    await expectAbort(target, 'shared', openings(), 'protocol.out-of-order');
  });

  it('gains nothing by showing some participants other openings: they share no keys and reveal nothing', async () => {
    const isLiedTo = (id: string): boolean => Number(id.slice(5)) % 2 === 0;
    const world = openQuiet({ participants, terms, toParticipant: (message, to) => (message.kind === 'openings' && isLiedTo(to) ? dropLast(message) : message) });
    await run(world);
    expect(revealers(world)).toEqual([]);
    expect(world.aggregator.state.kind).toBe('failed');
  });

  it('cannot count a participant in whose nonce it left out', async () => {
    const [state] = await participantStep(target.context, target.in('advertised'), { kind: 'message', message: sentBy(target, 'roster') });
    const [shared] = await participantStep(target.context, state, { kind: 'message', message: without([0, 5, 29]) });
    if (shared.kind !== 'shared') throw new Error('expected to have dealt');
    expect(shared.session.opened.size).toBe(27);
    const senders = new Uint8Array(4);
    for (const neighbour of shared.session.neighbours) senders[neighbour >>> 3] |= 1 << (neighbour & 7);
    const isNear = shared.session.neighbours.some((neighbour) => [0, 5, 29].includes(neighbour));
    const [next] = await participantStep(target.context, structuredClone(shared), { kind: 'message', message: { kind: 'forward', senders, boxes: new Uint8Array(0), commitments: new Uint8Array(0) } });
    expect(next).toMatchObject({ kind: 'aborted', code: 'secagg.invalid' });
    if (isNear) expect(next).toMatchObject({ message: expect.stringContaining('opened their nonces') as string });
  });

  it('cannot leave out more survivors than the graph stays connected without', async () => {
    const all = Array.from({ length: participants }, (_, i) => i);
    await expectAbort(target, 'masked', survivorsFor(target.session, all.filter((member) => ![0, 5, 6, 29].includes(member))), 'secagg.too-few');
  });

  it('cannot make nonces cancel by having one copied', async () => {
    const { roster } = target.session;
    const nonce = new Uint8Array(32).fill(3);
    const nonces = (copied: Uint8Array): Map<number, Uint8Array> => new Map(Array.from({ length: participants }, (_, i) => [i, i < 2 ? copied : nonce]));
    const [first, second] = await Promise.all([openSession(softwareCrypto, terms, roster, nonces(new Uint8Array(32))), openSession(softwareCrypto, terms, roster, nonces(new Uint8Array(32).fill(9)))]);
    expect(first.graph).not.toEqual(second.graph);
    expect(first.roster.sessionId).not.toEqual(second.roster.sessionId);
  });

  function dropLast(message: ReturnType<typeof sentBy<'openings'>>): CoordinatorMessage {
    const opened = message.opened.slice();
    opened[3] &= ~(1 << 5);
    return { ...message, opened, nonces: message.nonces.slice(0, -32) };
  }
});
