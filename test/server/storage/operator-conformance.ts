/** What every storage must do about operators, whatever the database. */
import { describe, expect, it } from 'vitest';
import type { NewAction, NewOperator } from '../../../server/storage/operator-records.ts';
import type { OpenedStorage } from './conformance.ts';

const operator = (name: string, digit: string): NewOperator => ({ name, tokenHash: digit.repeat(64), totpSealed: digit.repeat(96) });
const action = (number: number, changes: Partial<NewAction> = {}): NewAction => ({ number, operator: 'admin', action: 'task.pause', target: 'trial', request: null, ...changes });

export function operatorConformance(name: string, open: () => Promise<OpenedStorage>): void {
  describe(`${name}: operators`, () => {
    it('are kept in order until they are revoked', async () => {
      const opened = await open();
      expect(await opened.storage.operators()).toEqual([]);
      await opened.storage.putOperator(operator('two', '2'));
      await opened.storage.putOperator(operator('one', '1'));
      await opened.storage.putOperator(operator('gone', '3'));
      await opened.storage.revokeOperator('gone');
      const storage = await opened.reopen();
      expect(await storage.operators()).toEqual(['1', '2'].map((digit) => ({ ...operator(digit === '1' ? 'one' : 'two', digit), lastTotpStep: 0, createdAt: expect.stringMatching(/Z$/) as string })));
    });

    it('get the place of whoever had the name, in force or not, and no two the same token', async () => {
      const { storage } = await open();
      await storage.putOperator(operator('one', '1'));
      await storage.noteTotpStep('one', 7);
      await storage.putOperator(operator('one', '2'));
      expect(await storage.operators()).toMatchObject([{ ...operator('one', '2'), lastTotpStep: 0 }]);
      await storage.revokeOperator('one');
      await storage.putOperator(operator('one', '3'));
      expect(await storage.operators()).toMatchObject([operator('one', '3')]);
      await expect(storage.putOperator(operator('other', '3'))).rejects.toMatchObject({ code: 'storage.failed' });
    });

    it('have steps that only rise, and outlive a restart', async () => {
      const opened = await open();
      await opened.storage.putOperator(operator('one', '1'));
      const step = 60_000_000_000;
      await opened.storage.noteTotpStep('one', step);
      await opened.storage.noteTotpStep('one', step - 1);
      expect((await (await opened.reopen()).operators())[0].lastTotpStep).toBe(step);
    });

    it('are made together with the envelope that asks for it', async () => {
      const { storage } = await open();
      const envelope = { node: 'ab'.repeat(32), seq: 1, statement: '00', signature: 'ab'.repeat(64), answer: { kind: 'done', body: {} } } as const;
      await storage.putOperator(operator('one', '1'));
      await storage.commitIdentity(envelope, { kind: 'operator', operator: operator('one', '2') });
      expect(await storage.operators()).toMatchObject([operator('one', '2')]);
      await expect(storage.commitIdentity(envelope, { kind: 'operator', operator: operator('one', '3') })).rejects.toMatchObject({ code: 'storage.failed' });
      expect(await storage.operators()).toMatchObject([operator('one', '2')]);
    });
  });

  describe(`${name}: what operators did`, () => {
    it('is listed newest first, page by page, with what came of it', async () => {
      const opened = await open();
      expect(await opened.storage.lastAction()).toBe(0);
      await opened.storage.beginAction(action(1, { request: 'some-id' }));
      await opened.storage.endAction(1, 'done');
      await opened.storage.endAction(1, 'internal');
      await opened.storage.beginAction(action(2, { target: null }));
      await opened.storage.beginAction(action(3));
      await opened.storage.endAction(3, 'task.state');
      const storage = await opened.reopen();
      expect(await storage.lastAction()).toBe(3);
      expect(await storage.actions({ before: 100, limit: 2 })).toMatchObject([{ ...action(3), outcome: 'task.state' }, { ...action(2, { target: null }), outcome: null }]);
      expect(await storage.actions({ before: 2, limit: 2 })).toMatchObject([{ ...action(1, { request: 'some-id' }), outcome: 'done', at: expect.stringMatching(/Z$/) as string }]);
    });

    it('has one entry for each number', async () => {
      const { storage } = await open();
      await storage.beginAction(action(1));
      await expect(storage.beginAction(action(1, { operator: 'other' }))).rejects.toMatchObject({ code: 'storage.failed' });
    });
  });
}
