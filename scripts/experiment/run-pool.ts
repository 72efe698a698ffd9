/** Runs in processes of their own, so that each has a core and its own memory. A process performs many runs, one after the other. */
import { fork, type ChildProcess } from 'node:child_process';
import type { ErrorCode } from '../../shared/protocol/error-table.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { scriptExecArgv, scriptPath } from '../child-script.ts';
import type { RoundRecord } from '../simulate/simulation.ts';
import type { PerformOptions } from './perform-run.ts';
import type { PlannedRun } from './run-folder.ts';

export type ToProcess = { readonly kind: 'stop' } | ({ readonly kind: 'run'; readonly run: PlannedRun } & Pick<PerformOptions, 'versions' | 'workers' | 'resume'>);

export type FromProcess =
  | { readonly kind: 'round'; readonly record: RoundRecord }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly text: string; readonly stack: string };

/** Performs one run at a time. */
export interface Performer {
  perform(run: PlannedRun, options: Omit<PerformOptions, 'simulate'>): Promise<void>;
  end(): Promise<void>;
}

/** Starts a process. */
export function startPerformer(): Performer {
  const child = fork(scriptPath('./run-process.ts', import.meta.url), { execArgv: [...scriptExecArgv()], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(String(code ?? signal)));
    child.once('error', (error) => resolve(error.message));
  });
  return {
    async perform(run, { signal, onRound, versions, workers, resume }) {
      const stop = (): void => send(child, { kind: 'stop' });
      signal?.addEventListener('abort', stop, { once: true });
      try {
        const answer = answered(child, onRound);
        send(child, { kind: 'run', run, versions, workers, resume });
        if (signal?.aborted === true) stop();
        await Promise.race([answer, ended.then((how) => {
          throw new CestaError('internal', `${run.label}: expected its process to finish it, but that ended with ${how}`);
        })]);
      } finally {
        signal?.removeEventListener('abort', stop);
      }
    },
    async end() {
      child.disconnect();
      await ended;
    },
  };
}

/** Sent to a process that has ended, a message is of no use to anybody. */
function send(child: ChildProcess, message: ToProcess): void {
  if (child.connected) child.send(message, () => undefined);
}

/** Resolves when the run is done and everybody has heard of its rounds. */
function answered(child: ChildProcess, onRound: PerformOptions['onRound']): Promise<void> {
  return new Promise((resolve, reject) => {
    let told = Promise.resolve();
    const hear = (message: FromProcess): void => {
      if (message.kind === 'round') {
        told = told.then(() => onRound?.(message.record));
        told.catch(reject);
        return;
      }
      child.off('message', hear);
      if (message.kind === 'failed') {
        // Of a defect the stack of the process tells more than that of its parent.
        const cause = Object.assign(new Error(message.text), { stack: message.stack });
        reject(new CestaError(message.code, message.text, message.stack === '' ? {} : { cause }));
      } else told.then(resolve, reject);
    };
    child.on('message', hear);
  });
}
