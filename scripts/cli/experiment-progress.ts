/** How far an experiment is: one line that changes on a terminal, a line for every finished run, and for every tenth of a long one, elsewhere. */
import ora from 'ora';
import type { RoundRecord } from '../simulate/simulation.ts';
import type { ExperimentEvent } from '../experiment/run-experiment.ts';

interface Progress {
  readonly onEvent: (event: ExperimentEvent) => void;
  readonly end: () => void;
}

export function showProgress(how: 'none' | 'line' | 'lines', clock: () => number = () => performance.now(), write: (line: string) => void = (line) => void process.stderr.write(`${line}\n`)): Progress {
  const spinner = ora({ isSilent: how !== 'line' });
  const started = clock();
  let [runs, runsDone, rounds, roundsDone] = [0, 0, 0, 0];
  const left = (): string => (roundsDone === 0 || roundsDone >= rounds ? '' : `, ${duration(((clock() - started) / roundsDone) * (rounds - roundsDone))} left`);
  const last = new Map<string, RoundRecord>();
  const onEvent = (event: ExperimentEvent): void => {
    if (event.kind === 'planned') {
      runs = event.pending.length;
      rounds = event.pending.reduce((sum, { scenario }) => sum + roundsOf(scenario), 0);
      const all = event.plan.cells.flatMap((cell) => cell.runs).length + Object.values(event.plan.baselines).flat().length;
      if (how === 'lines') write(`${event.plan.name}: ${runs} of ${all} runs to do`);
      if (runs > 0) spinner.start(`0 of ${runs} runs`);
      return;
    }
    const { run } = event;
    if (event.kind === 'round') {
      roundsDone += 1;
      last.set(run.id, event.record);
    }
    if (event.kind === 'finished') runsDone += 1;
    const record = last.get(run.id);
    const state = `${runsDone} of ${runs} runs${left()}`;
    spinner.text = `${state}; ${run.label}${record === undefined ? '' : `: ${describeRound(record, run.scenario.rounds)}`}`;
    if (how === 'lines' && (event.kind === 'finished' || isTenth(record, run.scenario.rounds))) write(`${run.label}${record === undefined ? '' : `: ${describeRound(record, run.scenario.rounds)}`} (${state})`);
  };
  return { onEvent, end: () => void spinner.stop() };
}

/** Of long runs a few lines tell that they go on; the last round is told by the end of the run. */
function isTenth(record: RoundRecord | undefined, rounds: number): boolean {
  return record !== undefined && record.round < rounds && record.round % Math.ceil(rounds / 10) === 0;
}

/** Baselines have no rounds to wait for. */
function roundsOf({ rounds, baseline }: { readonly rounds: number; readonly baseline?: unknown }): number {
  return baseline === undefined ? rounds : 0;
}

function describeRound({ round, metrics, epsilon }: RoundRecord, rounds: number): string {
  const ndcg = metrics?.['ndcg@10'];
  return [`round ${round} of ${rounds}`, ...(ndcg === undefined ? [] : [`ndcg@10 ${ndcg.toFixed(4)}`]), ...(epsilon === null ? [] : [`epsilon ${epsilon.toPrecision(3)}`])].join(', ');
}

function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds < 90 ? `${seconds} s` : seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
