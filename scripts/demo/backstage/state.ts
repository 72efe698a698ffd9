/** What the backstage page is told, and what its jobs yield: types alone, for both sides. */
import type { ErrorBody } from '../../../shared/protocol/error-table.ts';
import type { ComparisonRow } from '../comparison.ts';
import type { MeasuredRelease, PushTarget } from '../findings.ts';

export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** One way to combine reports, with and without the malicious shop in the round. */
export interface CombinedRow {
  readonly rule: 'sum' | 'median of groups';
  readonly attacker: 'nobody' | 'malicious shop';
  /** Share of test shoppers who see the pushed item on their first 20. */
  readonly exposure: number;
  readonly ndcg10: number;
}

export interface RobustComparison {
  readonly rows: readonly CombinedRow[];
  readonly shops: number;
  readonly groups: number;
  readonly epsilon: number;
  readonly invented: number;
  readonly testShoppers: number;
}

/** Area under the curve of an attack that asks whether a known shopper is in a sum: .5 is a coin, 1 is certainty. */
export interface AttackersView {
  readonly without: Interval;
  readonly with: Interval;
  readonly victims: number;
  /** Shoppers in each sum. */
  readonly participants: number;
  readonly epsilon: number;
  readonly delta: number;
}

export type Job<T> =
  | { readonly state: 'idle' }
  | { readonly state: 'running'; readonly progress: string; readonly seconds: number }
  | { readonly state: 'done'; readonly result: T; readonly seconds: number }
  | { readonly state: 'failed'; readonly error: ErrorBody };

export interface JobStates {
  readonly comparison: Job<RobustComparison>;
  readonly attackersView: Job<AttackersView>;
}

export interface MaliciousShop {
  readonly state: 'absent' | 'starting' | 'present' | 'failed';
  /** Rounds in whose sums its report is. */
  readonly rounds: readonly string[];
  readonly error: ErrorBody | null;
}

export interface BackstageState extends JobStates {
  readonly federation: { readonly shops: number; readonly rounds: number; readonly epsilon: number | null; readonly mode: string; readonly robust: string | null };
  readonly links: { readonly dashboard: string; readonly shop: string };
  readonly target: PushTarget | null;
  readonly baselines: readonly Pick<ComparisonRow, 'name' | 'ndcg10'>[];
  readonly releases: readonly MeasuredRelease[];
  readonly isOver: boolean;
  readonly malicious: MaliciousShop;
}
