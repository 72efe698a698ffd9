/** `cesta experiment`: a file of scenarios, every point and seed of it run once, and what came out side by side. */
import { join } from 'node:path';
import Table from 'cli-table3';
import type { Command } from 'commander';
import { doSeedsAgree } from '../../shared/evaluation/significance.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { Baseline } from '../../shared/simulation/scenario.ts';
import type { ExperimentPlan } from '../experiment/plan-experiment.ts';
import type { ExperimentResult, Run } from '../experiment/result.ts';
import type { PlannedRun } from '../experiment/run-folder.ts';
import type { RunLogger } from '../experiment/run-logger.ts';
import type { Summary, SummaryRow } from '../experiment/summary.ts';
import { showProgress } from './experiment-progress.ts';
import { collect, httpUrl, integerIn } from './options.ts';
import { print, stopSignals } from './output.ts';

interface ExperimentCommandOptions {
  runs: string;
  jobs?: number;
  set?: readonly string[];
  seeds?: readonly number[];
  quick?: boolean;
  tensorboard?: boolean;
  mlflow?: URL;
  resume: boolean;
  list?: boolean;
  dryRun?: boolean;
  quiet?: boolean;
  json?: boolean;
}

export function addExperiment(program: Command): void {
  program
    .command('experiment')
    .description('run every point of an experiment that has not been run yet, and compare them')
    .argument('[file]', 'TypeScript or JSON, or the name of an experiment that comes with Cesta (--list)')
    .option('--set <path=value>', 'another value of a field, such as rounds=20 or privacy.epsilon=[1,2]; a list is swept (repeatable)', collect((text) => text))
    .option('--seeds <list>', 'instead of those of the file, separated by commas', (text) => text.split(',').map((part) => integerIn(0, 2 ** 31 - 1)(part)))
    .option('--quick', 'what the file says for a first look')
    .option('--jobs <n>', 'runs at a time, each in a process of its own (default: one a core)', integerIn(1, 256))
    .option('--runs <folder>', 'where runs are kept', 'runs')
    .option('--tensorboard', 'write events of the rounds for TensorBoard, in the folder of the experiment')
    .option('--mlflow <url>', 'log the rounds to an MLflow tracking server', httpUrl)
    .option('--resume', 'go on with interrupted runs where they stopped', true)
    .option('--no-resume', 'begin interrupted runs anew; finished ones stay')
    .option('--dry-run', 'say what would run, and check it')
    .option('--list', 'name the experiments that come with Cesta')
    .option('--quiet', 'say nothing but errors until the result is there')
    .option('--json', 'print one JSON object')
    .action(runVerb);
}

async function runVerb(file: string | undefined, options: ExperimentCommandOptions): Promise<void> {
  if (options.list === true) return list(options);
  if (file === undefined) throw new CestaError('usage.invalid', 'FILE: expected a file or the name of an experiment, got nothing; --list names them');
  const { loadExperiment } = await import('../experiment/load-file.ts');
  const { name, experiment } = await loadExperiment(file);
  const { set = [], seeds, quick = false } = options;
  const overrides = { name, quick, set, ...(seeds === undefined ? {} : { seeds }) };
  if (options.dryRun === true) return dryRun(options, experiment, overrides);
  const { runExperiment } = await import('../experiment/run-experiment.ts');
  const stopping = new AbortController();
  const { first, second } = stopSignals();
  void first.then(() => {
    process.stderr.write('Stopping after the rounds that go on; once more stops at once, and loses these.\n');
    stopping.abort();
  });
  void second.then(() => process.exit(130));
  const { onEvent, end } = showProgress(options.quiet === true || options.json === true ? 'none' : hasWidth(process.stderr) ? 'line' : 'lines');
  const command = commandOf(file, options);
  const loggers = await loggersOf(options);
  let planned: ExperimentPlan | undefined;
  try {
    const result = await runExperiment(experiment as object, {
      ...overrides, command, runs: options.runs, resume: options.resume, signal: stopping.signal,
      ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
      loggers: () => (planned === undefined ? [] : loggers(planned)),
      onEvent(event) {
        if (event.kind === 'planned') planned = event.plan;
        onEvent(event);
      },
    });
    end();
    if (planned !== undefined) await report(options, result, planned);
  } catch (error) {
    end();
    if (!stopping.signal.aborted) throw error;
    process.stderr.write(`Stopped. What is done is kept in ${planned?.folder ?? options.runs}; to go on: ${command}${whereOf(options)}\n`);
    process.exitCode = 130;
  }
}

/** A terminal of no columns, as some that are made by programs, would be wrapped for ever. */
function hasWidth({ isTTY, columns }: Partial<Pick<NodeJS.WriteStream, 'isTTY' | 'columns'>>): boolean {
  return isTTY === true && columns !== undefined && columns > 0;
}

type MakeLoggers = (plan: ExperimentPlan) => readonly RunLogger[];

async function loggersOf({ tensorboard, mlflow }: ExperimentCommandOptions): Promise<MakeLoggers> {
  const makers: ((plan: ExperimentPlan) => RunLogger)[] = [];
  if (tensorboard === true) {
    const { createTensorBoardLog } = await import('../experiment/outputs/tensorboard.ts');
    makers.push(({ folder }) => createTensorBoardLog(join(folder, 'tensorboard')));
  }
  if (mlflow !== undefined) {
    const { createMlflowLog } = await import('../experiment/outputs/mlflow.ts');
    const told = new Set<string>();
    const onError = ({ code, message }: CestaError): void => {
      if (!told.has(message)) process.stderr.write(`warning ${code}: ${message}\n`);
      told.add(message);
    };
    makers.push(({ name }) => createMlflowLog({ url: mlflow.href, experiment: name, onError }));
  }
  return (plan) => makers.map((make) => make(plan));
}

