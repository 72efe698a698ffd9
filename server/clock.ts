/** Time as an argument: rounds, uploads and heartbeats run on this, so that tests need not wait. */
export interface Clock {
  /** Milliseconds that only ever rise; unrelated to the calendar. */
  now(): number;
  /** Wall time, for what is recorded and signed. */
  date(): Date;
  /**
   * Runs `action` once, after at least `delayMs`, or earlier where the platform's timers reach no further: whoever
   * waits for a point in time checks `now` again. The returned function cancels.
   */
  after(delayMs: number, action: () => void): () => void;
}

/** The longest delay of a timer; a longer one would fire at once. */
const longestDelayMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => new Date(),
  after(delayMs, action) {
    const timer = setTimeout(action, Math.min(Math.max(0, delayMs), longestDelayMs));
    return () => clearTimeout(timer);
  },
};
