/** The summary as tables and charts of one metric have it. */
import type { Interval } from '../../../shared/evaluation/intervals.ts';
import type { SeedStatistics } from '../../../shared/evaluation/significance.ts';
import type { AdjustedComparison, Summary, SummaryRow } from '../summary.ts';

export interface Row {
  readonly kind: SummaryRow['kind'];
  readonly label: string;
  readonly statistics: SeedStatistics;
  /** Null for metrics that are not kept for each shopper. */
  readonly shoppers: Interval | null;
  /** Of the metric that decides comparisons only. */
  readonly comparison: AdjustedComparison | null;
}

/** Without cells and baselines that do not have the metric. */
export function rowsOf({ rows, comparedBy }: Summary, metric: string): Row[] {
  return rows.filter(({ metrics }) => Object.hasOwn(metrics, metric) && metrics[metric].seeds > 0).map(({ kind, label, metrics, shopperIntervals, comparison }) => ({
    kind, label, statistics: metrics[metric], shoppers: shopperIntervals[metric] ?? null, comparison: metric === comparedBy ? comparison : null,
  }));
}

export function rowOf(rows: readonly Row[], label: string): Row | null {
  return rows.find((row) => row.label === label) ?? null;
}
