/** Numbers and names as a report says them. */
import { baselineNames, figure } from '../../../server/dashboard/page/words.ts';
import type { Interval } from '../../../shared/evaluation/intervals.ts';
import type { SeedStatistics } from '../../../shared/evaluation/significance.ts';
import type { Content } from '../../markup.ts';
import type { Row } from './rows.ts';

/** Of a metric: three digits that count, at most four decimals. */
export function estimate(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  return `${value < 0 ? '−' : ''}${size.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 4)}`;
}

export function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${estimate(value)}`;
}

export function between({ low, high }: Interval): string {
  return `${estimate(low)} to ${estimate(high)}`;
}

export function pValue(p: number): string {
  return p < 0.001 ? '<\u00a00.001' : p.toFixed(3);
}

/** A baseline's in words, a cell's as it is. */
export function nameOf(label: string): string {
  return Object.hasOwn(baselineNames, label) ? baselineNames[label as keyof typeof baselineNames] : label;
}

/** Columns in which at least one row has something. */
export interface RowTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Content[])[];
}

export function rowTable(rows: readonly Row[], metric: string, comparedWith: string): RowTable {
  const columns: readonly [string, (row: Row) => string][] = [
    [`${metric}, mean ± 95\u00a0% over seeds`, ({ statistics }) => withMargin(statistics)],
    ['seeds', ({ statistics }) => String(statistics.seeds)],
    ['95\u00a0% over shoppers', ({ shoppers }) => (shoppers === null ? '' : between(shoppers))],
    [`against ${nameOf(comparedWith)}, paired`, ({ comparison }) => (comparison === null ? '' : signed(comparison.difference))],
    ['95\u00a0% of the difference, over shoppers', ({ comparison }) => (comparison === null ? '' : between(comparison))],
    ['95\u00a0% of the difference, over seeds', ({ comparison }) => (comparison === null || comparison.overSeeds === null ? '' : between(comparison.overSeeds))],
    ['p', ({ comparison }) => (comparison === null ? '' : pValue(comparison.p))],
    ['p, Holm', ({ comparison }) => (comparison === null ? '' : pValue(comparison.adjustedP))],
  ];
  const filled = columns.filter(([, cell]) => rows.some((row) => cell(row) !== ''));
  return { columns: ['setting', ...filled.map(([name]) => name)], rows: rows.map((row) => [nameOf(row.label), ...filled.map(([, cell]) => cell(row))]) };
}

/** An interval of Student's t lies around its mean. */
function withMargin({ mean, interval }: SeedStatistics): string {
  return interval === null ? estimate(mean) : `${estimate(mean)} ± ${estimate(interval.high - mean)}`;
}

export function epsilonWords(epsilon: number | null): string {
  return epsilon === null ? 'no noise' : figure(epsilon);
}

/** `a`, `a and b`, `a, b and c`. */
export function list(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words[words.length - 1]}`;
}