/** As it can be typed again; where runs are kept, and how many go at a time, change no result. */
function commandOf(file: string, { set = [], seeds, quick }: ExperimentCommandOptions): string {
  const words = ['npx', 'cesta', 'experiment', file, ...(quick === true ? ['--quick'] : []), ...set.flatMap((setting) => ['--set', setting]), ...(seeds === undefined ? [] : ['--seeds', seeds.join(',')])];
  return words.map(quoted).join(' ');
}

/** What else was said of where results go. */
function whereOf({ runs, jobs, tensorboard, mlflow }: ExperimentCommandOptions): string {
  const words = [...(runs === 'runs' ? [] : ['--runs', runs]), ...(jobs === undefined ? [] : ['--jobs', String(jobs)]), ...(tensorboard === true ? ['--tensorboard'] : []), ...(mlflow === undefined ? [] : ['--mlflow', mlflow.href])];
  return words.map((word) => ` ${quoted(word)}`).join('');
}

/** For a shell. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

async function list(options: ExperimentCommandOptions): Promise<void> {
  const { loadExperiment, shippedExperiments } = await import('../experiment/load-file.ts');
  const { parseExperiment } = await import('../experiment/parse.ts');
  const rows = await Promise.all(shippedExperiments().map(async (name) => {
    const { question = '' } = parseExperiment((await loadExperiment(name)).experiment, { name });
    return { name, question };
  }));
  print(options, rows, rows.map(({ name, question }) => `${name.padEnd(12)} ${question}`).join('\n'));
}

async function dryRun(options: ExperimentCommandOptions, experiment: unknown, overrides: object): Promise<void> {
  const { planExperiment, runsOf } = await import('../experiment/plan-experiment.ts');
  const { readFinished, readStart } = await import('../experiment/run-folder.ts');
  const plan = await planExperiment(experiment, overrides, options.runs);
  const rows = runsOf(plan).map((run) => ({ id: run.id, label: run.label, folder: run.folder, state: readFinished(run) === null ? 'to run' : 'finished', roundsDone: readStart(run.folder)?.records.length ?? 0 }));
  const { checkScenarios } = await import('../simulate/check.ts');
  await checkScenarios(runsOf(plan).filter((_run, index) => rows[index].state === 'to run'));
  const { name, question, folder, axes, codeHash, dataHash } = plan;
  print(options, { name, question, folder, axes, codeHash, dataHash, runs: rows }, [
    `${name}: ${question}`,
    ...rows.map(({ id, label, state, roundsDone }) => `${id.slice(0, 12)}  ${state.padEnd(8)}  ${label}${state === 'to run' && roundsDone > 0 ? ` (goes on after round ${roundsDone})` : ''}`),
  ].join('\n'));
}

async function report(options: ExperimentCommandOptions, result: ExperimentResult, plan: ExperimentPlan): Promise<void> {
  const { writeResults } = await import('../experiment/write-results.ts');
  const { summaryOf } = await import('../experiment/summary.ts');
  const summary = summaryOf(result);
  const files = writeResults(result, plan.folder, summary);
  const { name, question, axes, metrics, comparedWith, command, codeHash, dataHash, attribution } = result;
  const rowsOf = (kind: SummaryRow['kind'], planned: (label: string) => readonly PlannedRun[] | undefined, runs: (label: string) => readonly Run[] | undefined): object[] =>
    summary.rows.filter((row) => row.kind === kind).map((row) => ({ ...row, runs: (runs(row.label) ?? []).map((run, at) => describeRun(run, planned(row.label)?.[at]?.folder)) }));
  const cells = rowsOf('cell', (label) => runsAt(plan, label), (label) => runsAt(result, label));
  const baselines = rowsOf('baseline', (label) => plan.baselines[label as Baseline], (label) => result.baselines[label as Baseline]);
  print(options, { name, question, folder: plan.folder, files, axes, metrics, comparedWith, comparedBy: summary.comparedBy, command, codeHash, dataHash, attribution, cells, baselines }, [
    question, tableOf(result, summary), `Report: ${files.report}`, `Runs:   ${plan.folder}`,
  ].join('\n'));
}

function runsAt<R>({ cells }: { readonly cells: readonly { readonly label: string; readonly runs: readonly R[] }[] }, label: string): readonly R[] | undefined {
  return cells.find((cell) => cell.label === label)?.runs;
}

function describeRun({ id, scenario, metrics, epsilon, rounds }: Run, folder: string | undefined): object {
  return { id, seed: scenario.seed, folder, metrics, epsilon, rounds: rounds.length };
}

/** Means over the seeds, with half of their 95 % interval where there is one. */
function tableOf({ name, metrics }: ExperimentResult, { rows, comparedWith, comparedBy }: Summary): string {
  const table = new Table({ head: [name, ...metrics, 'epsilon', `${comparedBy} over ${comparedWith}`], style: { head: [], border: [], compact: true } });
  for (const { label, metrics: values, epsilon, comparison } of rows) {
    const shown = metrics.map((metric) => {
      if (!Object.hasOwn(values, metric)) return '';
      const { mean, interval } = values[metric];
      return `${mean.toFixed(4)}${interval === null ? '' : ` ± ${((interval.high - interval.low) / 2).toFixed(4)}`}`;
    });
    table.push([label, ...shown, epsilon?.toPrecision(3) ?? '', comparison === null ? '' : `${comparison.difference >= 0 ? '+' : ''}${comparison.difference.toFixed(4)} (p ${comparison.adjustedP.toPrecision(2)}${doSeedsAgree(comparison) ? '' : '; seeds leave it open'})`]);
  }
  return table.toString();
}
