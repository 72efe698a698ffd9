import { describe, expect, it } from 'vitest';
import { createStagingAreas } from '../../server/uploads.ts';
import { createCatalogueRoom } from '../../server/catalogue-room.ts';
import { createReleases } from '../../server/releases.ts';
import { createSchedule, type Schedule, type ScheduleOptions } from '../../server/schedule.ts';
import { openBlobStore } from '../../server/storage/blobs.ts';
import { openLibsqlStorage } from '../../server/storage/libsql-storage.ts';
import type { Storage } from '../../server/storage/storage.ts';
import type { ServerMessage } from '../../shared/protocol/messages.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { fakeClock, type FakeClock } from './support/fake-clock.ts';
import { catalogue, model, rosterOf, roundRecord, silent, taskOf, type TaskShape } from './support/fixtures.ts';
import { silentLedger } from './support/ledgers.ts';
import { temporaryFolder } from './support/folders.ts';
import { key } from './support/round-rig.ts';

interface Rig {
  readonly schedule: Schedule;
  readonly clock: FakeClock;
  readonly storage: Storage;
  readonly sent: { to: string; message: ServerMessage }[];
  readonly arrive: (...shops: string[]) => void;
  readonly depart: (shop: string) => void;
}

async function rigOf(shape: TaskShape = {}, faults: Partial<Storage> = {}, options: Partial<ScheduleOptions> = {}): Promise<Rig> {
  const clock = fakeClock();
  const folder = temporaryFolder();
  const storage: Storage = { ...(await openLibsqlStorage(folder)), ...faults };
  const task = taskOf(shape);
  await storage.putTask(task.name, {});
  const ready: string[] = [];
  const sent: Rig['sent'] = [];
  const schedule = createSchedule({
    task, storage, roundsWanted: task.privacy.rounds, gatherMs: 10_000, retryMs: 1_000,
    releases: createReleases({ task: task.name, storage, blobs: await openBlobStore(folder), key, clock, logger: silent }),
    gateway: {
      send: (to, message) => sent.push({ to, message }) > 0,
      refuse: () => undefined,
      ready: () => [...ready],
      close: () => Promise.resolve(),
    },
    room: createCatalogueRoom(catalogue),
    keepCatalogue: () => Promise.resolve(),
    createModel: () => model,
    openLedger: () => Promise.resolve(silentLedger()),
    round: { areas: createStagingAreas(1), key, clock, logger: silent, stallMs: 30_000, stageMs: 30_000 },
    onProgress: () => undefined,
    onOver: () => undefined,
    ...options,
  });
  await schedule.start();
  return {
    schedule, clock, storage, sent,
    arrive(...shops) {
      for (const shop of shops) {
        ready.push(shop);
        schedule.ready(shop, false);
      }
    },
    depart(shop) {
      ready.splice(ready.indexOf(shop), 1);
      schedule.left(shop);
    },
  };
}

const failing = (code: 'storage.failed' | 'privacy.infeasible', times: number) => {
  let left = times;
  return async <T>(otherwise: () => Promise<T>): Promise<T> => {
    left -= 1;
    if (left >= 0) throw new CestaError(code, 'not now');
    return otherwise();
  };
};

describe('gathering', () => {
  it('starts anew when everybody has left', async () => {
    const { schedule, clock, arrive, depart } = await rigOf({ min: 1, target: 2 });
    arrive('a');
    clock.advance(9_000);
    depart('a');
    clock.advance(5_000);
    arrive('a');
    clock.advance(9_999);
    expect(schedule.phase).toBe('waiting');
    clock.advance(1);
    await expect.poll(() => schedule.phase).toBe('recruiting');
  });

  it('opens one round, however many shops arrive while it is written down', async () => {
    const { schedule, arrive, storage, sent } = await rigOf({ min: 2, target: 2 });
    arrive('a', 'b', 'c', 'd');
    await expect.poll(() => schedule.phase).toBe('recruiting');
    expect((await storage.rounds('trial', { after: 0, limit: 9 })).map(({ number }) => number)).toEqual([1]);
    await expect.poll(() => sent.filter(({ message }) => message.type === 'invite').length).toBe(4);
  });

  it('invites no more than the plan admits, and not always the same', async () => {
    const chosen = new Set<string>();
    for (let trial = 0; trial < 12; trial += 1) {
      const { schedule, arrive, sent } = await rigOf({ min: 1, target: 1 }, {}, { gatherMs: 0 });
      arrive('a', 'b', 'c', 'd', 'e', 'f');
      await expect.poll(() => schedule.phase).toBe('recruiting');
      await expect.poll(() => sent.length).toBe(2);
      for (const { to } of sent) chosen.add(to);
      await schedule.stop('enough');
    }
    // Two of six, twelve times: the same two would be a chance of 15^-11.
    expect(chosen.size).toBeGreaterThan(2);
  });
});

describe('a round that cannot be opened', () => {
  it('is tried again when the disk was at fault', async () => {
    const folder = temporaryFolder();
    const inner = await openLibsqlStorage(folder);
    await inner.putTask('trial', {});
    const once = failing('storage.failed', 1);
    const { schedule, clock, arrive } = await rigOf({}, { ...inner, openRound: (round) => once(() => inner.openRound(round)) });
    arrive('a', 'b');
    await expect.poll(() => schedule.phase).toBe('pausing');
    clock.advance(1_000);
    await expect.poll(() => schedule.phase).toBe('recruiting');
  });

  it('ends the task when it would fail the same way again', async () => {
    const never = failing('privacy.infeasible', 99);
    const { schedule, arrive, sent } = await rigOf({}, { openRound: () => never(() => Promise.resolve()) });
    arrive('a', 'b');
    await expect.poll(() => schedule.phase).toBe('over');
    expect(schedule.over).toMatchObject({ code: 'privacy.infeasible' });
    expect(sent.map(({ to, message }) => `${to} ${message.type}`)).toEqual(['a task-over', 'b task-over']);
  });

  it('ends the task with its code when the journal has no share left, whatever was counted before', async () => {
    const inner = await openLibsqlStorage(temporaryFolder());
    await inner.putTask('trial', {});
    await inner.openRound(roundRecord(1, 1));
    await inner.startTraining('trial-1', rosterOf(2));
    const { schedule, arrive, sent } = await rigOf({ mode: 'local', rounds: 1 }, { ...inner, roundsCharged: () => Promise.resolve(0) });
    arrive('a', 'b');
    await expect.poll(() => schedule.phase).toBe('over');
    expect(schedule.over).toMatchObject({ code: 'budget.exhausted' });
    expect(sent.some(({ message }) => message.type === 'invite')).toBe(false);
  });
});

describe('stopping', () => {
  it('while a round is being written down leaves it failed, and its budget free', async () => {
    const { schedule, arrive, storage } = await rigOf();
    arrive('a', 'b');
    expect(schedule.phase).toBe('opening');
    await schedule.stop('the coordinator is stopping');
    expect(await storage.lastRound('trial')).toMatchObject({ state: 'failed', failure: { message: 'the coordinator is stopping' } });
    expect((await storage.spends('trial')).map(({ state }) => state)).toEqual(['abandoned']);
    arrive('c');
    expect(schedule.phase).toBe('stopped');
  });

  it('while pausing leaves no timer behind', async () => {
    const never = failing('storage.failed', 99);
    const { schedule, arrive, clock } = await rigOf({}, { openRound: () => never(() => Promise.resolve()) });
    arrive('a', 'b');
    await expect.poll(() => schedule.phase).toBe('pausing');
    await schedule.stop('the coordinator is stopping');
    expect(clock.pending).toBe(0);
  });
});
