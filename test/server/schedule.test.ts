import { describe, expect, it } from 'vitest';
import { createStagingAreas } from '../../server/uploads.ts';
import { createCatalogueRoom } from '../../server/catalogue-room.ts';
import { createReleases } from '../../server/releases.ts';
import { createFloor } from '../../server/floor.ts';
import { createSchedule, type Schedule, type ScheduleOptions } from '../../server/schedule.ts';
import { openBlobStore } from '../../server/storage/blobs.ts';
import { openLibsqlStorage } from '../../server/storage/libsql-storage.ts';
import type { Storage } from '../../server/storage/storage.ts';
import type { ServerMessage } from '../../shared/protocol/messages.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { parseTaskSpec } from '../../shared/federation/task.ts';
import { fakeClock, type FakeClock } from './support/fake-clock.ts';
import { catalogue, model, rosterOf, roundRecord, silent, taskInput, taskOf, type TaskShape } from './support/fixtures.ts';
import { silentLedger, silentReleaseLedger } from './support/ledgers.ts';
import { releaseRig } from './support/release-rig.ts';
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
    task, storage, floor: createFloor(), createdAtMs: 0, roundsWanted: task.privacy.rounds, gatherMs: 10_000, retryMs: 1_000,
    releases: createReleases({ task: task.name, storage, blobs: await openBlobStore(folder), key, clock, logger: silent, ledger: silentReleaseLedger, modelOf: () => model }),
    gateway: {
      send: (to, message) => sent.push({ to, message }) > 0,
      refuse: () => undefined,
      ready: () => [...ready],
      close: () => Promise.resolve(),
    },
    room: createCatalogueRoom(catalogue),
    keepCatalogue: () => Promise.resolve(),
    createModel: () => model,
    async openLedger(_plan, reserve) {
      await reserve({ position: 0, entries: [] });
      return silentLedger();
    },
    round: { areas: createStagingAreas(1), key, clock, logger: silent, stallMs: 30_000, stageMs: 30_000, acknowledgeMs: 0 },
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

describe('what a round starts from', () => {
  it('is the release that is served, whatever was held back or rolled back from', async () => {
    const { storage, releases, round } = await releaseRig();
    await round();
    await round();
    await round({ hold: true });
    await releases.rollback('operator');
    const { arrive, sent } = await rigOf({ min: 1, target: 1 }, {}, { storage, releases, roundsWanted: 9 });
    arrive('a');
    await expect.poll(() => sent.find(({ message }) => message.type === 'invite')?.message).toMatchObject({ plan: { round: 'trial-4', baseRelease: releases.current?.sha256 } });
    expect(releases.current?.manifest).toMatchObject({ version: 4, restores: 1 });
  });

  it('is taken up first, should a change have got no further than the journal', async () => {
    const rig = await releaseRig();
    await rig.round();
    await rig.round({ hold: true });
    rig.fail(['before', 'appendLog']);
    await expect(rig.releases.promote(2, 'operator')).rejects.toMatchObject({ code: 'storage.failed' });
    const { arrive, sent } = await rigOf({ min: 1, target: 1 }, {}, { storage: rig.storage, releases: rig.releases, roundsWanted: 9 });
    arrive('a');
    const { sha256 = '' } = (await rig.releases.find({ version: 2 })) ?? {};
    await expect.poll(() => sent.find(({ message }) => message.type === 'invite')?.message).toMatchObject({ plan: { baseRelease: sha256 } });
  });
});

describe('the end of a task', () => {
  it('comes when all rounds that were asked for have ended with a release, candidates included and restorations not', async () => {
    const { storage, releases, round } = await releaseRig();
    await round();
    await round();
    await releases.rollback('operator');
    await round({ hold: true });
    expect((await rigOf({}, {}, { storage, releases, roundsWanted: 4 })).schedule.over).toBeNull();
    expect((await rigOf({}, {}, { storage, releases, roundsWanted: 3 })).schedule.over).toEqual({ code: null, message: 'task trial: 3 of 3 releases made' });
  });
});

