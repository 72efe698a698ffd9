import { describe, expect, it } from 'vitest';
import { createAggregation, type Aggregation } from '../../server/aggregation.ts';
import { createStagingAreas, type StagingAreas } from '../../server/uploads.ts';
import { maxCoordinate } from '../../shared/federation/accumulator.ts';
import type { CestaError } from '../../shared/protocol/errors.ts';
import { fakeClock, type FakeClock } from './support/fake-clock.ts';
import { planOf } from './support/fixtures.ts';
import { digestOf } from './support/test-client.ts';

const shortPlan = planOf();
/** Three chunks and a bit. */
const longPlan = { ...shortPlan, statisticLength: 50_000 };

interface Rig {
  readonly aggregation: Aggregation;
  readonly clock: FakeClock;
  readonly granted: string[];
  readonly stalled: { participant: string; error: CestaError }[];
}

function rigOf(options: { areas?: StagingAreas; plan?: typeof shortPlan } = {}): Rig {
  const clock = fakeClock();
  const granted: string[] = [];
  const stalled: Rig['stalled'] = [];
  const aggregation = createAggregation({
    plan: options.plan ?? shortPlan, clock, areas: options.areas ?? createStagingAreas(2), stallMs: 30_000,
    onGrant: (participant) => void granted.push(participant),
    onStall: (participant, error) => void stalled.push({ participant, error }),
  });
  return { aggregation, clock, granted, stalled };
}

const { gridScale } = shortPlan.bounds;
const update = (...units: number[]): Int32Array => Int32Array.from(units, (unit) => unit * gridScale);
const announcementOf = (vector: Int32Array) => ({ length: vector.length, sha256: digestOf(vector) });

function report(aggregation: Aggregation, participant: string, vector: Int32Array): void {
  aggregation.announce(participant, announcementOf(vector));
  expect(aggregation.take(participant, 0, vector)).toBe('complete');
  aggregation.accumulate(participant);
}

describe('the sum', () => {
  it('is that of the reports, decoded with their count', () => {
    const { aggregation } = rigOf();
    report(aggregation, 'a', update(1, 0, -2, 0, 3));
    report(aggregation, 'b', update(4, 1, 0, 0, 2));
    expect(aggregation.participants).toBe(2);
    expect([...aggregation.decode().sum]).toEqual([5, 1, -2, 0]);
    expect(aggregation.decode().shoppers).toBe(5);
  });

  it('does not see an update before it is accumulated', () => {
    const { aggregation } = rigOf();
    report(aggregation, 'a', update(1, 1, 1, 1, 1));
    const vector = update(5, 5, 5, 5, 5);
    aggregation.announce('b', announcementOf(vector));
    aggregation.take('b', 0, vector);
    expect([...aggregation.decode().sum]).toEqual([1, 1, 1, 1]);
  });

  it('collects an update from chunks', () => {
    const { aggregation } = rigOf({ plan: longPlan });
    const vector = Int32Array.from({ length: 50_000 }, (_, index) => (index % 7) * gridScale);
    aggregation.announce('a', announcementOf(vector));
    expect(aggregation.take('a', 0, vector.slice(0, 20_000))).toBe('more');
    expect(aggregation.take('a', 20_000, vector.slice(20_000, 49_999))).toBe('more');
    expect(aggregation.take('a', 49_999, vector.slice(49_999))).toBe('complete');
    aggregation.accumulate('a');
    expect(aggregation.decode().sum[13]).toBe(6);
  });

  it('takes a zero update', () => {
    const { aggregation } = rigOf();
    report(aggregation, 'a', new Int32Array(5));
    expect(aggregation.decode()).toMatchObject({ shoppers: 1 });
  });
});

describe('a report is refused', () => {
  const bound = maxCoordinate(shortPlan);

  it('when its length is not that of the plan', () => {
    const { aggregation, granted } = rigOf();
    expect(() => aggregation.announce('a', { length: 6, sha256: '0'.repeat(64) })).toThrow('expected 5 coordinates, got 6');
    expect(granted).toEqual([]);
  });

  it.each([
    ['above the bound', bound + 1],
    ['below the bound', -bound - 1],
    ['the smallest integer, which has no positive', -(2 ** 31)],
    ['the largest integer', 2 ** 31 - 1],
  ])('when a coordinate is %s', (_what, value) => {
    const { aggregation } = rigOf();
    const vector = Int32Array.of(0, 0, value, 0, 0);
    aggregation.announce('a', announcementOf(vector));
    expect(() => aggregation.take('a', 0, vector)).toThrow('coordinate 2');
  });

  it('not when its coordinates are exactly at the bound', () => {
    const { aggregation } = rigOf();
    const vector = Int32Array.of(bound, -bound, 0, 0, 0);
    aggregation.announce('a', announcementOf(vector));
    expect(aggregation.take('a', 0, vector)).toBe('complete');
  });

  it('when its bytes do not have the announced digest', () => {
    const { aggregation } = rigOf();
    aggregation.announce('a', announcementOf(update(1, 0, 0, 0, 0)));
    expect(() => aggregation.take('a', 0, update(1, 0, 0, 0, 1))).toThrow('expected digest');
    expect(() => aggregation.accumulate('a')).toThrow('expected a complete update');
  });

  it.each([
    ['leave a gap', 3, 1],
    ['overlap', 0, 1],
    ['run over the end', 2, 4],
    ['are empty', 2, 0],
  ])('when its chunks %s', (_what, offset, length) => {
    const { aggregation } = rigOf();
    aggregation.announce('a', announcementOf(update(0, 0, 0, 0, 0)));
    aggregation.take('a', 0, new Int32Array(2));
    expect(() => aggregation.take('a', offset, new Int32Array(length))).toThrow('chunk: expected');
  });

  it('when nothing was announced, when it is announced twice, and when it is complete', () => {
    const { aggregation } = rigOf();
    expect(() => aggregation.take('a', 0, new Int32Array(5))).toThrow('after the upload was granted');
    aggregation.announce('a', announcementOf(new Int32Array(5)));
    expect(() => aggregation.announce('a', announcementOf(new Int32Array(5)))).toThrow('expected one announcement');
    aggregation.take('a', 0, new Int32Array(5));
    expect(() => aggregation.take('a', 0, new Int32Array(5))).toThrow('before it is complete');
  });
});

