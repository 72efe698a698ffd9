import { describe, expect, it } from 'vitest';
import { contest, milliseconds, perSecond } from '../../scripts/bench/suite/contest.ts';
import { benchAll, measureNames } from '../../scripts/bench/suite/suite.ts';

const about = { measure: 'wire', what: 'a frame', reference: 'a copy' };

describe('the suite of measures', () => {
  it('says of durations and of rates alike how many times as fast ours is', () => {
    expect(milliseconds(about, 4, 1)).toMatchObject({ unit: 'ms', ours: 4, theirs: 1, timesAsFast: 0.25 });
    expect(milliseconds(about, 0.5, 1)).toMatchObject({ unit: 'us', ours: 500, theirs: 1000, timesAsFast: 2 });
    expect(perSecond(about, 50, 200)).toMatchObject({ unit: 'per second', timesAsFast: 0.25 });
  });

  it('takes turns, warms both sides up, and counts no warm-up', () => {
    const turns: string[] = [];
    contest({ ...about, repeats: 2, ours: () => turns.push('ours'), theirs: () => turns.push('theirs') });
    expect(turns).toEqual(['ours', 'theirs', 'ours', 'theirs', 'ours', 'theirs']);
  });

  it('has a reference for every line of a measure', async () => {
    const { rows, machine } = await benchAll(['aggregation']);
    expect(machine.cores).toBeGreaterThan(0);
    expect(rows.map(({ measure, reference }) => [measure, reference])).toEqual([['aggregation', 'a bare loop over two Int32Arrays']]);
    for (const { ours, theirs } of rows) expect(Math.min(ours, theirs)).toBeGreaterThan(0);
  });

  it('refuses a measure that it does not know, before it measures anything', async () => {
    const heard: string[] = [];
    await expect(benchAll(['wire', 'colour'], (name) => heard.push(name))).rejects.toMatchObject({ code: 'usage.invalid' });
    expect(heard).toEqual([]);
    expect(measureNames).toContain('secagg');
  });
});
