import { describe, expect, it } from 'vitest';
import { openTrail } from '../../../server/admin/trail.ts';
import { openLibsqlStorage } from '../../../server/storage/libsql-storage.ts';
import { silent } from '../support/fixtures.ts';
import { temporaryFolder } from '../support/folders.ts';

describe('a trail that is to be closed', () => {
  it('is not idle before what an operator does is done and entered, though nobody waits for the answer any more', async () => {
    const storage = await openLibsqlStorage(temporaryFolder());
    const trail = await openTrail(storage, silent);
    let finish: () => void = () => undefined;
    const acting = trail.record({ operator: 'admin', action: 'task.cancel', target: 'trial', request: null }, () => new Promise<void>((resolve) => void (finish = resolve)));
    let isIdle = false;
    const idle = trail.idle().then(() => void (isIdle = true));
    await expect.poll(async () => (await storage.actions({ before: 9, limit: 9 })).length).toBe(1);
    expect(isIdle).toBe(false);
    finish();
    await Promise.all([idle, acting]);
    expect(await storage.actions({ before: 9, limit: 9 })).toMatchObject([{ action: 'task.cancel', outcome: 'done' }]);
    await storage.close();
  });
});
