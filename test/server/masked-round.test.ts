import { describe, expect, it } from 'vitest';
import { startMaskedSession, type MaskedSession } from '../../client/masked-session.ts';
import { tellToMask } from '../../server/masked-opening.ts';
import { createMaskedRound, type MaskedRound } from '../../server/masked-round.ts';
import { createStagingAreas } from '../../server/uploads.ts';
import { encodeBase64 } from '../../shared/ledger/base64.ts';
import type { Noised } from '../../shared/privacy/vectors.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { Blame } from '../../shared/secagg/aggregator-state.ts';
import { encodeMessage } from '../../shared/secagg/wire.ts';
import { maskedCoordinator as coordinator, maskedDirectory as directory, maskedKeys as keys, maskedPlan as plan, maskedShops as names } from '../federation/plans.ts';
import { until } from '../client/fakes.ts';
import { fakeClock, type FakeClock } from './support/fake-clock.ts';
import { digestOf } from './support/test-client.ts';

interface Rig {
  readonly round: MaskedRound;
  readonly clock: FakeClock;
  readonly sessions: Map<string, MaskedSession>;
  /** Masked vectors as they would be announced. */
  readonly vectors: Map<string, Int32Array>;
  readonly log: string[];
  readonly blamed: Blame[];
  readonly upload: (name: string) => void;
}

/** A masked round of five real participants; their vectors wait until a test uploads them. */
function rig({ areas = 4, commit = () => Promise.resolve(), members = directory }: { areas?: number; commit?: () => Promise<void>; members?: ReadonlyMap<string, string> } = {}): Rig {
  const clock = fakeClock();
  const log: string[] = [];
  const blamed: Blame[] = [];
  const vectors = new Map<string, Int32Array>();
  const sessions = new Map<string, MaskedSession>();
  const granted = new Set<string>();
  const round = createMaskedRound({
    plan, key: coordinator, directory: members, clock, areas: createStagingAreas(areas), stallMs: 1_000, stageMs: 5_000,
    send: (name, message) => sessions.get(name)?.receive(encodeBase64(encodeMessage(message))),
    onGrant(name) {
      granted.add(name);
      log.push(`grant ${name}`);
    },
    onAccepted: (name) => void log.push(`accepted ${name}`),
    onBlame: (blame) => void blamed.push(blame),
    async commit(roster) {
      await commit();
      log.push(`commit ${roster.length}`);
    },
    onStage: () => undefined,
    onSummed: ({ survivors }) => void log.push(`summed ${survivors.join('')}`),
    onFailed: (code) => void log.push(`failed ${code}`),
  });
  round.start();
  names.forEach((name, i) => {
    sessions.set(name, startMaskedSession({
      plan, directory, coordinatorKey: coordinator.publicKey, deadlineMs: 600_000, timers: { after: () => () => undefined },
      identity: { id: name, key: keys[i], recordRelease: () => undefined, acceptDirectory: () => undefined },
      report: () => Promise.resolve(new Int32Array(plan.statisticLength) as Noised),
      send(frame) {
        try {
          round.message(name, encodeBase64(frame));
        } catch {
          // Whoever is out is refused; that is the gateway's affair.
        }
      },
      upload: (words) => void vectors.set(name, words),
      onEnd: () => undefined,
    }));
  });
  return {
    round, clock, sessions, vectors, log, blamed,
    upload(name) {
      const words = vectors.get(name) ?? new Int32Array(0);
      round.announce(name, { length: words.length, sha256: digestOf(words) });
      if (granted.has(name)) round.chunk(name, 0, words);
    },
  };
}

const ready = ({ vectors }: Rig): Promise<void> => until(() => vectors.size === 5, 'vectors');

