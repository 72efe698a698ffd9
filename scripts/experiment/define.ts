/**
 * What an experiment file says: a scenario with some of its fields swept, seeds, and what is asked. A TypeScript file exports it
 * by default; a JSON file is the same object. Both are parsed by the same schema (parse.ts): the types here are for whoever writes one.
 */
import type { MetricName } from '../../shared/evaluation/scenario-metrics.ts';
import type { Json } from '../../shared/protocol/canonical-json.ts';
import type { Baseline, ScenarioInput } from '../../shared/simulation/scenario.ts';
import type { aggregateAliases } from './aliases.ts';

/** Every value is tried. In JSON: `{ "sweep": [1, 2] }`, or `[1, 2]` where one value is expected. */
export interface Sweep<T> {
  readonly sweep: readonly T[];
}

/**
 * A field that takes each of these values in turn; several swept fields are combined.
 * @example sweep([0.5, 1, 2, Infinity])
 */
export function sweep<const T>(values: readonly T[]): Sweep<T> {
  return { sweep: values };
}

/** `T`, or with a sweep at any depth; of records of free names, as hyper-parameters are, each value may be swept. */
export type Swept<T> = T | Sweep<T> | (T extends readonly unknown[] ? never : T extends object ? (string extends keyof T ? Readonly<Record<string, T[keyof T] | Sweep<Json>>> : { readonly [K in keyof T]: Swept<T[K]> }) : never);

/** Of a scenario, what an experiment says: seeds and baselines are its own terms, and rules and strategies have short names. */
export type ScenarioFields = Omit<ScenarioInput, 'seed' | 'baseline' | 'aggregate'> & {
  readonly aggregate?: ScenarioInput['aggregate'] | keyof typeof aggregateAliases;
};

/** What is asked, beside the scenario. */
export interface ExperimentTerms {
  /** Of the folder of its runs; without it, that of the file. */
  readonly name?: string;
  /** What is asked, in a sentence. */
  readonly question?: string;
  /** Every point is run with each of them; `[1]` by default. */
  readonly seeds?: readonly number[];
  /** In the order in which tables show them; the first one decides comparisons. `['ndcg@10']` by default. */
  readonly metrics?: readonly MetricName[];
  /** What the federation is compared with, on the same splits. */
  readonly baselines?: readonly Baseline[];
  /** A baseline, the label of a cell, or a point of it; by default the first baseline, or else the first cell. */
  readonly comparedWith?: string | Readonly<Record<string, Json>>;
  /** Fields that change together, by the name of each set: laid over the rest one at a time, as another axis, `variant`, before all swept ones. */
  readonly variants?: Readonly<Record<string, ScenarioFields>>;
}

/** What an experiment says, and what `--quick` may lay over it. */
export type ExperimentFields = ExperimentTerms & { readonly [K in keyof ScenarioFields]: Swept<ScenarioFields[K]> };

/**
 * A scenario whose fields may be swept, and what is asked of it.
 * @interface
 */
export type ExperimentInput = ExperimentFields & {
  /** Laid over the rest by `--quick`: objects field by field, variants and everything else as a whole. */
  readonly quick?: ExperimentFields;
};

/**
 * Says what an experiment is, with completion and type errors; nothing runs yet.
 * @example
 * export default experiment({
 *   question: 'What does privacy cost?',
 *   seeds: [1, 2, 3],
 *   privacy: { epsilon: sweep([1, 3, Infinity]) },
 *   metrics: ['ndcg@10', 'coverage@10'],
 *   baselines: ['popularity'],
 *   quick: { seeds: [1] },
 * });
 */
export function experiment(input: ExperimentInput): ExperimentInput {
  return input;
}
