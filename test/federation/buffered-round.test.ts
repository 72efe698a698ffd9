import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { Carried } from '../../shared/federation/carried.ts';
import { advance, isOver, openRound, type Round, type RoundEffect, type RoundEvent } from '../../shared/federation/round.ts';
import { examplePlan } from './plans.ts';

/** At least 2 reports, 3 wanted, 4 invited. */
const plan = examplePlan({ aggregation: { kind: 'buffered', maxStaleness: 2 } });

function run(candidates: readonly string[], carried: Carried, events: readonly RoundEvent[]): { round: Round; effects: RoundEffect[] } {
  const [opened, first] = openRound(plan, candidates, 0, carried);
  let round = opened;
  const effects = [...first];
  for (const event of events) {
    const [next, more] = advance(round, event);
    round = next;
    effects.push(...more);
  }
  return { round, effects };
}

const event = (kind: 'join' | 'leave' | 'decline' | 'report' | 'restart' | 'late-report' | 'late-loss') => (participant: string, now = 3): RoundEvent => ({ kind, participant, now });
const [join, leave, decline, report, restart, lateReport, lateLoss] = (['join', 'leave', 'decline', 'report', 'restart', 'late-report', 'late-loss'] as const).map(event);
const nobody: Carried = new Map();
const out = (...names: string[]): Carried => new Map(names.map((name) => [name, 'working']));
const held = (...names: string[]): Carried => new Map(names.map((name) => [name, 'reported']));

describe('the close of a buffered round', () => {
  const begun = ['a', 'b', 'c', 'd'].map((name) => join(name));

  it('names as stragglers who is working still or away, and nobody who gave up', () => {
    const { round } = run(['a', 'b', 'c', 'd'], nobody, [...begun, report('a'), leave('b'), report('c'), report('d')]);
    expect(round).toMatchObject({ phase: 'releasing', reported: ['a', 'c', 'd'], stragglers: ['b'] });
    const early = run(['a', 'b', 'c', 'd'], nobody, [...begun, report('a'), report('b'), decline('d'), { kind: 'tick', now: 10_003 }]);
    expect(early.round).toMatchObject({ phase: 'releasing', reported: ['a', 'b'], stragglers: ['c'] });
    expect(run(['a', 'b', 'c', 'd'], nobody, [...begun, report('a'), report('b'), restart('d'), leave('c')]).round).toMatchObject({ stragglers: ['c'] });
  });

  it('still names them when the release is out', () => {
    const { round } = run(['a', 'b', 'c', 'd'], nobody, [...begun, report('a'), report('b'), report('c'), { kind: 'released', version: 1 }]);
    expect(round).toMatchObject({ phase: 'done', stragglers: ['d'] });
  });

  it('has no stragglers in a round that is not buffered', () => {
    const [opened] = openRound(examplePlan(), ['a', 'b', 'c', 'd'], 0);
    const round = [...begun, report('a'), report('b'), report('c')].reduce((state, step) => advance(state, step)[0], opened);
    expect(round).toMatchObject({ phase: 'releasing', stragglers: [] });
  });
});

describe('a carried report', () => {
  it('counts towards the target: the round closes at once', () => {
    const { round, effects } = run(['a', 'b', 'c'], out('s'), [join('a'), join('b'), join('c'), report('a'), report('b'), lateReport('s')]);
    expect(round).toMatchObject({ phase: 'releasing', reported: ['a', 'b'], stragglers: ['c'] });
    // What the buffer holds already is not summed by this round.
    expect(effects.flatMap((effect) => (effect.kind === 'accumulate' ? [effect.participant] : []))).toEqual(['a', 'b']);
  });

  it('counts once, and a stranger\'s not at all', () => {
    const { round } = run(['a', 'b', 'c'], out('s'), [join('a'), join('b'), join('c'), report('a'), lateReport('s'), lateReport('s'), lateReport('stranger')]);
    expect(round.phase).toBe('training');
  });

  it('makes up for a member where the quorum is short, but not for all of them', () => {
    expect(run(['a'], held('s'), []).round.phase).toBe('recruiting');
    expect(run(['a'], held('s'), [join('a'), report('a')]).round).toMatchObject({ phase: 'releasing', reported: ['a'] });
    expect(run(['a'], out('s'), []).round.phase).toBe('failed');
    expect(run([], held('s', 't', 'u'), []).round.phase).toBe('failed');
    expect(run(['a', 'b'], held('s', 't', 'u'), [join('a'), join('b')]).round.phase).toBe('training');
    expect(run(['a', 'b'], held('s', 't', 'u'), [join('a'), join('b'), restart('a'), restart('b')]).round).toMatchObject({ phase: 'failed', reason: expect.stringContaining('a report to this plan') as string });
  });

  it('is taken while the round recruits, too', () => {
    const { round } = run(['a', 'b'], out('s'), [join('a'), lateReport('s'), decline('b')]);
    expect(round).toMatchObject({ phase: 'training', carried: held('s') });
    expect(run(['a', 'b'], out('s'), [join('a'), lateLoss('s'), decline('b')]).round.phase).toBe('failed');
  });
});

