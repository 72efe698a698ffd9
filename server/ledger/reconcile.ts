/**
 * After a crash, or a disk that failed half-way, the journal may be a step ahead of the public record: it is written
 * first, so that nothing can be in the record that never was. What it has charged or released beyond the record is
 * recorded here, once.
 */
import { journalledEvents } from '../../shared/federation/budget-report.ts';
import { planEntry, spendEntry } from '../../shared/ledger/log-entries.ts';
import type { ReleaseRecord, RoundRecord, SpendRecord, Storage } from '../storage/storage.ts';
import type { PublicRecord } from './public-record.ts';

const pageSize = 100;

/** What of the storage the record must agree with. */
export type Journal = Pick<Storage, 'rounds' | 'spends' | 'releases'>;

/**
 * Records what the journal of a task has and the record has not. Call it when no round trains. Rosters that a crash
 * kept out of the record stay unknown.
 * @returns entries appended.
 */
export async function reconcile(record: PublicRecord, storage: Journal, task: string): Promise<number> {
  const before = record.size;
  const [newest] = await storage.releases(task, { before: Number.MAX_SAFE_INTEGER, limit: 1 });
  const charged = new Map((await storage.spends(task)).filter(({ state }) => state === 'committed').map((spend) => [spend.round, spend]));
  const hasAllSpends = [...charged.keys()].every((round) => record.before.roundOf(round)?.isCharged === true);
  if (hasAllSpends && (newest?.version ?? 0) <= newestRecorded(record, task)) return 0;
  const releases = new Map((await allReleases(storage, task)).map((release) => [release.round, release]));
  for await (const round of allRounds(storage, task)) {
    const spend = charged.get(round.id);
    // Where training never started there is nothing to say: a plan that failed has no result.
    if (spend !== undefined) await catchUp(record, round, spend, releases.get(round.id));
  }
  return record.size - before;
}

async function catchUp(record: PublicRecord, { id: round, task, plan, planHash }: RoundRecord, spend: SpendRecord, release: ReleaseRecord | undefined): Promise<void> {
  const ref = { task, round, planHash };
  const known = record.before.roundOf(round);
  if (known === null) await record.append(planEntry(plan));
  if (known?.isCharged !== true) await record.append(({ rdpOf }) => spendEntry(ref, journalledEvents(round, spend.event), rdpOf(task)));
  if (release === undefined || known?.isDone === true) return;
  // A release that later ones have overtaken was never served under this record.
  if (release.version > newestRecorded(record, task)) await record.append({ type: 'round-result', ...ref, version: release.version, release: release.sha256 });
}

function newestRecorded(record: PublicRecord, task: string): number {
  return record.before.totals().tasks.find((totals) => totals.task === task)?.release?.version ?? 0;
}

async function* allRounds(storage: Pick<Storage, 'rounds'>, task: string): AsyncGenerator<RoundRecord> {
  for (let after = 0; ;) {
    const rounds = await storage.rounds(task, { after, limit: pageSize });
    yield* rounds;
    const last = rounds.at(-1);
    if (last === undefined) return;
    after = last.number;
  }
}

async function allReleases(storage: Pick<Storage, 'releases'>, task: string): Promise<ReleaseRecord[]> {
  const releases: ReleaseRecord[] = [];
  for (let before = Number.MAX_SAFE_INTEGER; ;) {
    const page = await storage.releases(task, { before, limit: pageSize });
    releases.push(...page);
    const last = page.at(-1);
    if (last === undefined) return releases;
    before = last.version;
  }
}
