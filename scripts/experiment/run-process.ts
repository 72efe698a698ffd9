/** The process that performs runs for another one, one after the other: see run-pool.ts. */
import { toCestaError } from '../../shared/protocol/errors.ts';
import { simulate } from '../simulate/simulate.ts';
import { performRun } from './perform-run.ts';
import type { FromProcess, ToProcess } from './run-pool.ts';

const stopping = new AbortController();
/** A parent that has ended meanwhile hears nothing, and that is no failure of this process. */
const say = (message: FromProcess): void => void process.send?.(message, undefined, undefined, () => undefined);

// A terminal tells all processes of a command to end; the parent says when, so that each ends between two rounds.
process.on('SIGINT', () => undefined).on('SIGTERM', () => undefined);
// Without a parent nobody waits for the result; what was done so far is on disk.
process.once('disconnect', () => process.exit(1));
process.on('message', (message: ToProcess) => {
  if (message.kind === 'stop') {
    stopping.abort();
    return;
  }
  const { run, versions, workers, resume } = message;
  performRun(run, { simulate, versions, workers, resume, signal: stopping.signal, onRound: (record) => say({ kind: 'round', record }) }).then(
    () => say({ kind: 'done' }),
    (thrown: unknown) => {
      const { code, message: text, stack = '' } = toCestaError(thrown);
      say({ kind: 'failed', code, text, stack: code === 'internal' ? stack : '' });
    },
  );
});
