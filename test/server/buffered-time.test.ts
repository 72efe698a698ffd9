import { describe, expect, it } from 'vitest';
import { createCatalogueRoom } from '../../server/catalogue-room.ts';
import { createReleases } from '../../server/releases.ts';
import { createFloor } from '../../server/floor.ts';
import { createSchedule } from '../../server/schedule.ts';
import { openBlobStore } from '../../server/storage/blobs.ts';
import { openLibsqlStorage } from '../../server/storage/libsql-storage.ts';
import { createStagingAreas } from '../../server/uploads.ts';
import { planHash, type Plan } from '../../shared/federation/plan.ts';
import type { ServerMessage } from '../../shared/protocol/messages.ts';
import { oneOfEach } from './support/coordinators.ts';
import { fakeClock } from './support/fake-clock.ts';
import { catalogue, model, silent, taskOf, type TaskShape } from './support/fixtures.ts';
import { temporaryFolder } from './support/folders.ts';
import { silentLedger, silentReleaseLedger } from './support/ledgers.ts';
import { key } from './support/round-rig.ts';
import { digestOf, shopNamed } from './support/test-client.ts';

interface Course {
  /** On the clock of the test: only training takes time. */
  readonly tookMs: number;
  /** Accepted reports of each shop. */
  readonly accepted: Readonly<Record<string, number>>;
  readonly staleReports: number;
}

/** Runs a task with shops that take so long to train, each on a disk and in a network that take no time. */
async function run(shape: TaskShape, trainingMs: Readonly<Record<string, number>>): Promise<Course> {
  const clock = fakeClock();
  const folder = temporaryFolder();
  const storage = await openLibsqlStorage(folder);
  const task = taskOf(shape);
  await storage.putTask(task.name, {});
  for (const shop of Object.keys(trainingMs)) await storage.pinNode(shop, shopNamed(shop).key.publicKey);
  const plans = new Map<string, Plan>();
  const accepted: Record<string, number> = {};
  let due: number[] = [];
  let newest = '';
  let trainingRound = '';
  let underway = 0;
  const soon = (action: () => void): void => {
    underway += 1;
    setImmediate(() => {
      underway -= 1;
      action();
    });
  };
  const answer = (shop: string, message: ServerMessage): void => {
    if (message.type === 'invite') {
      const { plan } = message;
      plans.set(plan.round, plan);
      newest = plan.round;
      return soon(() => schedule.message(shop, { type: 'join', seq: 1, round: plan.round, planHash: planHash(plan) }));
    }
    if (message.type === 'accepted') accepted[shop] = (accepted[shop] ?? 0) + 1;
    if (message.type !== 'train' && message.type !== 'upload') return;
    const plan = plans.get(message.round);
    if (plan === undefined) throw new Error(`told to ${message.type} for ${message.round}, which nobody was invited to`);
    const update = oneOfEach(plan);
    if (message.type === 'upload') return soon(() => schedule.chunk(shop, { round: plan.round, seq: 1, offset: 0, data: update }));
    trainingRound = plan.round;
    due.push(clock.now() + trainingMs[shop]);
    clock.after(trainingMs[shop], () => {
      try {
        schedule.message(shop, { type: 'report', seq: 1, round: plan.round, planHash: planHash(plan), length: update.length, sha256: digestOf(update) });
      } catch {
        // Too late for a round that is over: nothing is accepted.
      }
    });
  };
  const schedule = createSchedule({
    task, storage, floor: createFloor(), createdAtMs: 0, roundsWanted: task.privacy.rounds, gatherMs: 0, retryMs: 1_000,
    releases: createReleases({ task: task.name, storage, blobs: await openBlobStore(folder), key, clock, logger: silent, ledger: silentReleaseLedger, modelOf: () => model }),
    gateway: {
      send(shop, message) {
        answer(shop, message);
        return true;
      },
      refuse: () => undefined,
      ready: () => Object.keys(trainingMs),
      close: () => Promise.resolve(),
    },
    room: createCatalogueRoom(catalogue), keepCatalogue: () => Promise.resolve(), createModel: () => model, async openLedger(_plan, reserve) {
      await reserve({ position: 0, entries: [] });
      return silentLedger();
    },
    round: { areas: createStagingAreas(4), key, clock, logger: silent, stallMs: 1e9, stageMs: 1, acknowledgeMs: 0e9 },
    onProgress: () => undefined, onOver: () => undefined,
  });
  await schedule.start();
  const start = clock.now();
  for (;;) {
    await expect.poll(() => underway === 0 && (schedule.over !== null || (schedule.phase === 'training' && trainingRound === newest)), { interval: 1, timeout: 20_000 }).toBe(true);
    if (schedule.over !== null) break;
    due = due.filter((at) => at > clock.now());
    clock.advance(Math.min(...due) - clock.now());
  }
  const releases = await storage.releases(task.name, { before: 99, limit: 99 });
  expect(releases).toHaveLength(task.privacy.rounds);
  return { tookMs: clock.now() - start, accepted, staleReports: releases.reduce((sum, { manifest }) => sum + (manifest.metrics['staleReports'] ?? 0), 0) };
}

describe('six rounds of three shops, one of which takes three and a half times as long', () => {
  const shops = { a: 1_000, b: 1_000, slow: 3_500 };

  it('take six times as long as the slow shop where everybody is waited for', async () => {
    const { tookMs, accepted } = await run({ rounds: 6, min: 2, target: 3 }, shops);
    expect(tookMs).toBe(6 * 3_500);
    expect(accepted).toEqual({ a: 6, b: 6, slow: 6 });
  });

  it('take six times as long as a fast one where nobody waits, and the slow shop is in no sum', async () => {
    const { tookMs, accepted } = await run({ rounds: 6, min: 2, target: 2 }, shops);
    expect(tookMs).toBe(6 * 1_000);
    expect(accepted['slow']).toBeUndefined();
  });

  it('take as short in a buffered task, and the slow shop is in the sums all the same', async () => {
    const { tookMs, accepted, staleReports } = await run({ rounds: 6, min: 2, target: 2, buffered: 5 }, shops);
    expect(tookMs).toBe(6 * 1_000);
    expect(accepted['slow']).toBe(1);
    expect(staleReports).toBeGreaterThanOrEqual(1);
  });
});
