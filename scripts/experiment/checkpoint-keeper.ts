/**
 * Which of its checkpoints an interrupted run goes on from. Each holds all that was, so that to write every one of a run of thousands
 * of rounds would take longer than the rounds themselves: the next one is written once nine times as long has passed as writing the
 * last one took. A process that is killed loses that much at most; one that is told to stop keeps its last round.
 */
import type { Checkpoint } from '../simulate/simulation.ts';

/** The rest, a tenth of the time, is for writing. */
const pauseFactor = 9;

export interface CheckpointKeeper {
  /** Writes it down, or else remembers it. */
  offer(checkpoint: Checkpoint): void;
  /** Writes down what is only remembered. */
  flush(): void;
}

/** @param clock in milliseconds */
export function createCheckpointKeeper(save: (checkpoint: Checkpoint) => void, clock: () => number = () => performance.now()): CheckpointKeeper {
  let [savedAt, tookMs] = [-Infinity, 0];
  let pending: Checkpoint | undefined;
  const keep = (checkpoint: Checkpoint): void => {
    const before = clock();
    save(checkpoint);
    savedAt = clock();
    tookMs = savedAt - before;
    pending = undefined;
  };
  return {
    offer(checkpoint) {
      if (clock() - savedAt >= pauseFactor * tookMs) keep(checkpoint);
      else pending = checkpoint;
    },
    flush() {
      if (pending !== undefined) keep(pending);
    },
  };
}
