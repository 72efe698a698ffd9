/** What an experiment yields: every run, by what was swept, and what reports, tables and tests are made from. */
import type { Json } from '../../shared/protocol/canonical-json.ts';
import type { Baseline } from '../../shared/simulation/scenario.ts';
import type { SimulationResult } from '../simulate/simulation.ts';

/** One scenario with one seed, finished. */
export interface Run extends SimulationResult {
  /** Of the files that were read: what the id is made from. */
  readonly dataHash: string;
  /** SHA-256 of the canonical scenario, the code and the data; its first 12 digits name the folder. */
  readonly id: string;
}

/** What was swept, by path in the experiment: `{ 'privacy.epsilon': 1, aggregate: 'mean' }`. Empty where nothing was. */
export type Point = Readonly<Record<string, Json>>;

/** All seeds of one point, in the order of the seeds. */
export interface Cell {
  readonly point: Point;
  /** Such as `epsilon 1, mean`. */
  readonly label: string;
  readonly runs: readonly Run[];
}

export interface ExperimentResult {
  readonly name: string;
  /** What is asked, in a sentence. */
  readonly question: string;
  /** Paths that were swept, in the order of the file. */
  readonly axes: readonly string[];
  readonly cells: readonly Cell[];
  /** On the same splits; a baseline without randomness has one run. */
  readonly baselines: Readonly<Partial<Record<Baseline, readonly Run[]>>>;
  /** In the order in which tables show them; the first one decides comparisons. */
  readonly metrics: readonly string[];
  /** The label of the cell or the baseline that all others are compared with. */
  readonly comparedWith: string;
  /** What makes it again, from the folder of the project. */
  readonly command: string;
  readonly codeHash: string;
  readonly dataHash: string;
  /** Of the data set, where its licence asks for it; null otherwise. */
  readonly attribution: string | null;
}
