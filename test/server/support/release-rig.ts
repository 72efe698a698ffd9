/** Releases over a real journal and a real public record, without shops: rounds that are trained as soon as they are asked for. */
import { join } from 'node:path';
import { createReleaseLedger } from '../../../server/ledger/release-ledger.ts';
import { openPublicRecord, type PublicRecord } from '../../../server/ledger/public-record.ts';
import { reconcile } from '../../../server/ledger/reconcile.ts';
import { openRoundLedger } from '../../../server/ledger/round-ledger.ts';
import { createReleases, type PublishedRelease, type Releases } from '../../../server/releases.ts';
import { openBlobStore } from '../../../server/storage/blobs.ts';
import { openLibsqlStorage } from '../../../server/storage/libsql-storage.ts';
import type { ReleaseRecord, Storage } from '../../../server/storage/storage.ts';
import { roundCost } from '../../../shared/federation/budget-report.ts';
import { planHash } from '../../../shared/federation/plan.ts';
import { decodeEntry, type LogEntry } from '../../../shared/ledger/log-entries.ts';
import { planRules } from '../../../shared/ledger/plan-rules.ts';
import { replayLog, type TaskTotals } from '../../../shared/ledger/replay.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';
import { fakeClock, type FakeClock } from './fake-clock.ts';
import { model, planOf, rosterOf, silent } from './fixtures.ts';
import { temporaryFolder } from './folders.ts';
import { recordKey } from './records.ts';

/** Statements that can be made to fail: `before` they have any effect, or `after` they had all of it. */
export type Fault = readonly [when: 'before' | 'after', statement: 'restoreRelease' | 'serveRelease' | 'publish' | 'appendLog' | 'putSetting'];

export interface ReleaseRig {
  readonly storage: Storage;
  readonly record: PublicRecord;
  readonly releases: Releases;
  readonly blobs: string;
  /** Trains a round that starts from what is served, or from `base`, and publishes its release. */
  readonly round: (options?: { hold?: boolean; base?: string | null }) => Promise<PublishedRelease>;
  /** The next statement of this kind fails. */
  fail(fault: Fault): void;
  /** Another process on the same disk. */
  restart(): Promise<ReleaseRig>;
  /** `version state` of all, newest first, and what it restores. */
  states(): Promise<string[]>;
  entries(): Promise<LogEntry[]>;
  /** What whoever replays the record finds. @throws when the record contradicts itself */
  replayed(): Promise<TaskTotals>;
}

const shops = ['one', 'two'];
const keys = shops.map((_, index) => String(index + 1).repeat(64));

export async function releaseRig(): Promise<ReleaseRig> {
  const folder = temporaryFolder();
  const storage = await openLibsqlStorage(folder);
  await storage.putTask('trial', {});
  for (const [index, shop] of shops.entries()) await storage.pinNode(shop, keys[index]);
  return start(storage, join(folder, 'blobs'), fakeClock());
}

async function start(disk: Storage, blobs: string, clock: FakeClock): Promise<ReleaseRig> {
  let fault: Fault | null = null;
  const breakable = <A extends unknown[]>(statement: Fault[1], run: (...args: A) => Promise<void>) => async (...args: A): Promise<void> => {
    const now = fault?.[1] === statement ? fault[0] : null;
    if (now !== null) fault = null;
    if (now !== 'before') await run(...args);
    if (now !== null) throw new CestaError('storage.failed', `${statement}: the disk is gone`);
  };
  const storage: Storage = {
    ...disk,
    restoreRelease: breakable('restoreRelease', (release: ReleaseRecord) => disk.restoreRelease(release)),
    serveRelease: breakable('serveRelease', (...args: Parameters<Storage['serveRelease']>) => disk.serveRelease(...args)),
    publish: breakable('publish', (...args: Parameters<Storage['publish']>) => disk.publish(...args)),
    appendLog: breakable('appendLog', (...args: Parameters<Storage['appendLog']>) => disk.appendLog(...args)),
    putSetting: breakable('putSetting', (...args: Parameters<Storage['putSetting']>) => disk.putSetting(...args)),
  };
  const record = await openPublicRecord({ storage, key: recordKey });
  await reconcile(record, storage, 'trial');
  const releases = createReleases({ task: 'trial', storage, blobs: await openBlobStore(blobs), key: recordKey, clock, logger: silent, modelOf: () => model, ledger: createReleaseLedger(record, storage, 'trial') });
  await releases.load();
  return {
    storage, record, releases, blobs,
    async round({ hold = false, base = releases.current?.sha256 ?? null } = {}) {
      const number = await storage.nextRoundNumber('trial');
      const plan = { ...planOf({ rounds: 99 }, number), baseRelease: base };
      const { epsilon, delta } = roundCost(plan);
      const reserved = { task: 'trial', number, plan, planHash: planHash(plan), spend: { event: [], epsilon, delta }, admit: null };
      const ledger = await openRoundLedger({ record, storage, clock, quorum: 0, witnessMs: 1 }, plan, (log) => storage.openRound(reserved, log), new AbortController().signal);
      await ledger.training(keys, (log) => storage.startTraining(plan.round, rosterOf(shops.length), log));
      const aggregate = { sum: Float64Array.of(number, 2, 3, 4), shoppers: 9, noiseStd: 0, nextClipNorm: null };
      return releases.publish(model, { plan, aggregate, participants: shops.length, survivors: keys, charged: [] }, {
        hold, record: ({ manifest: { version }, sha256 }, write) => ledger.released({ version, sha256, survivors: keys, held: hold }, write),
      });
    },
    fail: (next) => void (fault = next),
    restart: () => start(disk, blobs, clock),
    states: async () => (await releases.list({ before: 99, limit: 99 })).map(({ version, state, restores }) => `${version} ${state}${restores === null ? '' : ` as ${restores}`}`),
    entries: async () => (await storage.logEntries({ from: 0, limit: 999 })).map(decodeEntry),
    async replayed() {
      const { totals, inconsistency } = replayLog(await storage.logEntries({ from: 0, limit: 999 }), planRules);
      if (inconsistency !== null) throw new Error(`entry ${inconsistency.index}: ${inconsistency.reason}`);
      return totals.tasks[0];
    },
  };
}
