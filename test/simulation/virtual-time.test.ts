import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Timers } from '../../client/socket.ts';
import type { Clock } from '../../server/clock.ts';
import { createVirtualTime, type VirtualTime } from '../../shared/simulation/virtual-time.ts';
import { codeOf } from '../datasets/code-of.ts';

describe('virtual time', () => {
  it('is a clock for the server and timers for the client', () => {
    expectTypeOf<VirtualTime>().toExtend<Clock>();
    expectTypeOf<VirtualTime>().toExtend<Timers>();
    const clock: Clock & Timers = createVirtualTime(1_700_000_000_000);
    expect(clock.now()).toBe(0);
    expect(clock.date().getTime()).toBe(1_700_000_000_000);
  });

  it('runs actions by their times, and in the order of asking where those are equal', () => {
    fc.assert(fc.property(fc.array(fc.nat({ max: 20 }), { maxLength: 200 }), (delays) => {
      const time = createVirtualTime();
      const seen: [number, number][] = [];
      delays.forEach((delay, index) => time.after(delay, () => seen.push([time.now(), index])));
      expect(time.pending).toBe(delays.length);
      time.run();
      expect(time.pending).toBe(0);
      expect(seen).toEqual(delays.map((delay, index): [number, number] => [delay, index]).sort(([a, i], [b, j]) => a - b || i - j));
    }));
  });

  it('runs nothing that was cancelled, and does not go to its time', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat({ max: 20 }), fc.boolean()), { maxLength: 100 }), (timers) => {
      const time = createVirtualTime();
      const seen: number[] = [];
      const cancels = timers.map(([delay], index) => time.after(delay, () => seen.push(index)));
      timers.forEach(([, isCancelled], index) => isCancelled && [cancels[index](), cancels[index]()]);
      const kept = timers.flatMap(([delay, isCancelled], index) => (isCancelled ? [] : [{ delay, index }]));
      expect(time.pending).toBe(kept.length);
      time.run();
      expect(seen.toSorted((a, b) => a - b)).toEqual(kept.map(({ index }) => index));
      expect(time.now()).toBe(Math.max(0, ...kept.map(({ delay }) => delay)));
      cancels.forEach((cancel) => cancel());
      expect(time.pending).toBe(0);
    }));
  });

  it('runs what actions ask for, after what waited for the same time', () => {
    const time = createVirtualTime();
    const seen: string[] = [];
    time.after(5, () => {
      seen.push('first');
      time.after(0, () => seen.push('third'));
      time.after(-3, () => seen.push(`fourth at ${time.now()}`));
    });
    time.after(5, () => seen.push('second'));
    time.run();
    expect(seen).toEqual(['first', 'second', 'third', 'fourth at 5']);
  });

  it('goes one action a step, so that promises can settle between two', async () => {
    const time = createVirtualTime();
    const seen: number[] = [];
    const sleep = (ms: number): Promise<void> => new Promise((resolve) => time.after(ms, resolve));
    const work = (async () => {
      for (let beat = 0; beat < 3; beat += 1) {
        await sleep(10);
        seen.push(time.now());
      }
    })();
    while (time.step()) await new Promise((resolve) => setImmediate(resolve));
    await work;
    expect(seen).toEqual([10, 20, 30]);
  });

  it('stands where it was told to stop, with what is later still waiting', () => {
    const time = createVirtualTime();
    let beats = 0;
    const beat = (): void => {
      beats += 1;
      time.after(10, beat);
    };
    time.after(10, beat);
    time.run(35);
    expect([beats, time.now(), time.pending]).toEqual([3, 35, 1]);
    time.run(40);
    expect([beats, time.now()]).toEqual([4, 40]);
  });

  it('never runs what has an infinite delay, and refuses a delay that is no number', () => {
    const time = createVirtualTime();
    const cancel = time.after(Infinity, () => expect.unreachable());
    time.run();
    cancel();
    expect([time.now(), time.pending]).toEqual([0, 0]);
    expect(codeOf(() => time.after(NaN, () => undefined))).toBe('config.invalid');
  });
});
