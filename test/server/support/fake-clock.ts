/** Time that passes when the test says so. Timers run in the order of their due times. */
import type { Clock } from '../../../server/clock.ts';

export interface FakeClock extends Clock {
  advance(ms: number): void;
  /** Timers that are armed. */
  readonly pending: number;
}

export function fakeClock(): FakeClock {
  let now = 1_000;
  let nextId = 0;
  const timers = new Map<number, { readonly at: number; readonly action: () => void }>();
  return {
    now: () => now,
    date: () => new Date(1_700_000_000_000 + now),
    after(delayMs, action) {
      const id = nextId++;
      timers.set(id, { at: now + Math.max(0, delayMs), action });
      return () => void timers.delete(id);
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const due = [...timers].filter(([, timer]) => timer.at <= end).sort(([a, x], [b, y]) => x.at - y.at || a - b)[0];
        if (due === undefined) break;
        const [id, timer] = due;
        timers.delete(id);
        now = Math.max(now, timer.at);
        timer.action();
      }
      now = end;
    },
    get pending() {
      return timers.size;
    },
  };
}
