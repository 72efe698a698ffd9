/** What every storage must do, whatever the database: one suite, run once for each implementation. */
import { describe, expect, it } from 'vitest';
import type { ReleaseRecord, Storage } from '../../../server/storage/storage.ts';
import { comparedReleases, evaluationRecord, exampleEvents, manifestOf, planOf, rosterOf, roundRecord } from '../support/fixtures.ts';

export interface OpenedStorage {
  readonly storage: Storage;
  /** Closes the storage and opens what it left behind, as a new process would. */
  reopen(): Promise<Storage>;
}

const verdict = { decision: 'promote', tolerance: 0.05, testable: 9.5, served: 1.25, gain: -0.125, servedGain: null, noiseStd: 2 } as const;
const failure = { code: 'round.failed', message: 'coordinator restarted' } as const;

export function storageConformance(name: string, makeStorage: () => Promise<OpenedStorage>): void {
  const open = async (): Promise<OpenedStorage> => {
    const opened = await makeStorage();
    await opened.storage.putTask('trial', { name: 'trial' });
    return opened;
  };

  describe(`${name}: settings and tasks`, () => {
    it('answers a ping', async () => {
      await expect((await open()).storage.ping()).resolves.toBeUndefined();
    });

    it('keeps the newest value of a setting', async () => {
      const { storage } = await open();
      expect(await storage.setting('key')).toBeNull();
      await storage.putSetting('key', 'old');
      await storage.putSetting('key', 'it\'s "new"');
      expect(await storage.setting('key')).toBe('it\'s "new"');
    });

    it('replaces the terms of a task and keeps its catalogue', async () => {
      const { storage } = await open();
      await storage.fixCatalogue('trial', 'a'.repeat(64));
      await storage.putTask('trial', { name: 'trial', changed: [1, 'two', null] });
      expect(await storage.task('trial')).toMatchObject({ name: 'trial', spec: { name: 'trial', changed: [1, 'two', null] }, catalogueHash: 'a'.repeat(64), state: 'active' });
      expect(await storage.task('other')).toBeNull();
    });

    it('lists tasks by age, and keeps what was decided about each', async () => {
      const { storage } = await open();
      await storage.putTask('later', { name: 'later' });
      await storage.setTaskState('trial', 'paused');
      await storage.putTask('trial', { name: 'trial' });
      expect((await storage.tasks()).map(({ name, state }) => `${name} ${state}`).sort()).toEqual(['later active', 'trial paused']);
      expect((await storage.task('trial'))?.createdAt).toMatch(/^\d{4}-.*Z$/);
    });

    it('remembers when the newest round that trained was opened', async () => {
      const { storage } = await open();
      expect(await storage.lastTrainedAt('trial')).toBeNull();
      await storage.openRound(roundRecord(1, null));
      expect(await storage.lastTrainedAt('trial')).toBeNull();
      await storage.startTraining('trial-1', rosterOf(2));
      await storage.failRound('trial-1', { code: 'round.failed', message: 'deadline' });
      const [trained] = await storage.rounds('trial', { after: 0, limit: 1 });
      await storage.openRound(roundRecord(2, null));
      expect(await storage.lastTrainedAt('trial')).toBe(trained.openedAt);
    });

    it('fixes a catalogue once', async () => {
      const { storage } = await open();
      await storage.fixCatalogue('trial', 'a'.repeat(64));
      await storage.fixCatalogue('trial', 'a'.repeat(64));
      await expect(storage.fixCatalogue('trial', 'b'.repeat(64))).rejects.toMatchObject({ code: 'config.invalid' });
    });
  });

  describe(`${name}: rounds and budget`, () => {
    it('numbers rounds by the highest number ever used', async () => {
      const { storage } = await open();
      expect(await storage.nextRoundNumber('trial')).toBe(1);
      await storage.openRound(roundRecord(7, null));
      await storage.failRound('trial-7', failure);
      expect(await storage.nextRoundNumber('trial')).toBe(8);
    });

    it('gives back the plan as it was written', async () => {
      const { storage } = await open();
      const record = roundRecord(1, null);
      await storage.openRound(record);
      expect(await storage.lastRound('trial')).toMatchObject({ id: 'trial-1', number: 1, state: 'recruiting', plan: record.plan, planHash: record.planHash, participants: null, failure: null });
    });

    it('counts a reservation against the limit and refuses one beyond it', async () => {
      const { storage } = await open();
      await storage.openRound(roundRecord(1, 1));
      expect(await storage.roundsCharged('trial')).toBe(1);
      await expect(storage.openRound(roundRecord(2, 1))).rejects.toMatchObject({ code: 'budget.exhausted' });
      expect(await storage.nextRoundNumber('trial')).toBe(2);
    });

    it('frees the share of a round that never trained', async () => {
      const { storage } = await open();
      await storage.openRound(roundRecord(1, 1));
      await storage.failRound('trial-1', failure);
      expect(await storage.spends('trial')).toEqual([{ round: 'trial-1', purpose: 'training', event: exampleEvents, epsilon: 0.25, delta: 1e-5, state: 'abandoned' }]);
      await storage.openRound(roundRecord(2, 1));
      expect(await storage.roundsCharged('trial')).toBe(1);
    });

    it('keeps a round charged once training started, even when it fails', async () => {
      const { storage } = await open();
      await storage.openRound(roundRecord(1, 2));
      await storage.startTraining('trial-1', rosterOf(3));
      await storage.failRound('trial-1', failure);
      expect((await storage.spends('trial')).map(({ state }) => state)).toEqual(['committed']);
      expect(await storage.lastRound('trial')).toMatchObject({ state: 'failed', participants: 3, failure });
    });

    it('does not start training twice, nor after the end', async () => {
      const { storage } = await open();
      await storage.openRound(roundRecord(1, null));
      await storage.startTraining('trial-1', rosterOf(3));
      await expect(storage.startTraining('trial-1', rosterOf(3))).rejects.toMatchObject({ code: 'storage.failed' });
      await storage.failRound('trial-1', failure);
      await expect(storage.startTraining('trial-1', rosterOf(3))).rejects.toMatchObject({ code: 'storage.failed' });
      await expect(storage.startTraining('nowhere-1', rosterOf(3))).rejects.toMatchObject({ code: 'storage.failed' });
    });

    it('fails a round whatever its message quotes', async () => {
      const { storage } = await open();
      await storage.openRound(roundRecord(1, null));
      await storage.failRound('trial-1', { ...failure, message: 'got \0, "\u00e9" and \u{1f9fa}' });
      expect(await storage.lastRound('trial')).toMatchObject({ state: 'failed', failure: { message: 'got \\0, "\u00e9" and \u{1f9fa}' } });
    });

    it('counts each task by itself', async () => {
      const { storage } = await open();
      await storage.putTask('other', {});
      await storage.openRound(roundRecord(1, 1));
      await storage.openRound(roundRecord(1, 1, 'other'));
      expect(await storage.roundsCharged('trial')).toBe(1);
      expect((await storage.spends('other')).map(({ round }) => round)).toEqual(['other-1']);
    });

    it('refuses a round of an unknown task, and leaves no half of it', async () => {
      const { storage } = await open();
      await expect(storage.openRound(roundRecord(1, null, 'unknown'))).rejects.toMatchObject({ code: 'storage.failed' });
      await expect(storage.openRound(roundRecord(1, null))).resolves.toBeUndefined();
      await expect(storage.openRound(roundRecord(1, null))).rejects.toMatchObject({ code: 'storage.failed' });
      expect(await storage.spends('trial')).toHaveLength(1);
    });

    it('pages through rounds by number', async () => {
      const { storage } = await open();
      for (let number = 1; number <= 12; number += 1) await storage.openRound(roundRecord(number, null));
      const numbers = async (after: number, limit: number): Promise<number[]> => (await storage.rounds('trial', { after, limit })).map((round) => round.number);
      expect(await numbers(0, 5)).toEqual([1, 2, 3, 4, 5]);
      expect(await numbers(9, 5)).toEqual([10, 11, 12]);
      expect(await numbers(12, 5)).toEqual([]);
      expect(await numbers(Number.MAX_SAFE_INTEGER, 5)).toEqual([]);
    });

    it('tells evaluations apart, and keeps what came of them', async () => {
      const { storage } = await open();
      await storage.openRound(roundRecord(1, null));
      await storage.startTraining('trial-1', rosterOf(3));
      await storage.openRound(evaluationRecord(2));
      await storage.openRound(evaluationRecord(3));
      await storage.failRound('trial-3', failure);
      expect(await storage.evaluations('trial')).toEqual([
        { round: 'trial-2', candidate: comparedReleases.candidate, served: comparedReleases.served, state: 'recruiting', spend: 'reserved', verdict: null },
        { round: 'trial-3', candidate: comparedReleases.candidate, served: comparedReleases.served, state: 'failed', spend: 'abandoned', verdict: null },
      ]);
      expect(await storage.roundsCharged('trial')).toBe(1);
      expect((await storage.spends('trial')).map(({ purpose }) => purpose)).toEqual(['training', 'evaluation', 'evaluation']);
      await expect(storage.concludeEvaluation('trial-2', 3, verdict)).rejects.toMatchObject({ code: 'storage.failed' });
      await storage.startTraining('trial-2', rosterOf(3));
      await storage.concludeEvaluation('trial-2', 2, verdict);
      await expect(storage.concludeEvaluation('trial-2', 2, verdict)).rejects.toMatchObject({ code: 'storage.failed' });
      await expect(storage.concludeEvaluation('trial-1', 2, verdict)).rejects.toMatchObject({ code: 'storage.failed' });
      expect((await storage.evaluations('trial')).map((evaluation) => evaluation.verdict)).toEqual([verdict, null]);
      expect(await storage.roundsDone('trial')).toBe(0);
      const rounds = await storage.rounds('trial', { after: 0, limit: 9 });
      expect(rounds.map(({ state, participants, result }) => [state, participants, result])).toEqual([['training', 3, null], ['done', 2, verdict], ['failed', null, null]]);
    });

    it('serialises reservations that race for the last share', async () => {
      const { storage } = await open();
      const outcomes = await Promise.allSettled([1, 2, 3, 4].map((number) => storage.openRound(roundRecord(number, 2))));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
      expect(await storage.roundsCharged('trial')).toBe(2);
    });
  });

  describe(`${name}: nodes`, () => {
    const [first, second] = ['1'.repeat(64), '2'.repeat(64)];

    it('pins a key at first use and knows it again, whatever the case of the name', async () => {
      const { storage } = await open();
      expect(await storage.pinNode('Corner-Shop', first)).toBe('new');
      expect(await storage.pinNode('corner-shop', first)).toBe('known');
      expect(await storage.nodes()).toMatchObject([{ name: 'Corner-Shop', publicKey: first }]);
    });

    it('refuses a second key for a name, and a second name for a key', async () => {
      const { storage } = await open();
      await storage.pinNode('one', first);
      expect(await storage.pinNode('ONE', second)).toBe('taken');
      expect(await storage.pinNode('two', first)).toBe('taken');
      expect(await storage.nodes()).toHaveLength(1);
    });

    it('gives a name to one of two keys that come at the same time', async () => {
      const { storage } = await open();
      const outcomes = await Promise.all([storage.pinNode('one', first), storage.pinNode('one', second)]);
      expect([...outcomes].sort()).toEqual(['new', 'taken']);
    });
  });

  describe(`${name}: the public record`, () => {
    const entry = (text: string): Uint8Array => new TextEncoder().encode(text);

    it('appends entries of any bytes and reads ranges of them', async () => {
      const { storage } = await open();
      expect(await storage.logSize()).toBe(0);
      const entries = [Uint8Array.of(0, 255, 10, 13), new Uint8Array(0), entry('three'), new Uint8Array(65_535).fill(7)];
      await storage.appendLog({ position: 0, entries: entries.slice(0, 3) });
      await storage.appendLog({ position: 3, entries: entries.slice(3) });
      expect(await storage.logSize()).toBe(4);
      expect(await storage.logEntries({ from: 0, limit: 9 })).toEqual(entries);
      expect(await storage.logEntries({ from: 1, limit: 2 })).toEqual(entries.slice(1, 3));
      expect(await storage.logEntries({ from: 4, limit: 2 })).toEqual([]);
    });

    it('takes an entry at the end only, once, also from two who come at the same time', async () => {
      const { storage } = await open();
      await expect(storage.appendLog({ position: 1, entries: [entry('early')] })).rejects.toMatchObject({ code: 'storage.failed' });
      await storage.appendLog({ position: 0, entries: [entry('first')], settings: { head: 'one' } });
      expect(await storage.setting('head')).toBe('one');
      await expect(storage.appendLog({ position: 0, entries: [entry('again')], settings: { head: 'two' } })).rejects.toMatchObject({ code: 'storage.failed' });
      const outcomes = await Promise.allSettled(['a', 'b'].map((text) => storage.appendLog({ position: 1, entries: [entry(text)] })));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await storage.logSize()).toBe(2);
      expect(await storage.setting('head')).toBe('one');
    });

    it('takes a step of a round with what is said of it, both or neither', async () => {
      const { storage } = await open();
      const log = (position: number) => ({ position, entries: [entry('a'), entry('b')], settings: { head: String(position) } });
      await expect(storage.openRound(roundRecord(1, 3), log(1))).rejects.toMatchObject({ code: 'storage.failed' });
      expect([await storage.lastRound('trial'), await storage.spends('trial'), await storage.logSize()]).toEqual([null, [], 0]);
      await storage.openRound(roundRecord(1, 3), log(0));
      await expect(storage.startTraining('trial-1', rosterOf(2), log(3))).rejects.toMatchObject({ code: 'storage.failed' });
      expect(await storage.lastRound('trial')).toMatchObject({ state: 'recruiting' });
      await expect(storage.startTraining('trial-2', rosterOf(2), log(2))).rejects.toMatchObject({ code: 'storage.failed' });
      expect([await storage.logSize(), await storage.setting('head')]).toEqual([2, '0']);
      await storage.startTraining('trial-1', rosterOf(2), log(2));
      const release: ReleaseRecord = { task: 'trial', version: 1, sha256: '1'.repeat(64), round: 'trial-1', manifest: manifestOf(planOf({}, 1), 1), state: 'served', serving: null, previous: null, canary: null };
      await expect(storage.publish(release, 2, log(5))).rejects.toMatchObject({ code: 'storage.failed' });
      expect(await storage.release('trial', { version: 1 })).toBeNull();
      await storage.publish(release, 2, log(4));
      expect([await storage.logSize(), await storage.setting('head'), await storage.roundsDone('trial')]).toEqual([6, '4', 1]);
      expect(await storage.logEntries({ from: 4, limit: 9 })).toEqual([entry('a'), entry('b')]);
    });

    it('keeps what was appended', async () => {
      const opened = await open();
      await opened.storage.appendLog({ position: 0, entries: [entry('first')] });
      const storage = await opened.reopen();
      expect(await storage.logEntries({ from: 0, limit: 1 })).toEqual([entry('first')]);
      await storage.appendLog({ position: 1, entries: [entry('second')] });
      expect(await storage.logSize()).toBe(2);
    });
  });

  describe(`${name}: durability`, () => {
    it('finds everything again after it was opened anew', async () => {
      const opened = await open();
      await opened.storage.openRound(roundRecord(1, 3));
      await opened.storage.startTraining('trial-1', rosterOf(2));
      await opened.storage.putSetting('key', 'value');
      await opened.storage.pinNode('one', '1'.repeat(64));
      const storage = await opened.reopen();
      expect(await storage.setting('key')).toBe('value');
      expect(await storage.lastRound('trial')).toMatchObject({ state: 'training' });
      expect(await storage.roundsCharged('trial')).toBe(1);
      expect(await storage.pinNode('one', '2'.repeat(64))).toBe('taken');
    });

    it('fails what a crash left open: charged where training had started, free where it had not', async () => {
      const opened = await open();
      await opened.storage.openRound(roundRecord(1, null));
      await opened.storage.startTraining('trial-1', rosterOf(2));
      await opened.storage.openRound(roundRecord(2, null));
      const storage = await opened.reopen();
      expect(await storage.failUnfinished('trial', failure)).toEqual(['trial-1', 'trial-2']);
      expect((await storage.rounds('trial', { after: 0, limit: 9 })).map(({ state }) => state)).toEqual(['failed', 'failed']);
      expect((await storage.spends('trial')).map(({ state }) => state)).toEqual(['committed', 'abandoned']);
      expect(await storage.failUnfinished('trial', failure)).toEqual([]);
    });
  });
}
