/**
 * What a participant has spent of its shoppers' privacy, by its own record. Plans are composed by adding their
 * (epsilon, delta): basic composition (Dwork and Roth 2014, Theorem 3.16), loose but sound whatever the coordinator
 * did. Rounds under the same terms share one promise: `rounds` of them together cost one epsilon.
 */
import type { Plan } from '../shared/federation/plan.ts';
import { canonicalJson } from '../shared/protocol/canonical-json.ts';
import { sha256Hex } from '../shared/protocol/digest.ts';

/** One noising of the data. A null epsilon is a report without protection. */
export interface Spend {
  readonly epsilon: number | null;
  readonly delta: number | null;
  /** Rounds under these terms that together spend (epsilon, delta). */
  readonly rounds: number;
  /** Digest of everything the promise depends on: equal terms are the same mechanism. */
  readonly terms: string;
  readonly round: string;
  readonly planHash: string;
  /** ISO 8601. */
  readonly at: string;
}

export interface SpendRecord {
  readonly spends: readonly Spend[];
  /**
   * Lines cut off by a crash, with the epsilon that could still be read. Nothing was sent for them, since a line is
   * safe on disk before the first byte leaves; they count all the same, because a record may only err upwards.
   */
  readonly unreadable: readonly { readonly epsilon: number | null | 'unknown' }[];
}

export const emptyRecord: SpendRecord = { spends: [], unreadable: [] };

/** What one more noising under this plan is recorded as. */
export function spendOf(plan: Plan, planHash: string, at: string): Spend {
  const { privacy, round, task, bounds, statisticLength } = plan;
  const terms = sha256Hex(new TextEncoder().encode(canonicalJson({ task, privacy, bounds, statisticLength })));
  switch (privacy.mode) {
    case 'none':
      return { epsilon: null, delta: null, rounds: 1, terms, round, planHash, at };
    case 'local':
      return { epsilon: privacy.epsilon, delta: privacy.delta, rounds: privacy.rounds, terms, round, planHash, at };
    default:
      return privacy satisfies never;
  }
}

export interface Spent {
  /** Infinity once anything was reported without protection. */
  readonly epsilon: number;
  readonly delta: number;
}

/** The sum of a record: per terms, epsilon and delta times the number of (begun) promises. */
export function totalSpent({ spends, unreadable }: SpendRecord): Spent {
  const counts = new Map<string, { spend: Spend; count: number }>();
  for (const spend of spends) counts.set(spend.terms, { spend, count: (counts.get(spend.terms)?.count ?? 0) + 1 });
  let epsilon = 0;
  let delta = 0;
  for (const { spend, count } of counts.values()) {
    const promises = Math.ceil(count / spend.rounds);
    epsilon += promises * (spend.epsilon ?? Infinity);
    delta += promises * (spend.delta ?? 0);
  }
  // What is unknown counts as the largest that is known.
  const largest = spends.reduce((max, spend) => Math.max(max, spend.epsilon ?? Infinity), 0);
  for (const line of unreadable) epsilon += line.epsilon === 'unknown' ? largest : (line.epsilon ?? Infinity);
  delta += unreadable.length * spends.reduce((max, spend) => Math.max(max, spend.delta ?? 0), 0);
  return { epsilon, delta };
}

/** The record with one more spend: what would stand after a round. */
export function withSpend(record: SpendRecord, spend: Spend): SpendRecord {
  return { ...record, spends: [...record.spends, spend] };
}
