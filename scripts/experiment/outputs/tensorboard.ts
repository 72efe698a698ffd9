/**
 * Runs for TensorBoard. Wall times are virtual: seconds since the simulation began, counted from 1970. So the same run makes the same
 * bytes, also after an interruption, and TensorBoard's axis "Relative" is virtual time; its axis "Wall" means nothing.
 */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { LoggedRun, RunLogger } from '../run-logger.ts';
import { metricScalars, roundScalars } from './scalars.ts';
import { scalarRecord, versionRecord } from './tf-events.ts';

export const eventFileName = 'events.out.tfevents.0000000000.cesta';

/**
 * Of one run: a file in a folder of its own below `folder`, which is what `tensorboard --logdir` takes. A file of the same run is
 * replaced. Each round is there to see as soon as it is told.
 * @example const logger = createTensorBoardLog('runs/frontier/tensorboard');
 */
export function createTensorBoardLog(folder: string): RunLogger {
  let file: number | undefined;
  let last = { step: 0, wallSeconds: 0 };
  const write = (record: Uint8Array): void => {
    if (file !== undefined) writeSync(file, record);
  };
  return {
    start(run) {
      const own = join(folder, runFolder(run));
      mkdirSync(own, { recursive: true });
      file = openSync(join(own, eventFileName), 'w');
      write(versionRecord(last.wallSeconds));
    },
    round(record) {
      last = { step: record.round, wallSeconds: record.virtualSeconds };
      write(scalarRecord(last, roundScalars(record)));
    },
    end({ metrics }) {
      write(scalarRecord(last, metricScalars('result', metrics)));
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

/** The label as far as it is fit for a file name, and enough of the id to tell runs apart: what TensorBoard shows as the name of the run. */
export function runFolder({ id, label }: Pick<LoggedRun, 'id' | 'label'>): string {
  return `${label.replace(/[^\w.=-]+/g, '-').replace(/^[-.]+|-+$/g, '').slice(0, 100)}-${id.slice(0, 12)}`;
}
