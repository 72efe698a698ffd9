/** What every storage must do with releases, whatever the database. */
import { describe, expect, it } from 'vitest';
import type { ReleaseRecord, Storage } from '../../../server/storage/storage.ts';
import { manifestOf, planOf, rosterOf, roundRecord } from '../support/fixtures.ts';
import type { OpenedStorage } from './conformance.ts';

export function releaseConformance(name: string, makeStorage: () => Promise<OpenedStorage>): void {
  const open = async (): Promise<OpenedStorage> => {
    const opened = await makeStorage();
    await opened.storage.putTask('trial', { name: 'trial' });
    return opened;
  };

  describe(`${name}: releases`, () => {
    const release = (version: number, changes: Partial<ReleaseRecord> = {}): ReleaseRecord => ({ task: 'trial', version, sha256: String(version).padStart(64, '0'), round: `trial-${version}`, manifest: manifestOf(planOf({}, version), version), state: 'served', serving: null, previous: version === 1 ? null : version - 1, canary: null, ...changes });
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

    it('remembers why a canary held a release back, also when that is served', async () => {
      const opened = await open();
      const canary = { probes: 200, factor: 3, share: 0.05, items: [{ item: 'brass-bell', served: 0.01, candidate: 0.4 }] };
      await train(opened.storage, 1);
      await opened.storage.publish(release(1, { state: 'candidate', canary }), 2);
      await opened.storage.serveRelease('trial', 1, { serving: { change: 'promotion', reason: 'operator' }, previous: null });
      expect(await (await opened.reopen()).release('trial', { version: 1 })).toMatchObject({ state: 'served', canary });
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

    it('keeps candidates apart from what was served, and counts their rounds as done', async () => {
      const opened = await open();
      const { storage } = opened;
      for (const number of [1, 2, 3]) {
        await train(storage, number);
        await storage.publish(release(number, number === 1 ? {} : { state: 'candidate', previous: null }), 2);
      }
      await storage.rejectRelease('trial', 3);
      const states = async (from: Storage): Promise<string[]> => (await from.releases('trial', { before: 9, limit: 9 })).map(({ version, state }) => `${version} ${state}`);
      expect(await states(storage)).toEqual(['3 rejected', '2 candidate', '1 served']);
      expect((await storage.releases('trial', { before: 9, limit: 9, state: 'served' })).map(({ version }) => version)).toEqual([1]);
      expect((await storage.releases('trial', { before: 3, limit: 9, state: 'candidate' })).map(({ version }) => version)).toEqual([2]);
      expect([await storage.roundsDone('trial'), await storage.roundsDone('other')]).toEqual([3, 0]);
      expect(await states(await opened.reopen())).toEqual(['3 rejected', '2 candidate', '1 served']);
    });

    it('serves a candidate, or one that was rejected, once, and remembers how', async () => {
      const { storage } = await open();
      const change = { serving: { change: 'promotion', reason: 'gate' }, previous: 1 } as const;
      for (const number of [1, 2, 3]) {
        await train(storage, number);
        await storage.publish(release(number, number === 1 ? {} : { state: 'candidate', previous: null }), 2);
      }
      await storage.rejectRelease('trial', 3);
      for (const version of [2, 3]) {
        await storage.serveRelease('trial', version, change);
        expect(await storage.release('trial', { version })).toEqual(release(version, { state: 'served', ...change }));
        await expect(storage.serveRelease('trial', version, change)).rejects.toMatchObject({ code: 'storage.failed' });
        await expect(storage.rejectRelease('trial', version)).rejects.toMatchObject({ code: 'storage.failed' });
      }
      await expect(storage.serveRelease('trial', 9, change)).rejects.toMatchObject({ code: 'storage.failed' });
    });

    it('knows which file is the form of a release at each precision, the newest it was told', async () => {
      const opened = await open();
      const { storage } = opened;
      const { sha256 } = release(1);
      expect(await storage.servingForm(sha256, 'int8')).toBeNull();
      await storage.putServingForm(sha256, 'int8', 'a'.repeat(64));
      await storage.putServingForm(sha256, 'float32', sha256);
      await storage.putServingForm(sha256, 'int8', 'b'.repeat(64));
      const forms = async (from: Storage): Promise<(string | null)[]> => [await from.servingForm(sha256, 'int8'), await from.servingForm(sha256, 'float32'), await from.servingForm(release(2).sha256, 'int8')];
      expect(await forms(storage)).toEqual(['b'.repeat(64), sha256, null]);
      expect(await forms(await opened.reopen())).toEqual(['b'.repeat(64), sha256, null]);
    });

    it('takes a release of a round that ended already, under a version of its own', async () => {
      const { storage } = await open();
      await train(storage, 1);
      await storage.publish(release(1), 2);
      const again = release(2, { round: 'trial-1', manifest: { ...manifestOf(planOf({}, 1), 2), restores: 1 }, serving: { change: 'rollback', reason: 'operator' }, previous: null });
      await storage.restoreRelease(again);
      expect(await storage.release('trial', { sha256: again.sha256 })).toEqual(again);
      await expect(storage.restoreRelease({ ...again, sha256: 'f'.repeat(64) })).rejects.toMatchObject({ code: 'storage.failed' });
      expect(await storage.roundsDone('trial')).toBe(1);
    });
  });
}
