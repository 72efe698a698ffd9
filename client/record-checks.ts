/**
 * What a participant asks of the public record before it joins a round: the plan is in it, below a head that the
 * coordinator signed and that begins with every head seen before; and after it, what the record says by then. A coordinator that shows two participants two
 * histories must keep doing so for ever, and is found out as soon as they compare heads, or a witness does.
 */
import type { Plan } from '../shared/federation/plan.ts';
import { logKey, logOrigin, openCheckpoint } from '../shared/ledger/checkpoint.ts';
import { openEvidence, requirePolicy, type Evidence } from '../shared/ledger/evidence.ts';
import type { WitnessPolicy } from '../shared/ledger/witness-policy.ts';
import { followHead, type HeadMemory, type ReadTile } from '../shared/ledger/followed-head.ts';
import { planEntry } from '../shared/ledger/log-entries.ts';
import { CestaError } from '../shared/protocol/errors.ts';

export interface RecordChecksOptions {
  readonly memory: HeadMemory;
  readonly policy: WitnessPolicy;
  /** Tiles of the coordinator's record, from wherever: they are not trusted. */
  readonly readTile: ReadTile;
  /** The newest head of the coordinator's record, as it serves it. */
  readonly readHead: () => Promise<string>;
}

export interface RecordChecks {
  /**
   * @param evidence what came with the invitation, if anything did
   * @throws CestaError `log.untrusted` without evidence, or by another key than the coordinator's, or without the
   * witnesses; `log.inconsistent` for a plan that is not in the record, or a record that is not the one seen before;
   * `network.unreachable` when its tiles cannot be had.
   */
  check(plan: Plan, evidence: Evidence | null, coordinatorKey: string): Promise<void>;
  /**
   * Remembers the newest head: what the record says of a round that is over cannot be unsaid to this participant, not
   * even by a coordinator that was restored to before it.
   * @throws CestaError `log.untrusted`, `log.inconsistent`, `network.unreachable`
   */
  follow(coordinatorKey: string): Promise<void>;
  /** Resolves when nothing is under way. */
  settled(): Promise<void>;
}

/** @throws CestaError `config.invalid` for a policy that nothing could meet. */
export function createRecordChecks({ memory, policy, readTile, readHead }: RecordChecksOptions): RecordChecks {
  requirePolicy(policy);
  let last: Promise<void> = Promise.resolve();
  /** One at a time: two could each agree with the same head and not with each other. */
  function inTurn(action: () => Promise<void>): Promise<void> {
    const turn = last.then(action);
    last = turn.catch(() => undefined);
    return turn;
  }
  return {
    check: (plan, evidence, coordinatorKey) => inTurn(async () => {
      if (evidence === null) throw new CestaError('log.untrusted', `plan ${plan.round}: expected proof that it is in the public record, got none`);
      await followHead(memory, await openEvidence(planEntry(plan), evidence, coordinatorKey, policy), readTile);
    }),
    settled: () => last,
    follow: (coordinatorKey) => inTurn(async () => {
      await followHead(memory, await openCheckpoint(await readHead(), [logKey(coordinatorKey)], logOrigin(coordinatorKey)), readTile);
    }),
  };
}