describe('a masked round at the coordinator', () => {
  it('sums, and charges before anything is asked to be revealed', async () => {
    const made = rig();
    await ready(made);
    names.forEach(made.upload);
    await until(() => made.log.includes('summed abcde'), 'the sum');
    expect(made.log.indexOf('commit 5')).toBeLessThan(made.log.indexOf('summed abcde'));
    expect(made.log.filter((line) => line.startsWith('accepted')).length).toBe(5);
    expect(made.round.participants).toBe(5);
    expect(Math.abs(made.round.decode().sum[0])).toBeLessThan(60);
  });

  it('fails and reveals nothing when the charge cannot be made durable', async () => {
    const made = rig({ commit: () => Promise.reject(new CestaError('storage.failed', 'disk full')) });
    await ready(made);
    names.forEach(made.upload);
    await until(() => made.log.includes('failed storage.failed'), 'the failure');
    expect(made.log.some((line) => line.startsWith('summed'))).toBe(false);
  });

  it('gives the one area of a member that stalls to the next, and goes on without it', async () => {
    const made = rig({ areas: 1 });
    await ready(made);
    const words = made.vectors.get('a') ?? new Int32Array(0);
    made.round.announce('a', { length: words.length, sha256: digestOf(words) });
    expect(made.log).toContain('grant a');
    made.clock.advance(1_000);
    expect(made.blamed.map(({ id }) => id)).toEqual(['a']);
    for (const name of ['b', 'c', 'd', 'e']) {
      made.upload(name);
      await until(() => made.log.includes(`accepted ${name}`), name);
    }
    await until(() => made.log.includes('summed bcde'), 'the sum');
  });

  it('takes a vector that comes too late, and a stranger, for nobody\'s fault', async () => {
    const made = rig();
    await ready(made);
    for (const name of ['a', 'b', 'c', 'd']) made.upload(name);
    await until(() => made.log.includes('accepted d'), 'four');
    made.clock.advance(plan.deadlines.trainingMs);
    await until(() => made.log.includes('summed abcd'), 'the sum');
    const late = (): void => made.round.announce('e', { length: 10, sha256: '0'.repeat(64) });
    expect(late).toThrow(expect.objectContaining({ code: 'round.not-member' }) as Error);
    expect(() => made.round.message('stranger', 'AAAA')).toThrow(expect.objectContaining({ code: 'round.not-member' }) as Error);
    expect(made.blamed).toEqual([]);
  });

  it('is not begun where the roster is more than a frame, which nobody would take', () => {
    const shops = (count: number): Map<string, string> => new Map(Array.from({ length: count }, (_, i) => [`shop-${String(i).padStart(5, '0')}`, 'a'.repeat(64)]));
    expect(() => rig({ members: shops(4_500) })).not.toThrow();
    expect(() => rig({ members: shops(4_600) })).toThrow(/cohort: expected a roster of at most 1048576 bytes for one masked sum, got \d+ for 4600 shops/);
  });

  it('is not told to anybody where all members, in groups or not, are more than a frame', () => {
    const told: string[] = [];
    const tell = (count: number): void => tellToMask({
      context: { gateway: { send: (name) => told.push(name) > 0, refuse: () => undefined }, stageMs: 5_000 },
      plan, directory: new Map(Array.from({ length: count }, (_, i) => [`shop-${String(i).padStart(5, '0')}`, 'a'.repeat(64)])),
    });
    expect(() => tell(13_000)).toThrow(/cohort: expected a directory of at most 1048576 bytes for all groups, got \d+ for 13000 shops/);
    expect(told).toEqual([]);
    tell(12_000);
    expect(told.length).toBe(12_000);
  });

  it('hears nobody who left, and at most two messages of one member at a time', async () => {
    const made = rig();
    await ready(made);
    made.round.left('e');
    made.round.left('e');
    expect(() => made.round.message('e', 'AAAA')).toThrow(/in the session still/);
    const frame = encodeBase64(encodeMessage({ kind: 'abort', code: 'x', message: '' }));
    made.round.message('d', frame);
    made.round.message('d', frame);
    expect(() => made.round.message('d', frame)).toThrow(/at most 2 messages/);
    expect(() => made.round.message('c', '***')).toThrow(/Base 64/);
  });
});
