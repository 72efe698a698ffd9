/** Participants and receipts: the part of the conformance suite that is about who reported. */
import { describe, expect, it } from 'vitest';
import type { ParticipantChange, RosterEntry } from '../../../server/storage/participant-records.ts';
import { receiptOf, rosterOf, roundRecord } from '../support/fixtures.ts';
import type { OpenedStorage } from './conformance.ts';

const failure = { code: 'round.failed', message: 'coordinator restarted' } as const;

export function participantConformance(name: string, makeStorage: () => Promise<OpenedStorage>): void {
  const open = async (): Promise<OpenedStorage> => {
    const opened = await makeStorage();
    await opened.storage.putTask('trial', { name: 'trial' });
    return opened;
  };

  describe(`${name}: participants and receipts`, () => {
    const [one, two, three] = rosterOf(3);
    const reported = (member: RosterEntry): ParticipantChange => ({ ...member, kind: 'reported', receipt: receiptOf(member) });
    const excluded = (member: RosterEntry): ParticipantChange => ({ ...member, kind: 'excluded', code: 'update.corrupt' });
    const training = async (): Promise<OpenedStorage> => {
      const opened = await open();
      await opened.storage.openRound(roundRecord(1, null));
      await opened.storage.startTraining('trial-1', [one, two, three]);
      return opened;
    };

    it('notes the roster with the charge, and neither without the other', async () => {
      const { storage } = await training();
      const roster = [one, two, three].map((member) => ({ ...member, state: 'joined', code: null }));
      expect(await storage.participants('trial-1')).toEqual(roster);
      await expect(storage.startTraining('trial-1', rosterOf(5))).rejects.toMatchObject({ code: 'storage.failed' });
      expect(await storage.participants('trial-1')).toEqual(roster);
      expect(await storage.participants('trial-2')).toEqual([]);
    });

    it('keeps who reported and who was left out, with receipt and reason', async () => {
      const { storage } = await training();
      await storage.recordParticipants('trial-1', [reported(two), excluded(three)]);
      expect(await storage.participants('trial-1')).toEqual([
        { ...one, state: 'joined', code: null }, { ...two, state: 'reported', code: null }, { ...three, state: 'excluded', code: 'update.corrupt' },
      ]);
      const { receipt: { sha256, acceptedAt }, signature } = receiptOf(two);
      expect(await storage.receipts('trial-1')).toEqual([{ participant: two.participant, sha256, signature, acceptedAt }]);
    });

    it('leaves what is known of a member when its roster comes after its masked vector', async () => {
      const { storage } = await open();
      await storage.openRound(roundRecord(1, null));
      await storage.recordParticipants('trial-1', [reported(one), excluded(two)]);
      await storage.startTraining('trial-1', [one, two, three]);
      expect((await storage.participants('trial-1')).map(({ state }) => state)).toEqual(['reported', 'excluded', 'joined']);
    });

    it('takes one receipt a report, and nothing of a batch that has a second one, also after it was opened anew', async () => {
      const opened = await training();
      await opened.storage.recordParticipants('trial-1', [reported(one)]);
      const storage = await opened.reopen();
      await storage.failUnfinished('trial', failure);
      await expect(storage.recordParticipants('trial-1', [reported(two), reported(one)])).rejects.toMatchObject({ code: 'storage.failed' });
      expect((await storage.receipts('trial-1')).map(({ participant }) => participant)).toEqual([one.participant]);
      expect((await storage.participants('trial-1')).map(({ state }) => state)).toEqual(['reported', 'joined', 'joined']);
    });

    it('takes a round of thousands at once', async () => {
      const { storage } = await open();
      await storage.openRound(roundRecord(1, null));
      const roster = rosterOf(2_500);
      await storage.startTraining('trial-1', roster);
      await storage.recordParticipants('trial-1', roster.map(reported));
      expect(await storage.receipts('trial-1')).toHaveLength(2_500);
      expect((await storage.participants('trial-1')).every(({ state }) => state === 'reported')).toBe(true);
    });

    it('keeps none for a round that was never opened', async () => {
      const { storage } = await open();
      await expect(storage.recordParticipants('nowhere-1', [reported(one)])).rejects.toMatchObject({ code: 'storage.failed' });
    });
  });
}
