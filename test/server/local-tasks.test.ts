import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { coordinatorFor } from './support/coordinators.ts';
import { taskInput } from './support/fixtures.ts';
import { temporaryFolder } from './support/folders.ts';
import { openLibsqlStorage } from '../../server/storage/libsql-storage.ts';
import { roundRecord } from './support/fixtures.ts';

const sequence = { ...(taskInput() as object), model: { kind: 'sequence', hyperParameters: { architecture: 'two-tower', width: 4 } } };

describe('a coordinator', () => {
  it.each([false, true])('refuses what it cannot enforce before anybody connects, with an open catalogue (%s) or a fixed one', async (open) => {
    for (const [terms, field] of [[{ strategy: { kind: 'fedavg' } }, 'strategy'], [{ unit: 'shop' }, 'unit'], [{ weightedUpTo: 5 }, 'weightedUpTo']] as const) {
      await expect(coordinatorFor({ open, task: { ...(taskInput() as object), ...terms } })).rejects.toMatchObject({ code: 'plan.invalid', message: expect.stringMatching(new RegExp(`^${field}: `)) as string });
    }
    // The default optimiser of the model has no one rate.
    await expect(coordinatorFor({ open, task: { ...sequence, unit: 'shop', strategy: { kind: 'scaffold', localSteps: 2 } } })).rejects.toMatchObject({ code: 'plan.invalid' });
    const coordinator = await coordinatorFor({ open, task: { ...sequence, unit: 'shop', strategy: { kind: 'fedyogi' }, weightedUpTo: 50 } });
    expect(coordinator.url).toContain('http');
  });

  it('says whose data the budget is about', async () => {
    const privacy = { mode: 'local', epsilon: 3, delta: 1e-5, clipNorm: 1, encoding: 'rotated' };
    const { url } = await coordinatorFor({ task: { ...sequence, privacy, unit: 'shop' } });
    expect(await (await fetch(`${url}/v1/budget`)).json()).toMatchObject({ unit: 'one whole shop', shopLedger: null, shopperLedger: { unit: 'one shopper in one shop' } });
  });

  it('does not change unit, strategy or weights of a task that has begun', async () => {
    const dataDir = temporaryFolder();
    const begun = { ...sequence, strategy: { kind: 'fedadam' } };
    await (await coordinatorFor({ dataDir, task: begun })).close();
    const storage = await openLibsqlStorage(join(dataDir));
    await storage.openRound(roundRecord(1, null));
    await storage.close();
    for (const [changes, field] of [[{ strategy: { kind: 'fedavg' } }, 'strategy'], [{ weightedUpTo: 3 }, 'weightedUpTo'], [{ unit: 'shop' }, 'unit']] as const) {
      await expect(coordinatorFor({ dataDir, task: { ...begun, ...changes } })).rejects.toMatchObject({ code: 'plan.invalid', message: expect.stringContaining(`${field}: expected`) as string });
    }
    await (await coordinatorFor({ dataDir, task: begun })).close();
  });
});
