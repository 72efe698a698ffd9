import { describe, expect, it } from 'vitest';
import { reconcile } from '../../../server/ledger/reconcile.ts';
import { openPublicRecord, type PublicRecord } from '../../../server/ledger/public-record.ts';
import { openLibsqlStorage } from '../../../server/storage/libsql-storage.ts';
import type { ReleaseRecord, Storage } from '../../../server/storage/storage.ts';
import { planHash } from '../../../shared/federation/plan.ts';
import { planEvents } from '../../../shared/federation/plan-cost.ts';
import { decodeEntry, planEntry, spendEntry } from '../../../shared/ledger/log-entries.ts';
import { planRules } from '../../../shared/ledger/plan-rules.ts';
import { replayLog } from '../../../shared/ledger/replay.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';
import { manifestOf, planOf, rosterOf } from '../support/fixtures.ts';
import { temporaryFolder } from '../support/folders.ts';
import { recordKey } from '../support/records.ts';

const planAt = (number: number) => planOf({ mode: 'local', rounds: 5 }, number);

const releaseAt = (version: number): ReleaseRecord => ({
  task: 'trial', version, sha256: String(version).repeat(64), round: `trial-${version}`, manifest: manifestOf(planAt(version), version), state: 'served', serving: null, previous: null, canary: null,
});

interface Rig {
  readonly storage: Storage;
  readonly record: PublicRecord;
  readonly types: () => Promise<string[]>;
}

async function rig(): Promise<Rig> {
  const storage = await openLibsqlStorage(temporaryFolder());
  await storage.putTask('trial', {});
  return {
    storage,
    record: await openPublicRecord({ storage, key: recordKey }),
    types: async () => (await storage.logEntries({ from: 0, limit: 99 })).map((bytes) => decodeEntry(bytes).type),
  };
}

async function journal(storage: Storage, number: number, upTo: 'open' | 'training' | 'done' | 'candidate' | 'failed'): Promise<void> {
  const plan = planAt(number);
  await storage.openRound({ task: 'trial', number, plan, planHash: planHash(plan), admit: null, spend: { event: planEvents(plan).map((event) => ({ ...event })), epsilon: 1, delta: 1e-5 } });
  if (upTo === 'open') return;
  if (upTo !== 'failed') await storage.startTraining(plan.round, rosterOf(2));
  if (upTo === 'done') await storage.publish(releaseAt(number), 2);
  if (upTo === 'candidate') await storage.publish({ ...releaseAt(number), state: 'candidate' }, 2);
  if (upTo === 'failed') await storage.failRound(plan.round, { code: 'round.failed', message: 'too few' });
}

