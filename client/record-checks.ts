/**
 * What a participant asks of the public record before it joins a round: the plan is in it, below a head that the
 * coordinator signed and that begins with every head seen before. A coordinator that shows two participants two
 * histories must keep doing so for ever, and is found out as soon as they compare heads, or a witness does.
 */
import type { Plan } from '../shared/federation/plan.ts';
import { openEvidence, requirePolicy, type Evidence, type WitnessPolicy } from '../shared/ledger/evidence.ts';
import { followHead, type HeadMemory, type ReadTile } from '../shared/ledger/followed-head.ts';
import { planEntry } from '../shared/ledger/log-entries.ts';
import { CestaError } from '../shared/protocol/errors.ts';

export interface RecordChecksOptions {
  readonly memory: HeadMemory;
  readonly policy: WitnessPolicy;
  /** Tiles of the coordinator's record, from wherever: they are not trusted. */
  readonly readTile: ReadTile;
}

export interface RecordChecks {
  /**
   * @param evidence what came with the invitation, if anything did
   * @throws CestaError `log.untrusted` without evidence, or by another key than the coordinator's, or without the
   * witnesses; `log.inconsistent` for a plan that is not in the record, or a record that is not the one seen before;
   * `network.unreachable` when its tiles cannot be had.
   */
  check(plan: Plan, evidence: Evidence | null, coordinatorKey: string): Promise<void>;
}

/** @throws CestaError `config.invalid` for a policy that nothing could meet. */
export function createRecordChecks({ memory, policy, readTile }: RecordChecksOptions): RecordChecks {
  requirePolicy(policy);
  let last: Promise<void> = Promise.resolve();
  return {
    check(plan, evidence, coordinatorKey) {
      // One at a time: two checks could each agree with the same head and not with each other.
      const turn = last.then(async () => {
        if (evidence === null) throw new CestaError('log.untrusted', `plan ${plan.round}: expected proof that it is in the public record, got none`);
        await followHead(memory, await openEvidence(planEntry(plan), evidence, coordinatorKey, policy), readTile);
      });
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}
