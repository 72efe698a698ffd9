/** One run from wherever it stands to its end, with everything that is written about it. */
import { setImmediate } from 'node:timers/promises';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { RoundRecord, SimulateOptions, SimulationResult } from '../simulate/simulation.ts';
import { createCheckpointKeeper } from './checkpoint-keeper.ts';
import { hashData } from './hashes.ts';
import { appendRound, finishRun, openRun, readFinished, removeLeftovers, saveCheckpoint, type PlannedRun } from './run-folder.ts';
import { lockRun } from './run-lock.ts';
import { storageError } from './storage-error.ts';

/** `simulate` of scripts/simulate, or one that stands in for it. */
export type Simulate = (options: SimulateOptions) => Promise<SimulationResult>;

export interface PerformOptions {
  readonly simulate: Simulate;
  /** Of this package and of Node, for the record. */
  readonly versions: Readonly<Record<string, string>>;
  /** Threads of one simulation. */
  readonly workers?: number | undefined;
  /** False: an interrupted run begins anew. */
  readonly resume?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** From the first round on, those before an interruption included. */
  readonly onRound?: ((record: RoundRecord) => void | Promise<void>) | undefined;
}

/**
 * Returns once the run is finished on disk, at once if it was.
 * @throws CestaError `experiment.busy`, `storage.failed`; whatever the simulation does, also when it is told to stop
 */
export async function performRun(run: PlannedRun, options: PerformOptions): Promise<void> {
  const { onRound } = options;
  const ofListener = new Set<unknown>();
  const hear = async (record: RoundRecord): Promise<void> => {
    try {
      await onRound?.(record);
    } catch (thrown) {
      ofListener.add(thrown);
      throw thrown;
    }
  };
  try {
    await perform(run, { ...options, onRound: hear });
  } catch (thrown) {
    // What a listener may not write is elsewhere.
    throw ofListener.has(thrown) ? thrown : storageError(thrown, run.folder);
  }
}

async function perform(run: PlannedRun, { simulate, versions, workers, resume, signal, onRound }: PerformOptions): Promise<void> {
  const lock = await lockRun(run.folder);
  try {
    const done = readFinished(run);
    if (done !== null) {
      // By another process since this one looked: whoever listens hears of its rounds all the same.
      for (const record of done.rounds) await onRound?.(record);
      removeLeftovers(run.folder);
      return;
    }
    const { records, checkpoint } = openRun(run, versions, resume);
    for (const record of records) await onRound?.(record);
    const keeper = createCheckpointKeeper((checkpoint) => saveCheckpoint(run.folder, checkpoint));
    let before = performance.now();
    const result = await simulate({
      scenario: run.scenario,
      ...(workers === undefined ? {} : { workers }),
      ...(checkpoint === undefined ? {} : { resume: checkpoint }),
      ...(signal === undefined ? {} : { signal }),
      onRound: async (record) => {
        appendRound(run.folder, record, performance.now() - before);
        before = performance.now();
        await onRound?.(record);
        // Rounds may follow each other without a pause: a word to stop is heard here.
        await setImmediate();
      },
      onCheckpoint: (checkpoint) => keeper.offer(checkpoint),
    }).catch((thrown: unknown) => {
      // Told to stop, or broken: the rounds so far are good. If they cannot be kept either, what broke first is what is told.
      try {
        keeper.flush();
      } catch {
        throw thrown;
      }
      throw thrown;
    });
    if ((await hashData(run.scenario.data)) !== run.dataHash) throw new CestaError('data.unreadable', `data: expected ${run.scenario.data} to stay as it is while runs go on, got another content`);
    finishRun(run, result);
  } finally {
    lock.release();
  }
}
