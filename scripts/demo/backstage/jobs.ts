/** What takes long, one at a time and in a process of its own: how far it is, what it yielded or why it failed. */
import { errorBody } from '../../../shared/protocol/error-table.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';
import { failureOf, startScript, type DemoProcess } from '../processes.ts';
import type { Job, JobStates } from './state.ts';

export type JobName = keyof JobStates;

/** A line of a job's script. */
export type JobLine = { readonly progress: string } | { readonly result: unknown };

const scripts: Readonly<Record<JobName, string>> = { comparison: './backstage/robust-comparison.ts', attackersView: './backstage/attackers-view.ts' };

export interface Jobs {
  readonly states: JobStates;
  /** @throws CestaError `backstage.busy` while one runs */
  start(name: JobName, options: unknown): void;
  stop(): Promise<void>;
}

interface RunningJob {
  readonly name: JobName;
  readonly process: DemoProcess;
}

export function createJobs(): Jobs {
  const jobs: Record<JobName, Job<unknown>> = { comparison: { state: 'idle' }, attackersView: { state: 'idle' } };
  let running: RunningJob | null = null;
  async function settle({ name, process }: RunningJob, startedAt: number, result: () => unknown): Promise<void> {
    const code = await process.ended;
    running = null;
    const found = result();
    jobs[name] = code === 0 && found !== undefined ? { state: 'done', result: found, seconds: secondsSince(startedAt) } : { state: 'failed', error: errorBody(failureOf(process)) };
  }
  return {
    get states() {
      // Each script yields what its place in the states says.
      return jobs as unknown as JobStates;
    },
    start(name, options) {
      if (running !== null) throw new CestaError('backstage.busy', `${name}: expected no job under way, got ${running.name}`);
      const startedAt = performance.now();
      let result: unknown;
      let progress = 'reading the orders';
      const job: RunningJob = {
        name,
        process: startScript(name, scripts[name], options, (line) => {
          const heard = line as JobLine;
          if ('result' in heard) result = heard.result;
          else progress = heard.progress;
        }),
      };
      running = job;
      jobs[name] = liveState(() => ({ progress, seconds: secondsSince(startedAt) }));
      void settle(job, startedAt, () => result);
    },
    async stop() {
      await running?.process.stop();
    },
  };
}

/** Says how far it is whenever it is asked. */
function liveState(now: () => { readonly progress: string; readonly seconds: number }): Job<never> {
  return {
    state: 'running',
    get progress() {
      return now().progress;
    },
    get seconds() {
      return now().seconds;
    },
  };
}

function secondsSince(startedAt: number): number {
  return (performance.now() - startedAt) / 1000;
}
