import { describe, expect, it } from 'vitest';
import { contest, milliseconds, perSecond } from '../../scripts/bench/suite/contest.ts';
import { benchAll, measureNames } from '../../scripts/bench/suite/suite.ts';

const about = { measure: 'wire', what: 'a frame', reference: 'a copy', runs: 2 };

describe('the suite of measures', () => {
  it('says of durations and of rates alike how many times as fast ours is', () => {
    expect(milliseconds(about, 4, 1)).toMatchObject({ unit: 'ms', ours: 4, theirs: 1, timesAsFast: 0.25 });
    expect(milliseconds(about, 0.5, 1)).toMatchObject({ unit: 'us', ours: 500, theirs: 1000, timesAsFast: 2 });
    expect(perSecond(about, 50, 200)).toMatchObject({ unit: 'per second', timesAsFast: 0.25 });
  });

  it('takes turns, warms both sides up, and counts no warm-up', () => {
    const turns: string[] = [];
    contest({ ...about, ours: (turn) => turns.push(`ours ${turn}`), theirs: (turn) => turns.push(`theirs ${turn}`) });
    expect(turns).toEqual(['ours 0', 'theirs 0', 'ours 1', 'theirs 1', 'ours 2', 'theirs 2']);
  });

  it('has a reference for every line of a measure', async () => {
    const { rows, machine, versions } = await benchAll(['aggregation', 'aggregation']);
    expect(machine.cores).toBeGreaterThan(0);
    expect(Object.keys(versions)).toEqual(['cesta', 'node', 'ws', '@tensorflow/tfjs-backend-wasm']);
    expect(rows.map(({ measure, reference }) => [measure, reference])).toEqual([['aggregation', 'a bare loop over two Int32Arrays']]);
    for (const { ours, theirs, runs } of rows) expect(Math.min(ours, theirs, runs)).toBeGreaterThan(0);
  });

  it.each(['colour', 'toString', ''])('refuses %j, which is no measure, before it measures anything', async (name) => {
    const heard: string[] = [];
    await expect(benchAll(['wire', name], (measure) => heard.push(measure))).rejects.toMatchObject({ code: 'usage.invalid' });
    expect(heard).toEqual([]);
    expect(measureNames).toContain('secagg');
  });
});