describe('staging areas', () => {
  const announcement = announcementOf(new Int32Array(5));

  it('are bounded: whoever finds none waits for one, first come first served', () => {
    const { aggregation, granted } = rigOf({ areas: createStagingAreas(2) });
    for (const participant of ['a', 'b', 'c', 'd']) aggregation.announce(participant, announcement);
    expect(granted).toEqual(['a', 'b']);
    aggregation.take('b', 0, new Int32Array(5));
    aggregation.accumulate('b');
    expect(granted).toEqual(['a', 'b', 'c']);
    aggregation.discard('a');
    expect(granted).toEqual(['a', 'b', 'c', 'd']);
  });

  it('are not given to somebody who left the queue', () => {
    const { aggregation, granted } = rigOf({ areas: createStagingAreas(1) });
    for (const participant of ['a', 'b', 'c']) aggregation.announce(participant, announcement);
    aggregation.discard('b');
    aggregation.discard('a');
    expect(granted).toEqual(['a', 'c']);
  });

  it('keep a complete update when its owner leaves, since the round counts on it', () => {
    const { aggregation } = rigOf();
    aggregation.announce('a', announcement);
    aggregation.take('a', 0, new Int32Array(5));
    aggregation.discard('a');
    aggregation.accumulate('a');
    expect(aggregation.participants).toBe(1);
  });

  it('come back from a round that ends, and are free of what stood in them', () => {
    const areas = createStagingAreas(1);
    const first = rigOf({ areas });
    first.aggregation.announce('a', announcement);
    first.aggregation.take('a', 0, update(9, 9, 9));
    first.aggregation.close();
    const second = rigOf({ areas });
    report(second.aggregation, 'b', update(1, 1, 1, 1, 1));
    expect([...second.aggregation.decode().sum]).toEqual([1, 1, 1, 1]);
    expect(first.clock.pending).toBe(0);
  });

  it('serve a round of another length', () => {
    const areas = createStagingAreas(1);
    report(rigOf({ areas }).aggregation, 'a', new Int32Array(5));
    const { aggregation } = rigOf({ areas, plan: longPlan });
    aggregation.announce('a', announcementOf(new Int32Array(50_000)));
    expect(aggregation.take('a', 0, new Int32Array(50_000))).toBe('complete');
  });

  it('ignore chunks that were on the way when the upload was forgotten, and take the upload anew', () => {
    const { aggregation } = rigOf();
    const vector = update(1, 2, 3, 4, 5);
    aggregation.announce('a', announcementOf(vector));
    aggregation.take('a', 0, vector.slice(0, 2));
    aggregation.discard('a');
    expect(aggregation.take('a', 2, vector.slice(2))).toBe('ignored');
    report(aggregation, 'a', vector);
    expect(aggregation.participants).toBe(1);
  });
});

describe('an upload that stalls', () => {
  const announcement = announcementOf(new Int32Array(50_000));

  it('is reported after the time for one chunk', () => {
    const { aggregation, clock, stalled } = rigOf({ plan: longPlan });
    aggregation.announce('a', announcement);
    clock.advance(29_999);
    expect(stalled).toEqual([]);
    clock.advance(1);
    expect(stalled).toMatchObject([{ participant: 'a' }]);
  });

  it('has its time again after each full chunk, not after each coordinate', () => {
    const { aggregation, clock, stalled } = rigOf({ plan: longPlan });
    aggregation.announce('a', announcement);
    clock.advance(29_000);
    aggregation.take('a', 0, new Int32Array(16_384));
    clock.advance(30_999);
    expect(stalled).toEqual([]);
    aggregation.take('a', 16_384, new Int32Array(1));
    clock.advance(1);
    expect(stalled).toMatchObject([{ participant: 'a' }]);
  });

  it('is not one that is complete, or waits for its turn', () => {
    const { aggregation, clock, stalled } = rigOf({ plan: longPlan, areas: createStagingAreas(1) });
    aggregation.announce('a', announcement);
    aggregation.announce('b', announcement);
    aggregation.take('a', 0, new Int32Array(50_000));
    clock.advance(600_000);
    expect(stalled).toEqual([]);
  });
});