describe('a public record that is behind its journal', () => {
  it('catches up with what was charged and released, once', async () => {
    const { storage, record, types } = await rig();
    await journal(storage, 1, 'done');
    await journal(storage, 2, 'failed');
    await journal(storage, 3, 'training');
    expect(await reconcile(record, storage, 'trial')).toBe(5);
    expect(await types()).toEqual(['round-plan', 'budget-spend', 'round-plan', 'budget-spend', 'round-result']);
    expect(await reconcile(record, storage, 'trial')).toBe(0);
    expect(await reconcile(await openPublicRecord({ storage, key: recordKey }), storage, 'trial')).toBe(0);
    const entries = await storage.logEntries({ from: 0, limit: 99 });
    expect(replayLog(entries, planRules)).toMatchObject({ inconsistency: null, totals: { tasks: [{ rounds: { charged: 2, released: 1 }, release: { version: 1 } }] } });
  });

  it('needs nothing for rounds that were never charged', async () => {
    const { storage, record } = await rig();
    await journal(storage, 1, 'failed');
    await record.append(planEntry(planAt(2)));
    await journal(storage, 2, 'failed');
    expect(await reconcile(record, storage, 'trial')).toBe(0);
  });

  it('goes on at whichever step the crash came', async () => {
    const steps = [
      { recorded: [], missing: ['round-plan', 'budget-spend', 'round-result'] },
      { recorded: ['plan'], missing: ['budget-spend', 'round-result'] },
      { recorded: ['plan', 'spend'], missing: ['round-result'] },
      { recorded: ['plan', 'spend', 'result'], missing: [] },
    ];
    for (const { recorded, missing } of steps) {
      const { storage, record, types } = await rig();
      await journal(storage, 1, 'done');
      const ref = { task: 'trial', round: 'trial-1', planHash: planHash(planAt(1)) };
      if (recorded.includes('plan')) await record.append(planEntry(planAt(1)));
      if (recorded.includes('spend')) await record.append(({ rdpOf }) => spendEntry(ref, planEvents(planAt(1)), rdpOf('trial')));
      if (recorded.includes('result')) await record.append({ type: 'round-result', ...ref, version: 1, release: '1'.repeat(64) });
      await reconcile(record, storage, 'trial');
      expect((await types()).slice(recorded.length)).toEqual(missing);
    }
  });

  it('leaves out a release that a later one has overtaken', async () => {
    const { storage, record, types } = await rig();
    await journal(storage, 1, 'done');
    await journal(storage, 2, 'done');
    const plan = planAt(2);
    const ref = { task: 'trial', round: plan.round, planHash: planHash(plan) };
    await record.append(planEntry(plan));
    await record.append(({ rdpOf }) => spendEntry(ref, planEvents(plan), rdpOf('trial')));
    await record.append({ type: 'round-result', ...ref, version: 2, release: '2'.repeat(64) });
    expect(await reconcile(record, storage, 'trial')).toBe(2);
    expect((await types()).slice(3)).toEqual(['round-plan', 'budget-spend']);
  });

  it('says what is held back, promoted and served again, and that in order', async () => {
    const { storage, record } = await rig();
    await journal(storage, 1, 'done');
    await journal(storage, 2, 'candidate');
    await journal(storage, 3, 'candidate');
    await storage.serveRelease('trial', 2, { serving: { change: 'promotion', reason: 'gate' }, previous: 1 });
    await reconcile(record, storage, 'trial');
    await storage.restoreRelease({ ...releaseAt(4), round: 'trial-1', manifest: { ...manifestOf(planAt(1), 4), restores: 1 }, serving: { change: 'rollback', reason: 'operator' } });
    expect(await reconcile(record, storage, 'trial')).toBe(1);
    expect(await reconcile(record, storage, 'trial')).toBe(0);
    const entries = (await storage.logEntries({ from: 0, limit: 99 })).map(decodeEntry).filter(({ type }) => type === 'round-result' || type === 'release-served');
    expect(entries).toMatchObject([
      { type: 'round-result', version: 1 },
      { type: 'round-result', version: 2, held: true },
      { type: 'round-result', version: 3, held: true },
      { type: 'release-served', version: 2, change: 'promotion', reason: 'gate' },
      { type: 'release-served', version: 4, restores: 1, change: 'rollback', reason: 'operator' },
    ]);
    expect(entries[0]).not.toHaveProperty('held');
    expect(replayLog(await storage.logEntries({ from: 0, limit: 99 }), planRules)).toMatchObject({ inconsistency: null, totals: { tasks: [{ release: { version: 4, restores: { version: 1 } } }] } });
  });

  it('does not take for recorded what a disk refused', async () => {
    const { storage, types } = await rig();
    await journal(storage, 1, 'done');
    let isGone = true;
    const record = await openPublicRecord({ storage: { ...storage, appendLog: (log) => (isGone ? Promise.reject(new CestaError('storage.failed', 'gone')) : storage.appendLog(log)) }, key: recordKey });
    await expect(reconcile(record, storage, 'trial')).rejects.toMatchObject({ code: 'storage.failed' });
    isGone = false;
    expect(await reconcile(record, storage, 'trial')).toBe(3);
    expect(await types()).toEqual(['round-plan', 'budget-spend', 'round-result']);
  });
});
