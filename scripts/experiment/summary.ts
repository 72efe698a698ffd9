/**
 * One row a cell and baseline: what tables, charts and conclusions are drawn from. Figures over seeds and figures over shoppers
 * stand apart, as in shared/evaluation/significance.ts.
 */
import { bootstrapInterval, type Interval } from '../../shared/evaluation/intervals.ts';
import { coldValues, metricNames } from '../../shared/evaluation/scenario-metrics.ts';
import { compareRuns, holmAdjusted, overSeeds, shopperMeans, type Comparison, type SeedStatistics } from '../../shared/evaluation/significance.ts';
import { canonicalJson, type Json } from '../../shared/protocol/canonical-json.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { isColdShop } from '../../shared/simulation/cold-shops.ts';
import { askedOf, baselines, type Scenario } from '../../shared/simulation/scenario.ts';
import type { RoundRecord, SimulationResult } from '../simulate/simulation.ts';
import type { ExperimentResult, Point, Run } from './result.ts';

export interface SummaryRow {
  readonly kind: 'cell' | 'baseline';
  /** Of the cell, or the name of the baseline. */
  readonly label: string;
  /** Empty for baselines. */
  readonly point: Point;
  readonly seeds: readonly number[];
  /** By name: those of the experiment first, then all others that the runs have. Over the seeds. */
  readonly metrics: Readonly<Record<string, SeedStatistics>>;
  /** By metric: 95 % bootstrap interval over test shoppers, each averaged over the seeds first. Of ndcg@10, and of those of the experiment whose values are kept. */
  readonly shopperIntervals: Readonly<Record<string, Interval>>;
  /** Null for what the others are compared with, and where test shoppers are not the same. */
  readonly comparison: AdjustedComparison | null;
  /** The largest of the seeds, spent at `delta`; null without noise. */
  readonly epsilon: number | null;
  readonly delta: number | null;
  /** Mean over the seeds. */
  readonly rounds: number;
  readonly failedRounds: number;
  /** Bytes of one participant in one round that it joined, mean over all of them; null where nobody joined one. */
  readonly bytesUpPerParticipant: number | null;
  readonly bytesDownPerParticipant: number | null;
}

export interface AdjustedComparison extends Comparison {
  /** By Holm's method, over all comparisons of the summary. */
  readonly adjustedP: number;
}

export interface Summary {
  readonly comparedWith: string;
  /** What comparisons are of: the first metric of the experiment that has a value for each shopper. */
  readonly comparedBy: keyof typeof perShopper;
  /** Cells in their order, then baselines; without those that have no finished run. */
  readonly rows: readonly SummaryRow[];
}

/** Metrics that are means over test shoppers, whose values are kept. */
const perShopper = {
  'ndcg@10': ({ tests: { ndcg10 } }: Tested) => ndcg10,
  'recall@10': ({ tests: { recall10 } }: Tested) => recall10,
  /** The same shoppers whatever the seed, and alone as in the federation. */
  'cold.ndcg@10': ({ tests: { ndcg10, shops }, scenario: { population } }: Tested) => coldValues(ndcg10, shops, (shop) => isColdShop(population, shop)),
};

type Tested = Pick<SimulationResult, 'tests' | 'scenario'>;

interface Candidate {
  readonly kind: SummaryRow['kind'];
  readonly label: string;
  readonly point: Point;
  readonly runs: readonly Run[];
}

/** @throws CestaError `config.invalid` when `comparedWith` names neither a cell nor a baseline that has runs */
export function summaryOf(result: ExperimentResult): Summary {
  const candidates = candidatesOf(result);
  const reference = candidates.find(({ label }) => label === result.comparedWith);
  if (reference === undefined) throw new CestaError('config.invalid', `comparedWith: expected one of ${candidates.map(({ label }) => `"${label}"`).join(', ')}, got "${result.comparedWith}"`);
  const comparedBy = result.metrics.find(isPerShopper) ?? 'ndcg@10';
  const valuesOf = ({ runs }: Candidate): Float64Array[] => runs.map((run) => perShopper[comparedBy](run));
  const comparisons = candidates.map((candidate) => (candidate === reference || !areTestedAlike(candidate, reference, comparedBy) ? null : compareRuns(valuesOf(candidate), valuesOf(reference))));
  return { comparedWith: reference.label, comparedBy, rows: withAdjusted(comparisons).map((comparison, at) => rowOf(candidates[at], result.metrics, comparison)) };
}

