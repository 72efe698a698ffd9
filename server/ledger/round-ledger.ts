/**
 * What one round says in the public record, each part before what it is about: the plan before anybody is invited,
 * roster and spend before anybody is told to train, the survivors and the release before it is served. What the journal
 * has of it is in the same commit: a sync of the disk for each step, and no step that only one of the two knows of. A
 * round that fails on the way says no more.
 */
import { planHash, type Plan } from '../../shared/federation/plan.ts';
import { planEvents } from '../../shared/federation/plan-cost.ts';
import type { Evidence } from '../../shared/ledger/evidence.ts';
import { encodeEntry, membersByGroup, planEntry, spendEntry, type GroupKeys } from '../../shared/ledger/log-entries.ts';
import { CestaError, toCestaError } from '../../shared/protocol/errors.ts';
import type { Clock } from '../clock.ts';
import type { Storage } from '../storage/storage.ts';
import type { Commit, PublicRecord, Statement } from './public-record.ts';

export interface RoundLedger {
  /** That the plan is in the record: for the invitations. */
  readonly evidence: Evidence;
  /**
   * Records who trains and what it costs.
   * @param nodes long-term keys of the members
   * @param charge commits it, with the charge in the journal
   * @param groups the same members by group, where they are drawn into groups
   */
  training(nodes: readonly string[], charge: Commit, groups?: readonly GroupKeys[] | null): Promise<void>;
  /** Records whose reports to this plan are in a sum that makes no release, by their keys. */
  survivors(nodes: readonly string[], groups?: readonly GroupKeys[] | null): Promise<void>;
  /**
   * Records the release of a sum, and whose reports to this plan are in that, before it is served.
   * @param publish commits it, with the release in the journal; its file is durable already
   */
  released(release: RecordedRelease, publish: Commit): Promise<void>;
  /** Records that a node signed two different statements in this round. See {@link PublicRecord.equivocation}. */
  equivocation(node: string, first: Statement, second: Statement): Promise<number>;
}

export interface RecordedRelease {
  readonly version: number;
  readonly sha256: string;
  /** Long-term keys. */
  readonly survivors: readonly string[];
  /** The same by group, where members are drawn into groups. */
  readonly groups?: readonly GroupKeys[] | null;
  /** It is a candidate, not served. */
  readonly held?: boolean;
}

export interface RoundLedgerContext {
  readonly record: PublicRecord;
  readonly storage: Pick<Storage, 'failRound'>;
  readonly clock: Clock;
  /** Cosignatures that the head above a plan must have before anybody is invited. */
  readonly quorum: number;
  /** How long they may take. */
  readonly witnessMs: number;
}

/** @throws CestaError `protocol.too-large` for a plan that no entry of the record can hold. */
export function requireRecordable(plan: Plan): void {
  encodeEntry(planEntry(plan));
}

/**
 * Records the plan of a round. If that cannot be, or no witness signs it, the round has failed before it began, and its
 * share of the budget is free again.
 * @param reserve commits the plan, with its reservation in the journal
 * @param signal ends the wait for witnesses
 * @throws CestaError `round.failed` when witnesses do not sign in time; what {@link PublicRecord.appendWith} throws.
 */
export async function openRoundLedger(context: RoundLedgerContext, plan: Plan, reserve: Commit, signal: AbortSignal): Promise<RoundLedger> {
  try {
    const position = await context.record.appendWith(() => [planEntry(plan)], reserve);
    if (context.quorum > 0) await untilCosigned(context, position, signal);
    return ledgerOf(context, plan, context.record.evidence(position, context.quorum));
  } catch (error) {
    const { code, message } = toCestaError(error);
    await context.storage.failRound(plan.round, { code, message });
    throw error;
  }
}

function ledgerOf(context: RoundLedgerContext, plan: Plan, evidence: Evidence): RoundLedger {
  const { record } = context;
  const { task, round } = plan;
  const ref = { task, round, planHash: planHash(plan) };
  return {
    evidence,
    async training(nodes, charge, groups = null) {
      await record.appendWith(({ rdpOf }) => [{ type: 'roster', ...ref, ...membersByGroup(nodes, groups) }, spendEntry(ref, planEvents(plan), rdpOf(task))], charge);
    },
    async survivors(nodes, groups = null) {
      await record.append({ type: 'survivors', ...ref, ...membersByGroup(nodes, groups) });
    },
    async released({ version, sha256, survivors, groups = null, held }, publish) {
      await record.appendWith(() => [
        { type: 'survivors', ...ref, ...membersByGroup(survivors, groups) },
        { type: 'round-result', ...ref, version, release: sha256, ...(held === true ? { held } : {}) },
      ], publish);
    },
    equivocation: (node, first, second) => record.equivocation(node, round, first, second),
  };
}

async function untilCosigned({ record, clock, quorum, witnessMs }: RoundLedgerContext, position: number, signal: AbortSignal): Promise<void> {
  if (record.isCosigned(position, quorum)) return;
  if (signal.aborted) throw new CestaError('round.failed', 'witnesses: expected to wait for them, and the coordinator is stopping');
  const isCosigned = await new Promise<boolean>((resolve) => {
    const settle = (signed: boolean): void => {
      signal.removeEventListener('abort', giveUp);
      cancelTimer();
      cancelListener();
      resolve(signed);
    };
    const giveUp = (): void => settle(false);
    signal.addEventListener('abort', giveUp);
    const cancelTimer = clock.after(witnessMs, giveUp);
    const cancelListener = record.onCosigned(() => {
      if (record.isCosigned(position, quorum)) settle(true);
    });
  });
  if (!isCosigned) throw new CestaError('round.failed', `witnesses: expected cosignatures of ${quorum} within ${witnessMs} ms, got fewer`);
}
