/**
 * Who may open a round. One is open at a time, whichever task it is for: shops answer one invitation, and memory is one
 * sum. Tasks that want to and may not are asked in the order in which they came, so that none waits for ever.
 */
export interface Floor {
  /** Whether the task has the floor now. If not, `onFree` is called once when its turn comes; it may ask again then. */
  take(task: string, onFree: () => void): boolean;
  /** Gives the floor, or the place in the queue, to the next. Harmless for whoever has neither. */
  give(task: string): void;
  readonly holder: string | null;
}

export function createFloor(): Floor {
  let holder: string | null = null;
  const waiting = new Map<string, () => void>();
  return {
    take(task, onFree) {
      if (holder !== null && holder !== task) {
        if (!waiting.has(task)) waiting.set(task, onFree);
        return false;
      }
      holder = task;
      waiting.delete(task);
      return true;
    },
    give(task) {
      waiting.delete(task);
      if (holder !== task) return;
      holder = null;
      for (const [next, onFree] of [...waiting]) {
        waiting.delete(next);
        onFree();
        // `onFree` may have taken the floor, or found that there is nothing to open any more.
        if (holder !== null) return;
      }
    },
    get holder() {
      return holder;
    },
  };
}
