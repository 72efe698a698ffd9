/**
 * The journal may be a step ahead of the public record: where an operator's change of releases crashed half-way, and
 * where an earlier version wrote it first, step by step. What it has charged, released or served beyond the record is
 * recorded here, once.
 */
import { journalledEvents } from '../../shared/federation/budget-report.ts';
import { planEntry, spendEntry } from '../../shared/ledger/log-entries.ts';
import type { RoundRecord, SpendRecord, Storage } from '../storage/storage.ts';
import type { PublicRecord } from './public-record.ts';
import { catchUpReleases } from './release-ledger.ts';

const pageSize = 100;

/** What of the storage the record must agree with. */
export type Journal = Pick<Storage, 'rounds' | 'spends' | 'releases'>;

/**
 * Records what the journal of a task has and the record has not. Call it when no round trains. Rosters that a crash
 * kept out of the record stay unknown.
 * @returns entries appended.
 */
export async function reconcile(record: PublicRecord, storage: Journal, task: string): Promise<number> {
  await record.refresh();
  const before = record.size;
  await catchUpSpends(record, storage, task);
  await catchUpReleases(record, storage, task);
  return record.size - before;
}

async function catchUpSpends(record: PublicRecord, storage: Journal, task: string): Promise<void> {
  const charged = new Map((await storage.spends(task)).filter(({ state }) => state === 'committed').map((spend) => [spend.round, spend]));
  if ([...charged.keys()].every((round) => record.before.roundOf(round)?.isCharged === true)) return;
  for await (const round of allRounds(storage, task)) {
    const spend = charged.get(round.id);
    // Where training never started there is nothing to say: a plan that failed has no result.
    if (spend !== undefined) await catchUpSpend(record, round, spend);
  }
}

async function catchUpSpend(record: PublicRecord, { id: round, task, plan, planHash }: RoundRecord, spend: SpendRecord): Promise<void> {
  const known = record.before.roundOf(round);
  if (known === null) await record.append(planEntry(plan));
  if (known?.isCharged !== true) await record.append(({ rdpOf }) => spendEntry({ task, round, planHash }, journalledEvents(round, spend.event), rdpOf(task)));
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
