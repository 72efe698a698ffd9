/** Every run of an experiment as one row of one table: what `results.csv` and `results.parquet` both hold. */
import { canonicalJson, type Json } from '../../../shared/protocol/canonical-json.ts';
import { baselines } from '../../../shared/simulation/scenario.ts';
import type { RoundRecord } from '../../simulate/simulation.ts';
import type { ExperimentResult, Point, Run } from '../result.ts';
import { orderedMetrics } from '../summary.ts';

/** One value a row, or null. */
export type Column = { readonly name: string } & (
  | { readonly kind: 'text'; readonly values: readonly (string | null)[] }
  | { readonly kind: 'integer' | 'number'; readonly values: readonly (number | null)[] }
  | { readonly kind: 'boolean'; readonly values: readonly (boolean | null)[] }
);

interface Row {
  readonly kind: 'cell' | 'baseline';
  readonly label: string;
  readonly point: Point;
  readonly run: Run;
}

/**
 * Cells in their order and seeds in theirs, then baselines. What was swept is in columns `point.<path>`, empty for baselines;
 * metrics are in columns of their names; with a `noiseCohort`, epsilon is that of so large a federation, which was not simulated; bytes and rounds are those of all rounds and participants together.
 */
export function runTable(result: ExperimentResult): readonly Column[] {
  const rows = rowsOf(result);
  const paths = new Set([...result.axes, ...rows.flatMap(({ point }) => Object.keys(point))]);
  const metrics = orderedMetrics(rows.map(({ run }) => run), result.metrics);
  return [
    { name: 'experiment', kind: 'text', values: rows.map(() => result.name) },
    { name: 'kind', kind: 'text', values: rows.map(({ kind }) => kind) },
    { name: 'label', kind: 'text', values: rows.map(({ label }) => label) },
    { name: 'id', kind: 'text', values: rows.map(({ run }) => run.id) },
    { name: 'seed', kind: 'integer', values: rows.map(({ run }) => run.scenario.seed) },
    ...Array.from(paths, (path) => pointColumn(path, rows.map(({ point }) => point[path] ?? null))),
    ...metrics.map((name): Column => ({ name, kind: 'number', values: rows.map(({ run }) => run.metrics[name] ?? null) })),
    { name: 'epsilon', kind: 'number', values: rows.map(({ run }) => run.epsilon) },
    { name: 'delta', kind: 'number', values: rows.map(({ run }) => run.delta) },
    { name: 'noiseCohort', kind: 'integer', values: rows.map(({ run }) => run.noiseCohort ?? null) },
    { name: 'rounds', kind: 'integer', values: rows.map(({ run }) => run.rounds.length) },
    { name: 'failedRounds', kind: 'integer', values: rows.map(({ run }) => run.rounds.filter(({ outcome }) => outcome === 'failed').length) },
    { name: 'virtualSeconds', kind: 'number', values: rows.map(({ run }) => run.rounds.at(-1)?.virtualSeconds ?? 0) },
    { name: 'bytesUp', kind: 'integer', values: rows.map(({ run }) => sum(run.rounds, ({ bytesUp }) => bytesUp)) },
    { name: 'bytesDown', kind: 'integer', values: rows.map(({ run }) => sum(run.rounds, ({ bytesDown }) => bytesDown)) },
    { name: 'codeHash', kind: 'text', values: rows.map(() => result.codeHash) },
    { name: 'dataHash', kind: 'text', values: rows.map(({ run }) => run.dataHash) },
  ];
}

function rowsOf(result: ExperimentResult): readonly Row[] {
  const cells = result.cells.flatMap(({ label, point, runs }) => runs.map((run): Row => ({ kind: 'cell', label, point, run })));
  const others = baselines.flatMap((label) => (result.baselines[label] ?? []).map((run): Row => ({ kind: 'baseline', label, point: {}, run })));
  return [...cells, ...others];
}

/** Numbers and truth values stay what they are where all values of the column are; else a column is text, objects as JSON. */
function pointColumn(path: string, values: readonly Json[]): Column {
  const name = `point.${path}`;
  if (values.every((value) => value === null || typeof value === 'number')) return { name, kind: 'number', values };
  if (values.every((value) => value === null || typeof value === 'boolean')) return { name, kind: 'boolean', values };
  return { name, kind: 'text', values: values.map((value) => (value === null || typeof value === 'string' ? value : canonicalJson(value))) };
}

function sum(rounds: readonly RoundRecord[], value: (record: RoundRecord) => number): number {
  return rounds.reduce((total, record) => total + value(record), 0);
}
