import { describe, expect, it } from 'vitest';
import { maxCoordinate } from '../../shared/federation/accumulator.ts';
import { roundRig, trainingRig as training, type RoundRig } from './support/round-rig.ts';

describe('what is refused', () => {
  it('a report for another round or plan', async () => {
    const rig = await training(['a', 'b']);
    const report = { type: 'report', seq: 1, length: 5, sha256: '0'.repeat(64) } as const;
    expect(() => rig.run.message('a', { ...report, round: 'trial-0', planHash: '0'.repeat(64) })).toThrow('expected trial-1');
    expect(() => rig.run.message('a', { ...report, round: 'trial-1', planHash: '0'.repeat(64) })).toThrow('planHash');
    expect(() => rig.run.chunk('a', { round: 'trial-0', seq: 1, offset: 0, data: new Int32Array(5) })).toThrow('expected trial-1');
  });

  it('a report before the charge is on disk', async () => {
    const rig = roundRig(['a', 'b']);
    expect(() => rig.report('a')).toThrow('training has not started');
    rig.join('a', 'b');
    expect(rig.run.state.phase).toBe('training');
    expect(() => rig.report('a')).toThrow('training has not started');
    await rig.settle();
    rig.report('a');
  });

  it('a report of somebody who is no member', async () => {
    const rig = await training(['a', 'b']);
    expect(() => rig.report('stranger')).toThrow('working member');
    expect(() => rig.run.chunk('stranger', { round: rig.plan.round, seq: 1, offset: 0, data: new Int32Array(5) })).toThrow('chunk');
  });

  it.each([
    ['of a wrong length', (rig: RoundRig) => rig.report('a', new Int32Array(6)), 'expected 5 coordinates'],
    ['with a coordinate out of range', (rig: RoundRig) => rig.report('a', Int32Array.of(0, 0, 0, 0, maxCoordinate(rig.plan) + 1)), 'coordinate 4'],
    ['in the wrong order', (rig: RoundRig) => {
      rig.announce('a');
      rig.run.chunk('a', { round: rig.plan.round, seq: 1, offset: 3, data: new Int32Array(2) });
    }, 'expected offset 0'],
    ['of other bytes than announced', (rig: RoundRig) => {
      rig.announce('a');
      rig.run.chunk('a', { round: rig.plan.round, seq: 1, offset: 0, data: new Int32Array(5).fill(1) });
    }, 'expected digest'],
  ])('an update %s: its sender is out, the others complete the round', async (_what, misbehave, message) => {
    const rig = await training(['a', 'b', 'c'], { min: 2, target: 3 });
    expect(() => misbehave(rig)).toThrow(message);
    expect(() => rig.report('a')).toThrow('working member');
    rig.report('b');
    rig.report('c');
    expect((await rig.run.ended).round).toMatchObject({ phase: 'done', reported: ['b', 'c'] });
    expect(rig.sums[0].aggregate.sum.every((value) => value === 0)).toBe(true);
  });

  it('a late join, by the reducer', async () => {
    const rig = await training(['a', 'b']);
    rig.join('late');
    await rig.settle();
    expect(rig.log).toEqual(['late <- error round.not-member']);
  });

  it('nothing, when somebody leaves or declines a round that is over', async () => {
    const rig = await training(['a', 'b']);
    rig.run.message('a', { type: 'leave', seq: 1, round: 'trial-0' });
    rig.run.message('a', { type: 'decline', seq: 1, round: 'trial-0', code: 'budget.exhausted', message: '' });
    expect(rig.run.state).toMatchObject({ phase: 'training' });
    rig.report('a');
  });
});
