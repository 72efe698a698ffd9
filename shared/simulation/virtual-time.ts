/**
 * Time that passes as fast as the work in it: a queue of events, run in the order of their times and, at one time, in the order
 * they were asked for. A binary heap (Williams 1964, Algorithm 232, doi:10.1145/512274.512284). It has the shape of the server's
 * clock and of the client's timers, so that code written for either runs in it unchanged.
 */
import { CestaError } from '../protocol/errors.ts';

export interface VirtualTime {
  /** Virtual milliseconds since the beginning. */
  now(): number;
  /** Wall time in the simulation. */
  date(): Date;
  /** Runs `action` once, `delayMs` from now; never for an infinite delay. Cancelling twice, or too late, does nothing. */
  after(delayMs: number, action: () => void): () => void;
  /** Actions that wait. */
  readonly pending: number;
  /**
   * Goes to the earliest action and runs it; false where none waits. What an action starts with promises is not waited for:
   * whoever simulates code that awaits lets it settle before the next step.
   */
  step(): boolean;
  /** Steps while an action is due by `untilMs`, and stands there in the end. Without it, until none waits. */
  run(untilMs?: number): void;
}

interface Entry {
  readonly atMs: number;
  /** Of equal times the earlier comes first. */
  readonly order: number;
  /** Null once cancelled or run: the entry stays in the heap until it is on top, what it held is free at once. */
  action: (() => void) | null;
}

/**
 * @param epochMs Unix time in milliseconds at virtual time 0
 * @throws CestaError `config.invalid` from `after`, unless the delay is a number
 * @example
 * const time = createVirtualTime();
 * time.after(5_000, () => console.log(time.now())); // 5000
 * time.run();
 */
export function createVirtualTime(epochMs = 0): VirtualTime {
  const heap: Entry[] = [];
  let nowMs = 0;
  let nextOrder = 0;
  let pending = 0;
  /** The earliest entry that still waits. */
  const earliest = (): Entry | undefined => {
    while (heap.length > 0 && heap[0].action === null) removeTop(heap);
    return heap[0];
  };
  const step = (): boolean => {
    const entry = earliest();
    if (entry === undefined || entry.action === null) return false;
    const { action } = entry;
    entry.action = null;
    pending -= 1;
    nowMs = entry.atMs;
    action();
    return true;
  };
  return {
    now: () => nowMs,
    date: () => new Date(epochMs + nowMs),
    after(delayMs, action) {
      if (Number.isNaN(delayMs)) throw new CestaError('config.invalid', 'delayMs: expected a number, got NaN');
      if (delayMs === Infinity) return () => undefined;
      const entry: Entry = { atMs: nowMs + Math.max(0, delayMs), order: nextOrder++, action };
      insert(heap, entry);
      pending += 1;
      return () => {
        if (entry.action === null) return;
        entry.action = null;
        pending -= 1;
      };
    },
    get pending() {
      return pending;
    },
    step,
    run(untilMs = Infinity) {
      for (let entry = earliest(); entry !== undefined && entry.atMs <= untilMs; entry = earliest()) step();
      if (untilMs < Infinity) nowMs = Math.max(nowMs, untilMs);
    },
  };
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

function insert(heap: Entry[], entry: Entry): void {
  let at = heap.length;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isBefore(entry, heap[parent])) break;
    heap[at] = heap[parent];
    at = parent;
  }
  heap[at] = entry;
}

function removeTop(heap: Entry[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (let child = 1; child < heap.length; child = 2 * at + 1) {
    if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child += 1;
    if (!isBefore(heap[child], last)) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = last;
}
