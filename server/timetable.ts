/** When a task may open its next round, by the journal and the wall clock: a restart changes nothing about it. */
import type { TaskSpec } from '../shared/federation/task.ts';

/**
 * Unix milliseconds before which no round opens; 0 for at once, whatever the clock says. Rounds that failed before anybody trained do not count: they are
 * tried again, after a pause that is not this module's business.
 * @param createdAtMs when the task was made: `everySeconds` counts from there, so that a nightly task stays nightly
 * @param lastTrainedAtMs when the last round that trained was opened; null before the first
 */
export function nextRoundAtMs({ everySeconds, minIntervalSeconds }: TaskSpec['schedule'], createdAtMs: number, lastTrainedAtMs: number | null): number {
  if (lastTrainedAtMs === null || (everySeconds === undefined && minIntervalSeconds === 0)) return 0;
  const soonestMs = lastTrainedAtMs + minIntervalSeconds * 1000;
  if (everySeconds === undefined) return soonestMs;
  const everyMs = everySeconds * 1000;
  const passed = Math.floor(Math.max(0, lastTrainedAtMs - createdAtMs) / everyMs);
  // The interval may be longer than the period: then the first multiple after it.
  const slots = Math.max(passed + 1, Math.ceil((soonestMs - createdAtMs) / everyMs));
  return createdAtMs + slots * everyMs;
}
