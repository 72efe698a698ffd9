/** A job with its button: how far it is, and what came of it. */
import type { ComponentChildren, JSX } from 'preact';
import type { Job } from '../state.ts';
import { press } from './api.ts';

export interface JobPanelProps<T> {
  readonly job: Job<T>;
  readonly path: string;
  readonly label: string;
  /** Whether another job has the machine. */
  readonly isBusy: boolean;
  readonly children: (result: T) => ComponentChildren;
}

export function JobPanel<T>({ job, path, label, isBusy, children }: JobPanelProps<T>): JSX.Element {
  return (
    <>
      <p><button class="primary" aria-disabled={isBusy || job.state === 'running'} onClick={() => void press('POST', path)}>{label}</button></p>
      <p role="status">{statusOf(job)}</p>
      {job.state === 'failed' && <p class="failure" role="alert"><strong>{job.error.code}</strong> {job.error.message}</p>}
      {job.state === 'done' && children(job.result)}
    </>
  );
}

/** Changes with each step, not with each second: it is read aloud. */
function statusOf(job: Job<unknown>): string {
  switch (job.state) {
    case 'idle':
      return '';
    case 'running':
      return `Under way: ${job.progress}.`;
    case 'done':
      return `Done, in ${job.seconds.toFixed(0)} seconds.`;
    case 'failed':
      return 'It failed.';
    default:
      return job satisfies never;
  }
}