describe('a candidate that waits for its evaluation', () => {
  const gated = parseTaskSpec({ ...(taskInput({ min: 1, target: 1, rounds: 2 }) as object), gate: {} });

  it('and that an operator decides on leaves no round of training too many', async () => {
    const { storage, releases, round } = await releaseRig();
    await round();
    await round({ hold: true });
    const { schedule, arrive, sent } = await rigOf({}, {}, { task: gated, storage, releases, roundsWanted: 2 });
    expect(schedule.over).toBeNull();
    await releases.promote(2, 'operator');
    arrive('a');
    await expect.poll(() => schedule.phase).toBe('over');
    expect(schedule.over).toMatchObject({ code: null });
    expect(sent.filter(({ message }) => message.type === 'invite')).toEqual([]);
  });

  it('and that an operator decides on leaves training its timetable', async () => {
    const { storage, releases, round } = await releaseRig();
    await round();
    await round({ hold: true });
    const task = { ...gated, schedule: { minIntervalSeconds: 31_000_000 } };
    const { schedule, arrive } = await rigOf({}, {}, { task, releases, storage: { ...storage, lastTrainedAt: () => Promise.resolve('2999-01-01T00:00:00.000Z') }, roundsWanted: 9 });
    await releases.promote(2, 'operator');
    arrive('a');
    await expect.poll(() => schedule.phase).toBe('waiting');
    expect((await storage.lastRound('trial'))?.number).toBe(2);
  });
});

describe('a candidate over another catalogue', () => {
  it('is scored by nobody: the task ends before anything is charged', async () => {
    const { storage, releases, round } = await releaseRig();
    await round();
    await round({ hold: true });
    const task = parseTaskSpec({ ...(taskInput({ min: 1, target: 1, rounds: 9 }) as object), gate: {} });
    const { schedule, arrive } = await rigOf({}, {}, { task, storage, releases, keepCatalogue: () => Promise.reject(new CestaError('config.invalid', 'catalogue: expected another')) });
    arrive('a');
    await expect.poll(() => schedule.phase).toBe('over');
    expect(schedule.over).toMatchObject({ code: 'config.invalid' });
    expect(await storage.evaluations('trial')).toEqual([]);
  });
});

describe('a journal that does not answer when a round has ended', () => {
  it('is asked again before another round opens', async () => {
    const answers = ['0', 'fails', '1'];
    const roundsDone = (): Promise<number> => {
      const answer = answers.shift();
      return answer === 'fails' ? Promise.reject(new CestaError('storage.failed', 'not now')) : Promise.resolve(Number(answer));
    };
    const { schedule, clock, arrive, depart, storage } = await rigOf({ min: 1, target: 1 }, { roundsDone });
    arrive('a');
    await expect.poll(() => schedule.phase).toBe('recruiting');
    depart('a');
    await expect.poll(() => schedule.phase).toBe('pausing');
    arrive('a');
    clock.advance(60_000);
    await expect.poll(() => schedule.phase).toBe('over');
    expect(schedule.over).toMatchObject({ code: null });
    expect(await storage.lastRound('trial')).toMatchObject({ number: 1, state: 'failed' });
  });
});

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

  it('though the disk has it, keeps no share of the budget', async () => {
    const inner = await openLibsqlStorage(temporaryFolder());
    await inner.putTask('trial', {});
    const once = failing('storage.failed', 1);
    const { schedule, clock, arrive } = await rigOf({ mode: 'local', rounds: 1 }, { ...inner, openRound: async (round) => {
      await inner.openRound(round);
      await once(() => Promise.resolve());
    } });
    arrive('a', 'b');
    await expect.poll(() => schedule.phase).toBe('pausing');
    clock.advance(1_000);
    await expect.poll(() => schedule.phase).toBe('recruiting');
    expect((await inner.spends('trial')).map(({ round, state }) => `${round} ${state}`)).toEqual(['trial-1 abandoned', 'trial-2 reserved']);
  });

  it('ends the task when it would fail the same way again', async () => {
    const never = failing('privacy.infeasible', 99);
    const told: unknown[] = [];
    const { schedule, arrive, sent } = await rigOf({}, { openRound: () => never(() => Promise.resolve()) }, { onOver: (over) => told.push(over) });
    arrive('a', 'b');
    await expect.poll(() => schedule.phase).toBe('over');
    expect(schedule.over).toMatchObject({ code: 'privacy.infeasible' });
    expect(told).toEqual([schedule.over]);
    expect(sent).toEqual([]);
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
