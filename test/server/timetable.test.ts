import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextRoundAtMs } from '../../server/timetable.ts';

const dayMs = 86_400_000;
const day = 86_400;

describe('the next round', () => {
  it('of a new task may open at once', () => {
    expect(nextRoundAtMs({ minIntervalSeconds: day }, 5_000, null)).toBe(0);
    expect(nextRoundAtMs({ everySeconds: day, minIntervalSeconds: 0 }, 5_000, null)).toBe(0);
    expect(nextRoundAtMs({ minIntervalSeconds: 0 }, 5_000, 6_000)).toBe(0);
  });

  it('follows the one before after the interval', () => {
    expect(nextRoundAtMs({ minIntervalSeconds: 60 }, 0, 1_000)).toBe(61_000);
  });

  it('of a nightly task is at the next multiple, however late the last one was', () => {
    const schedule = { everySeconds: day, minIntervalSeconds: 0 };
    expect(nextRoundAtMs(schedule, 7, 7)).toBe(dayMs + 7);
    expect(nextRoundAtMs(schedule, 7, dayMs + 6)).toBe(dayMs + 7);
    expect(nextRoundAtMs(schedule, 7, dayMs + 50_000)).toBe(2 * dayMs + 7);
    expect(nextRoundAtMs(schedule, 7, 10 * dayMs + 50_000)).toBe(11 * dayMs + 7);
  });

  it('is at the first multiple after the interval where that is longer than the period', () => {
    expect(nextRoundAtMs({ everySeconds: day, minIntervalSeconds: day + 1 }, 0, 0)).toBe(2 * dayMs);
  });

  it('is never sooner than the interval, always later than the last, and on a multiple', () => {
    const seconds = fc.integer({ min: 1, max: 1_000_000 });
    fc.assert(fc.property(seconds, fc.integer({ min: 0, max: 1_000_000 }), fc.integer({ min: 0, max: 1e12 }), fc.integer({ min: 0, max: 1e10 }), (everySeconds, minIntervalSeconds, createdAtMs, afterMs) => {
      const last = createdAtMs + afterMs;
      const next = nextRoundAtMs({ everySeconds, minIntervalSeconds }, createdAtMs, last);
      expect(next).toBeGreaterThan(last);
      expect(next).toBeGreaterThanOrEqual(last + minIntervalSeconds * 1000);
      expect((next - createdAtMs) % (everySeconds * 1000)).toBe(0);
      expect(next - Math.max(last, last + minIntervalSeconds * 1000)).toBeLessThanOrEqual(everySeconds * 1000);
    }));
  });
});
