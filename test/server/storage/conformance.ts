/** What every storage must do, whatever the database: one suite, run once for each implementation. */
import { describe, expect, it } from 'vitest';
import type { Storage } from '../../../server/storage/storage.ts';
import { exampleEvents, manifestOf, planOf, rosterOf, roundRecord } from '../support/fixtures.ts';

export interface OpenedStorage {
  readonly storage: Storage;
  /** Closes the storage and opens what it left behind, as a new process would. */
  reopen(): Promise<Storage>;
}

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
      expect(await storage.task('trial')).toEqual({ name: 'trial', spec: { name: 'trial', changed: [1, 'two', null] }, catalogueHash: 'a'.repeat(64) });
      expect(await storage.task('other')).toBeNull();
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
      expect(await storage.spends('trial')).toEqual([{ round: 'trial-1', event: exampleEvents, epsilon: 0.25, delta: 1e-5, state: 'abandoned' }]);
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

    it('serialises reservations that race for the last share', async () => {
      const { storage } = await open();
      const outcomes = await Promise.allSettled([1, 2, 3, 4].map((number) => storage.openRound(roundRecord(number, 2))));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
      expect(await storage.roundsCharged('trial')).toBe(2);
    });
  });

  describe(`${name}: releases`, () => {
    const release = (version: number) => ({ task: 'trial', version, sha256: String(version).padStart(64, '0'), round: `trial-${version}`, manifest: manifestOf(planOf({}, version), version) });
    const train = async (storage: Storage, number: number): Promise<void> => {
      await storage.openRound(roundRecord(number, null));
      await storage.startTraining(`trial-${number}`, rosterOf(3));
    };

    it('ends the round with its release', async () => {
      const { storage } = await open();
      await train(storage, 1);
      await storage.publish(release(1), 2);
      expect(await storage.release('trial', { version: 1 })).toEqual(release(1));
      expect(await storage.release('trial', { sha256: release(1).sha256 })).toEqual(release(1));
      expect(await storage.release('trial', { version: 2 })).toBeNull();
      expect(await storage.lastRound('trial')).toMatchObject({ state: 'done', participants: 2, failure: null });
    });

    it('publishes nothing for a round that is not training', async () => {
      const { storage } = await open();
      await storage.openRound(roundRecord(1, null));
      await expect(storage.publish(release(1), 2)).rejects.toMatchObject({ code: 'storage.failed' });
      expect(await storage.release('trial', { version: 1 })).toBeNull();
    });

    it('ends no round with a version that exists already', async () => {
      const { storage } = await open();
      await train(storage, 1);
      await storage.publish(release(1), 2);
      await train(storage, 2);
      await expect(storage.publish({ ...release(2), version: 1 }, 2)).rejects.toMatchObject({ code: 'storage.failed' });
      expect(await storage.lastRound('trial')).toMatchObject({ id: 'trial-2', state: 'training' });
    });

    it('lists releases from the newest', async () => {
      const { storage } = await open();
      for (const number of [1, 2, 3]) {
        await train(storage, number);
        await storage.publish(release(number), 2);
      }
      expect((await storage.releases('trial', { before: Number.MAX_SAFE_INTEGER, limit: 2 })).map(({ version }) => version)).toEqual([3, 2]);
      expect((await storage.releases('trial', { before: 2, limit: 2 })).map(({ version }) => version)).toEqual([1]);
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
      for (const [position, bytes] of entries.entries()) await storage.appendLogEntry(position, bytes);
      expect(await storage.logSize()).toBe(4);
      expect(await storage.logEntries({ from: 0, limit: 9 })).toEqual(entries);
      expect(await storage.logEntries({ from: 1, limit: 2 })).toEqual(entries.slice(1, 3));
      expect(await storage.logEntries({ from: 4, limit: 2 })).toEqual([]);
    });

    it('takes an entry at the end only, once, also from two who come at the same time', async () => {
      const { storage } = await open();
      await expect(storage.appendLogEntry(1, entry('early'))).rejects.toMatchObject({ code: 'storage.failed' });
      await storage.appendLogEntry(0, entry('first'), { head: 'one' });
      expect(await storage.setting('head')).toBe('one');
      await expect(storage.appendLogEntry(0, entry('again'), { head: 'two' })).rejects.toMatchObject({ code: 'storage.failed' });
      const outcomes = await Promise.allSettled(['a', 'b'].map((text) => storage.appendLogEntry(1, entry(text))));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await storage.logSize()).toBe(2);
      expect(await storage.setting('head')).toBe('one');
    });

    it('keeps what was appended', async () => {
      const opened = await open();
      await opened.storage.appendLogEntry(0, entry('first'));
      const storage = await opened.reopen();
      expect(await storage.logEntries({ from: 0, limit: 1 })).toEqual([entry('first')]);
      await storage.appendLogEntry(1, entry('second'));
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
