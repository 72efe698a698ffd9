/** `cesta experiment`: a file of scenarios, every point and seed of it run once, and what came out side by side. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { average } from '../../shared/evaluation/metrics.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { ExperimentPlan } from '../experiment/plan-experiment.ts';
import type { ExperimentResult, Run } from '../experiment/result.ts';
import type { PlannedRun } from '../experiment/run-folder.ts';
import { showProgress } from './experiment-progress.ts';
import { collect, integerIn } from './options.ts';
import { print, stopSignals } from './output.ts';

interface ExperimentCommandOptions {
  runs: string;
  jobs?: number;
  set?: readonly string[];
  seeds?: readonly number[];
  quick?: boolean;
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
    .option('--resume', 'go on with interrupted runs where they stopped (default)', true)
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
  void stopSignals().first.then(() => stopping.abort());
  const { onEvent, end } = showProgress(options.quiet === true || options.json === true ? 'none' : process.stderr.isTTY ? 'line' : 'lines');
  const command = commandOf(file, options);
  let planned: ExperimentPlan | undefined;
  try {
    const result = await runExperiment(experiment as object, {
      ...overrides, command, runs: options.runs, resume: options.resume, signal: stopping.signal,
      ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
      onEvent(event) {
        if (event.kind === 'planned') planned = event.plan;
        onEvent(event);
      },
    });
    end();
    if (planned !== undefined) report(options, result, planned);
  } catch (error) {
    end();
    if (!stopping.signal.aborted) throw error;
    process.stderr.write(`Stopped. What is done is kept in ${planned?.folder ?? options.runs}; to go on: ${command}\n`);
    process.exitCode = 130;
  }
}

/** As it can be typed again; where runs are kept, and how many go at a time, change no result. */
function commandOf(file: string, { set = [], seeds, quick }: ExperimentCommandOptions): string {
  const quoted = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`);
  const words = ['npx', 'cesta', 'experiment', file, ...(quick === true ? ['--quick'] : []), ...set.flatMap((setting) => ['--set', setting]), ...(seeds === undefined ? [] : ['--seeds', seeds.join(',')])];
  return words.map(quoted).join(' ');
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

function report(options: ExperimentCommandOptions, result: ExperimentResult, plan: ExperimentPlan): void {
  const { name, question, axes, metrics, comparedWith, command, codeHash, dataHash, attribution } = result;
  const groups = [
    ...Object.entries(result.baselines).map(([label, runs]) => ({ kind: 'baseline', label, runs, planned: plan.baselines[label as keyof typeof plan.baselines] ?? [] })),
    ...result.cells.map(({ label, runs }, index) => ({ kind: 'cell', label, runs, planned: plan.cells[index].runs })),
  ];
  const shown = groups.map(({ kind, label, runs, planned }, index) => ({
    kind, label,
    ...(kind === 'cell' ? { point: result.cells[index - Object.keys(result.baselines).length].point } : {}),
    runs: runs.map((run, at) => describeRun(run, planned[at])),
  }));
  const table = new Table({ head: [name, ...metrics, 'epsilon', 'seeds'], style: { head: [], border: [] } });
  for (const { label, runs } of groups) table.push([label, ...metrics.map((metric) => average(runs.map((run) => run.metrics[metric])).toFixed(4)), runs[0].epsilon?.toPrecision(3) ?? '', runs.length]);
  print(options, { name, question, folder: plan.folder, axes, metrics, comparedWith, command, codeHash, dataHash, attribution, groups: shown }, [question, table.toString(), `Runs: ${plan.folder}`].join('\n'));
}

function describeRun({ id, scenario, metrics, epsilon, rounds }: Run, { folder }: PlannedRun): object {
  return { id, seed: scenario.seed, folder, metrics, epsilon, rounds: rounds.length };
}