function isPerShopper(metric: string): metric is keyof typeof perShopper {
  return Object.hasOwn(perShopper, metric);
}

function candidatesOf(result: ExperimentResult): readonly Candidate[] {
  const cells = result.cells.map((cell): Candidate => ({ kind: 'cell', ...cell }));
  const others = baselines.map((label): Candidate => ({ kind: 'baseline', label, point: {}, runs: result.baselines[label] ?? [] }));
  return [...cells, ...others].filter(({ runs }) => runs.length > 0);
}

/** Whether the same shoppers were asked the same: data, split, and the days that were tested. */
function areTestedAlike(a: Candidate, b: Candidate, comparedBy: keyof typeof perShopper): boolean {
  const cold = ({ population }: Scenario): Json => (comparedBy === 'cold.ndcg@10' ? { ...population.cold } : null);
  const asked = ({ dataHash, scenario, tests }: SimulationResult): string => canonicalJson([dataHash, askedOf(scenario), cold(scenario), tests.ndcg10.length]);
  return new Set([...a.runs, ...b.runs].map(asked)).size === 1;
}

function withAdjusted(comparisons: readonly (Comparison | null)[]): readonly (AdjustedComparison | null)[] {
  const adjusted = [...holmAdjusted(comparisons.flatMap((comparison) => (comparison === null ? [] : [comparison.p])))];
  return comparisons.map((comparison) => (comparison === null ? null : { ...comparison, adjustedP: adjusted.shift() ?? 1 }));
}

function rowOf({ kind, label, point, runs }: Candidate, metrics: readonly string[], comparison: AdjustedComparison | null): SummaryRow {
  const rounds = runs.flatMap((run) => run.rounds);
  return {
    kind,
    label,
    point,
    seeds: runs.map(({ scenario }) => scenario.seed),
    metrics: metricsOver(runs, metrics),
    shopperIntervals: Object.fromEntries(['ndcg@10', ...metrics].filter(isPerShopper).map((name) => [name, bootstrapInterval(shopperMeans(runs.map(perShopper[name])))])),
    comparison,
    epsilon: largestEpsilon(runs),
    delta: runs[0].delta,
    rounds: rounds.length / runs.length,
    failedRounds: rounds.filter(({ outcome }) => outcome === 'failed').length / runs.length,
    bytesUpPerParticipant: perParticipant(rounds, ({ bytesUp }) => bytesUp),
    bytesDownPerParticipant: perParticipant(rounds, ({ bytesDown }) => bytesDown),
  };
}

/** Of several seeds; null without noise. */
export function largestEpsilon(runs: readonly Pick<Run, 'epsilon'>[]): number | null {
  const epsilons = runs.flatMap(({ epsilon }) => epsilon ?? []);
  return epsilons.length === 0 ? null : Math.max(...epsilons);
}

function metricsOver(runs: readonly Run[], first: readonly string[]): Record<string, SeedStatistics> {
  const names = orderedMetrics(runs, first);
  return Object.fromEntries(names.map((name) => [name, overSeeds(runs.flatMap(({ metrics }) => (name in metrics ? [metrics[name]] : [])))]));
}

/** Names of all metrics that any of the runs has: `first`, then in the order of tables, then any others. */
export function orderedMetrics(runs: readonly Pick<Run, 'metrics'>[], first: readonly string[]): readonly string[] {
  const there = new Set(runs.flatMap(({ metrics }) => Object.keys(metrics)));
  return [...new Set([...first, ...metricNames, ...there])].filter((name) => there.has(name));
}

function perParticipant(rounds: readonly RoundRecord[], bytes: (record: RoundRecord) => number): number | null {
  const joined = rounds.reduce((sum, record) => sum + record.joined, 0);
  return joined === 0 ? null : rounds.reduce((sum, record) => sum + bytes(record), 0) / joined;
}
