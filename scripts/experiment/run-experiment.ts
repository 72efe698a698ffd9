/**
 * Runs an experiment: every scenario that is not finished yet, several at a time, each in a folder of its own. To run it again is to
 * go on with it.
 */
import { availableParallelism } from 'node:os';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { RoundRecord } from '../simulate/simulation.ts';
import type { ExperimentInput } from './define.ts';
import { versionsInUse } from './hashes.ts';
import type { Overrides } from './parse.ts';
import { performRun, type Simulate } from './perform-run.ts';
import { planExperiment, runsOf, type ExperimentPlan } from './plan-experiment.ts';
import type { ExperimentResult, Run } from './result.ts';
import { readFinished, removeLeftovers, type PlannedRun } from './run-folder.ts';
import type { RunLogger } from './run-logger.ts';
import { startPerformer, type Performer } from './run-pool.ts';

export interface ExperimentOptions extends Overrides {
  /** Where folders of experiments are; `runs` by default. */
  readonly runs?: string;
  /** Runs at a time, each in a process of its own; as many as there are cores by default. One runs in this process. */
  readonly jobs?: number;
  /** Threads of one simulation; with several jobs none, since every job has its core. */
  readonly workers?: number;
  /** False: interrupted runs begin anew. Finished ones are never run again. */
  readonly resume?: boolean;
  /** Stands in for the simulator, in this process. */
  readonly simulate?: Simulate;
  /** Ends the experiment between two rounds; what is done so far is kept, and the next call goes on from there. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: ExperimentEvent) => void;
  /** Made for every run that is performed now; runs that were finished before are not logged again. */
  readonly loggers?: (run: PlannedRun) => readonly RunLogger[];
  /** What makes the result again, for reports. */
  readonly command?: string;
}

export type ExperimentEvent =
  | { readonly kind: 'planned'; readonly plan: ExperimentPlan; readonly pending: readonly PlannedRun[] }
  | { readonly kind: 'started' | 'finished'; readonly run: PlannedRun }
  | { readonly kind: 'round'; readonly run: PlannedRun; readonly record: RoundRecord };

/**
 * Runs every point of an experiment that has no result yet, and returns the results of all of them.
 * @throws CestaError `config.invalid` naming the field, before anything runs; `experiment.busy` where another process works on a run;
 *   whatever a simulation does. The reason of `signal` when that was given.
 * @example
 * const { cells } = await runExperiment({ privacy: { epsilon: sweep([1, Infinity]) }, seeds: [1, 2] }, { name: 'cost', jobs: 1 });
 * for (const { label, runs } of cells) console.log(label, runs.map(({ metrics }) => metrics['ndcg@10']));
 */
export async function runExperiment(experiment: ExperimentInput, options: ExperimentOptions = {}): Promise<ExperimentResult> {
  const plan = await planExperiment(experiment, options, options.runs);
  const pending = runsOf(plan).filter(isUnfinished);
  if (options.simulate === undefined) await (await import('../simulate/check.ts')).checkScenarios(pending);
  options.onEvent?.({ kind: 'planned', plan, pending });
  await performAll(pending, options);
  return collect(plan, options.command ?? `npx cesta experiment ${plan.name}`);
}

function isUnfinished(run: PlannedRun): boolean {
  if (readFinished(run) === null) return true;
  // Of a process that was killed right after the result: nobody performs this run again, who would take them away.
  removeLeftovers(run.folder);
  return false;
}

async function performAll(pending: readonly PlannedRun[], options: ExperimentOptions): Promise<void> {
  const { jobs = availableParallelism(), signal } = options;
  const failure = new AbortController();
  const stop = signal === undefined ? failure.signal : AbortSignal.any([signal, failure.signal]);
  const performers = await startPerformers(Math.min(jobs, pending.length), options.simulate);
  const queue = [...pending];
  const work = async (performer: Performer): Promise<void> => {
    for (let run = queue.shift(); run !== undefined && !stop.aborted; run = queue.shift()) await performLogged(run, performer, { ...options, signal: stop }, performers.length);
  };
  const ends = await Promise.allSettled(performers.map((performer) => work(performer).catch((thrown: unknown) => {
    // The others stop between two rounds, so that their work is kept.
    failure.abort(thrown);
    throw thrown;
  })));
  await Promise.all(performers.map((performer) => performer.end()));
  signal?.throwIfAborted();
  if (ends.some(({ status }) => status === 'rejected')) throw failure.signal.reason;
}

async function startPerformers(count: number, given: Simulate | undefined): Promise<readonly Performer[]> {
  if (count > 1 && given === undefined) return Array.from({ length: count }, startPerformer);
  const simulate = given ?? (await import('../simulate/simulate.ts')).simulate;
  return Array.from({ length: count }, (): Performer => ({ perform: (run, options) => performRun(run, { ...options, simulate }), end: () => Promise.resolve() }));
}

async function performLogged(run: PlannedRun, performer: Performer, options: ExperimentOptions, jobs: number): Promise<void> {
  const { onEvent, signal, resume, workers = jobs > 1 ? 0 : undefined } = options;
  const loggers = options.loggers?.(run) ?? [];
  const tell = async (say: (logger: RunLogger) => void | Promise<void>): Promise<void> => {
    for (const logger of loggers) await say(logger);
  };
  onEvent?.({ kind: 'started', run });
  await tell((logger) => logger.start(run));
  await performer.perform(run, {
    versions: versionsInUse(), workers, resume, signal,
    onRound: async (record) => {
      onEvent?.({ kind: 'round', run, record });
      await tell((logger) => logger.round(record));
    },
  }).catch((thrown: unknown) => {
    // Of many runs, the one that cannot be.
    throw thrown instanceof CestaError && !thrown.message.includes(run.label) ? new CestaError(thrown.code, `${run.label}: ${thrown.message}`, { cause: thrown.cause ?? thrown }) : thrown;
  });
  const result = finished(run);
  await tell((logger) => logger.end(result));
  onEvent?.({ kind: 'finished', run });
}

function finished(run: PlannedRun): Run {
  const result = readFinished(run);
  if (result === null) throw new CestaError('storage.failed', `${run.folder}: expected the files of a finished run, got others`);
  return result;
}

function collect({ folder: _folder, cells, baselines, ...plan }: ExperimentPlan, command: string): ExperimentResult {
  return {
    ...plan,
    command,
    cells: cells.map(({ point, label, runs }) => ({ point, label, runs: runs.map(finished) })),
    baselines: Object.fromEntries(Object.entries(baselines).map(([name, runs]) => [name, runs.map(finished)])),
  };
}
