/** The figures of a round by name, as charts of other tools group them: `metrics/ndcg@10`, `round/bytesUp`. */
import type { Metrics, RoundRecord } from '../../simulate/simulation.ts';

/** By name: a record that was read back has its figures in another order, and shall make the same bytes. */
export type Scalars = readonly (readonly [name: string, value: number])[];

/** What is null is left out. `round/released` is 1 for a release and 0 for a round that failed. */
export function roundScalars({ round: _, outcome, reason: _reason, metrics, ...figures }: RoundRecord): Scalars {
  const own = Object.entries({ released: outcome === 'released' ? 1 : 0, ...figures });
  const known = own.flatMap(([name, value]) => (value === null ? [] : [[`round/${name}`, value] as const]));
  return [...inOrder(known), ...metricScalars('metrics', metrics ?? {})];
}

export function metricScalars(group: string, metrics: Metrics): Scalars {
  return inOrder(Object.entries(metrics).map(([name, value]) => [`${group}/${name}`, value] as const));
}

function inOrder(scalars: Scalars): Scalars {
  return [...scalars].sort(([a], [b]) => (a < b ? -1 : 1));
}
