/**
 * What one round says in the public record, each part before what it is about: the plan before anybody is invited,
 * roster and spend before anybody is told to train, the survivors and the release before it is served. A round that
 * fails on the way says no more.
 */
import { planHash, type Plan } from '../../shared/federation/plan.ts';
import { planEvents } from '../../shared/federation/plan-cost.ts';
import type { Evidence } from '../../shared/ledger/evidence.ts';
import { encodeEntry, membersOf, planEntry, spendEntry } from '../../shared/ledger/log-entries.ts';
import { CestaError, toCestaError } from '../../shared/protocol/errors.ts';
import type { Clock } from '../clock.ts';
import type { Storage } from '../storage/storage.ts';
import { reconcile, type Journal } from './reconcile.ts';
import type { PublicRecord, Statement } from './public-record.ts';

export interface RoundLedger {
  /** That the plan is in the record: for the invitations. */
  readonly evidence: Evidence;
  /** Records who trains and what it costs. Call it when the charge is durable. */
  training(participants: readonly string[]): Promise<void>;
  /** Records whose reports to this plan are in the sum. */
  survivors(participants: readonly string[]): Promise<void>;
  /** Records the release. Call it when the release is durable, before it is served; `held`: it is a candidate, not served. */
  released(release: { readonly version: number; readonly sha256: string; readonly held?: boolean }): Promise<void>;
  /** Records that a node signed two different statements in this round. See {@link PublicRecord.equivocation}. */
  equivocation(node: string, first: Statement, second: Statement): Promise<number>;
}

export interface RoundLedgerContext {
  readonly record: PublicRecord;
  readonly storage: Pick<Storage, 'nodes' | 'failRound'> & Journal;
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
 * Records the plan of a round that is in the journal. If that cannot be, the round has failed before it began, and its
 * share of the budget is free again.
 * @param signal ends the wait for witnesses
 * @throws CestaError `round.failed` when witnesses do not sign in time; what {@link PublicRecord.append} throws.
 */
export async function openRoundLedger(context: RoundLedgerContext, plan: Plan, signal: AbortSignal): Promise<RoundLedger> {
  try {
    // An earlier round may have been charged and not recorded, when a disk failed in between.
    await reconcile(context.record, context.storage, plan.task);
    const position = await context.record.append(planEntry(plan));
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
    async training(participants) {
      const members = membersOf(await keysOf(context, participants));
      await record.append({ type: 'roster', ...ref, members });
      await record.append(({ rdpOf }) => spendEntry(ref, planEvents(plan), rdpOf(task)));
    },
    async survivors(participants) {
      const members = membersOf(await keysOf(context, participants));
      await record.append({ type: 'survivors', ...ref, members });
    },
    async released({ version, sha256, held }) {
      await record.append({ type: 'round-result', ...ref, version, release: sha256, ...(held === true ? { held } : {}) });
    },
    equivocation: (node, first, second) => record.equivocation(node, round, first, second),
  };
}

async function keysOf({ storage }: RoundLedgerContext, participants: readonly string[]): Promise<string[]> {
  // Participants are known by their names without case, as the names of shops are compared.
  const keys = new Map((await storage.nodes()).map(({ name, publicKey }) => [name.toLowerCase(), publicKey]));
  return participants.map((participant) => {
    const key = keys.get(participant);
    if (key === undefined) throw new CestaError('internal', `record: expected the key of ${participant}, got none`);
    return key;
  });
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