describe('a carried member that is still out', () => {
  it('is not waited for once the quorum is there', () => {
    expect(run(['a', 'b'], out('s'), [join('a'), join('b'), report('a'), report('b')]).round.phase).toBe('releasing');
  });

  it('is waited for while the quorum is short, until the deadline', () => {
    const waiting = run(['a', 'b'], out('s'), [join('a'), join('b'), report('a'), restart('b')]);
    expect(waiting.round.phase).toBe('training');
    expect(advance(waiting.round, lateReport('s'))[0]).toMatchObject({ phase: 'releasing', reported: ['a'] });
    expect(advance(waiting.round, lateLoss('s'))[0].phase).toBe('failed');
    expect(advance(waiting.round, { kind: 'tick', now: 10_003 })[0].phase).toBe('failed');
  });
});

describe('any sequence of events in a buffered round', () => {
  const own = ['a', 'b', 'c', 'd'];
  const late = ['s', 't', 'u'];
  const carried = fc.array(fc.tuple(fc.constantFrom(...late), fc.constantFrom('working' as const, 'reported' as const))).map((pairs): Carried => new Map(pairs));
  const kind = fc.constantFrom('join', 'decline', 'leave', 'return', 'restart', 'report', 'late-report', 'late-loss', 'tick', 'released');
  const anyEvent = fc.tuple(kind, fc.constantFrom(...own, ...late, 'stranger'), fc.nat(20_000)).map(([name, who, now]): RoundEvent => {
    if (name === 'tick') return { kind: 'tick', now };
    return name === 'released' ? { kind: 'released', version: 1 } : { kind: name as 'join', participant: who, now };
  });

  it('releases nothing below the minimum, nothing without a report of its own, and no member both as reported and as straggler', () => {
    fc.assert(fc.property(carried, fc.array(anyEvent, { maxLength: 60 }), (start, events) => {
      let [round] = openRound(plan, own, 0, start);
      for (const step of events) {
        const before = round;
        const [next, effects] = advance(round, step);
        round = next;
        if (round.phase !== 'releasing' || before.phase !== 'training') continue;
        const { reported, stragglers } = round;
        expect(effects.filter((effect) => effect.kind === 'release')).toHaveLength(1);
        const buffered = [...before.carried].filter(([name, state]) => state === 'reported' || (step.kind === 'late-report' && step.participant === name)).length;
        expect(reported.length).toBeGreaterThan(0);
        expect(reported.length + buffered).toBeGreaterThanOrEqual(plan.cohort.minParticipants);
        expect(stragglers.filter((name) => reported.includes(name))).toEqual([]);
      }
    }), { numRuns: 1_000 });
  });

  it('is decided once the last deadline has passed, whoever stays silent', () => {
    fc.assert(fc.property(carried, fc.array(anyEvent, { maxLength: 40 }), (start, events) => {
      let { round } = run(own, start, events);
      for (let ticks = 1; ticks <= 2; ticks += 1) [round] = advance(round, { kind: 'tick', now: ticks * 100_000 });
      expect(isOver(round) || round.phase === 'releasing').toBe(true);
    }), { numRuns: 500 });
  });
});
