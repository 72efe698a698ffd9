import { describe, expect, it } from 'vitest';
import { startMaskedSession, type MaskedSession, type MaskingIdentity } from '../../client/masked-session.ts';
import { maskedTerms } from '../../shared/federation/masked-terms.ts';
import { componentNoise } from '../../shared/federation/noise-shares.ts';
import { encodeBase64 } from '../../shared/ledger/base64.ts';
import type { Noised } from '../../shared/privacy/vectors.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { aggregatorStep, openAggregator } from '../../shared/secagg/aggregator.ts';
import type { AggregatorContext, AggregatorEvent, AggregatorState } from '../../shared/secagg/aggregator-state.ts';
import { platformCrypto } from '../../shared/secagg/web-crypto.ts';
import { decodeFrame, encodeMessage } from '../../shared/secagg/wire.ts';
import { groupedPlan, groupedShops, maskedCoordinator as coordinator, maskedDirectory as directory, maskedKeys as keys, maskedPlan as plan, maskedShops as names } from '../federation/plans.ts';
import { fakeTimers, until, type FakeTimers } from './fakes.ts';

interface Rig {
  readonly state: () => AggregatorState;
  readonly sessions: Map<string, MaskedSession>;
  readonly ends: Map<string, CestaError | null>;
  readonly revealed: string[];
  readonly timers: FakeTimers;
  feed(event: AggregatorEvent): void;
}

/** Five sessions and an aggregator, joined by bytes. */
function rig(changes: (name: string) => Partial<MaskingIdentity> = () => ({}), report: (name: string, participants: number) => Promise<Noised> = () => Promise.resolve(Int32Array.from({ length: plan.statisticLength }, (_, i) => i) as Noised)): Rig {
  const crypto = platformCrypto();
  const context: AggregatorContext = { terms: maskedTerms(plan, coordinator.publicKey), directory, identity: coordinator, crypto, noiseOf: componentNoise(plan, crypto) };
  let state: AggregatorState = openAggregator;
  const sessions = new Map<string, MaskedSession>();
  const ends = new Map<string, CestaError | null>();
  const revealed: string[] = [];
  const timers = fakeTimers();
  let turn: Promise<void> = Promise.resolve();
  const feed = (event: AggregatorEvent): void => {
    turn = turn.then(async () => {
      const [next, effects] = await aggregatorStep(context, state, event);
      state = next;
      for (const effect of effects) if (effect.kind === 'send') sessions.get(effect.to)?.receive(encodeBase64(encodeMessage(effect.message)));
    });
  };
  const take = (from: string, frame: Uint8Array): void => {
    const message = decodeFrame(frame) as { kind: string };
    if (message.kind === 'unmask') revealed.push(from);
    feed({ kind: 'message', from, message });
  };
  feed({ kind: 'start', invited: names });
  names.forEach((name, i) => {
    const identity: MaskingIdentity = { id: name, key: keys[i], recordRelease: () => undefined, acceptDirectory: () => undefined, ...changes(name) };
    sessions.set(name, startMaskedSession({
      plan, directory, coordinatorKey: coordinator.publicKey, identity, deadlineMs: 60_000, timers,
      report: (participants) => report(name, participants),
      send: (frame) => take(name, frame),
      upload: (words) => take(name, new Uint8Array(words.buffer)),
      onEnd: (error) => void ends.set(name, error),
    }));
  });
  return { state: () => state, sessions, ends, revealed, timers, feed };
}

describe('a masked session', () => {
  it('asks for the report once the roster is fixed, and reveals its share once the session is written down', async () => {
    const asked: number[] = [];
    const written: string[] = [];
    const { state, ends, revealed } = rig((name) => ({ recordRelease: (session) => void (revealed.includes(name) || written.push(`${name} ${session.length}`)) }), (_, participants) => {
      asked.push(participants);
      return Promise.resolve(new Int32Array(plan.statisticLength) as Noised);
    });
    await until(() => state().kind === 'done', 'the sum');
    expect(asked).toEqual([5, 5, 5, 5, 5]);
    expect(written.map((line) => line.slice(2))).toEqual(['64', '64', '64', '64', '64']);
    expect([...ends.values()]).toEqual([null, null, null, null, null]);
  });

  it('sends nothing of what it could not write down', async () => {
    const { ends, revealed, state } = rig((name) => ({
      recordRelease() {
        if (name === 'b') throw new CestaError('storage.failed', 'disk full');
      },
    }));
    await until(() => ends.size === 5, 'all ends');
    expect(ends.get('b')).toMatchObject({ code: 'storage.failed' });
    expect(revealed).not.toContain('b');
    expect(state().kind).toBe('unmask');
  });

  it('ends when its report cannot be made, when it is stopped, and when its time is up', async () => {
    const { ends, sessions, timers } = rig(undefined, (name) => (name === 'c' ? Promise.reject(new CestaError('privacy.infeasible', 'too many')) : new Promise(() => undefined)));
    await until(() => ends.has('c'), 'c');
    expect(ends.get('c')?.message).toContain('too many');
    sessions.get('a')?.stop('shutting down');
    await until(() => ends.has('a'), 'a');
    expect(ends.get('a')).toMatchObject({ code: 'secagg.aborted' });
    timers.advance(60_000);
    await until(() => ends.size === 5, 'the rest');
    expect(ends.get('d')?.message).toContain('60000 ms');
  });

  it('aborts on what is no frame, and does not start with a directory that has another key for it', async () => {
    const { ends, sessions } = rig(undefined, () => new Promise(() => undefined));
    sessions.get('e')?.receive('not Base 64!');
    await until(() => ends.has('e'), 'e');
    expect(ends.get('e')).toMatchObject({ code: 'secagg.invalid' });
    expect(() => startMaskedSession({
      plan, directory: new Map([['a', keys[1].publicKey]]), coordinatorKey: coordinator.publicKey, deadlineMs: 1,
      identity: { id: 'a', key: keys[0], recordRelease: () => undefined, acceptDirectory: () => undefined },
      report: () => new Promise(() => undefined), send: () => undefined, upload: () => undefined, onEnd: () => undefined,
    })).toThrow(/directory: expected the key of a/);
  });

  it('draws its group from all members, accepts them all or none, and does not start in a group below its quorum', () => {
    const { keys: all, directory: members } = groupedShops(15);
    const accepted: number[] = [];
    const start = (shown: ReadonlyMap<string, string>): MaskedSession => startMaskedSession({
      plan: groupedPlan(3), directory: shown, coordinatorKey: coordinator.publicKey, deadlineMs: 1, timers: fakeTimers(),
      identity: { id: 'a', key: all.get('a') ?? coordinator, recordRelease: () => undefined, acceptDirectory: (_plan, { size }) => void accepted.push(size) },
      report: () => new Promise(() => undefined), send: () => undefined, upload: () => undefined, onEnd: () => undefined,
    });
    start(members).stop('enough');
    expect(accepted).toEqual([15]);
    const refusal = expect.objectContaining({ code: 'secagg.too-few', message: expect.stringContaining('at least 12 shops for 3 groups of 4, got 11') as string }) as Error;
    expect(() => start(new Map([...members].slice(0, 11)))).toThrow(refusal);
  });
});
