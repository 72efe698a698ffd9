import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { advance, isOver, nextDeadline, openRound, type Round, type RoundEffect, type RoundEvent } from '../../shared/federation/round.ts';
import { examplePlan } from './plans.ts';

const plan = examplePlan();

/** Runs events and gathers effects. */
function run(candidates: readonly string[], events: readonly RoundEvent[]): { round: Round; effects: RoundEffect[] } {
  const [opened, first] = openRound(plan, candidates, 0);
  let round = opened;
  const effects = [...first];
  for (const event of events) {
    const [next, more] = advance(round, event);
    round = next;
    effects.push(...more);
  }
  return { round, effects };
}

const join = (participant: string, now = 1): RoundEvent => ({ kind: 'join', participant, now });
const leave = (participant: string, now = 2): RoundEvent => ({ kind: 'leave', participant, now });
const report = (participant: string, now = 3): RoundEvent => ({ kind: 'report', participant, now });
const kinds = (effects: readonly RoundEffect[]): string[] => effects.map(({ kind }) => kind);

describe('recruiting', () => {
  it('invites at most maxParticipants and fails at once below the minimum', () => {
    const { effects } = run(['a', 'b', 'c', 'd', 'e'], []);
    expect(effects).toEqual([{ kind: 'invite', participants: ['a', 'b', 'c', 'd'] }]);
    const { round } = run(['a'], []);
    expect(round).toMatchObject({ phase: 'failed', code: 'round.failed' });
  });

  it('starts training as soon as everyone invited has answered', () => {
    const { round, effects } = run(['a', 'b', 'c'], [join('a'), join('b'), { kind: 'decline', participant: 'c', now: 5 }]);
    expect(round.phase).toBe('training');
    expect(effects.at(-1)).toEqual({ kind: 'start-training', participants: ['a', 'b'], deadline: 10_005 });
  });

  it('starts with those who joined when the deadline passes, and fails when they are too few', () => {
    expect(run(['a', 'b', 'c'], [join('a'), join('b'), { kind: 'tick', now: 999 }]).round.phase).toBe('recruiting');
    expect(run(['a', 'b', 'c'], [join('a'), join('b'), { kind: 'tick', now: 1_000 }]).round.phase).toBe('training');
    expect(run(['a', 'b', 'c'], [join('a'), { kind: 'tick', now: 1_000 }]).round.phase).toBe('failed');
  });

  it('fails at once when leaves make the minimum impossible', () => {
    const { round } = run(['a', 'b'], [join('a'), leave('a')]);
    expect(round.phase).toBe('failed');
  });

  it('refuses a participant that was not invited, a second join and an early report', () => {
    const { effects } = run(['a', 'b', 'c'], [join('z'), join('a'), join('a'), report('a')]);
    expect(effects.filter(({ kind }) => kind === 'refuse')).toMatchObject([
      { participant: 'z', code: 'round.not-member' },
      { participant: 'a', code: 'round.not-member' },
      { participant: 'a', code: 'protocol.out-of-order' },
    ]);
  });
});

describe('training', () => {
  const begun = [join('a'), join('b'), join('c')];

  it('accumulates each report once and closes when the target has reported', () => {
    const { round, effects } = run(['a', 'b', 'c'], [...begun, report('a'), report('b'), report('c')]);
    expect(round).toMatchObject({ phase: 'releasing', reported: ['a', 'b', 'c'] });
    expect(kinds(effects).slice(-4)).toEqual(['accumulate', 'accumulate', 'accumulate', 'release']);
  });

  it('closes without waiting when the last working member leaves and enough have reported', () => {
    const { round } = run(['a', 'b', 'c'], [...begun, report('a'), report('b'), leave('c')]);
    expect(round).toMatchObject({ phase: 'releasing', reported: ['a', 'b'] });
  });

  it('lets a member that was away come back and report', () => {
    const { round, effects } = run(['a', 'b', 'c'], [...begun, leave('c'), { kind: 'return', participant: 'c', now: 4 }, report('a'), report('c'), report('b')]);
    expect(round).toMatchObject({ phase: 'releasing', reported: ['a', 'b', 'c'] });
    expect(effects).toContainEqual({ kind: 'resume', participant: 'c', deadline: 10_001 });
  });

  it('does not wait for a member that started anew, and fails at once when too few are left', () => {
    const restart: RoundEvent = { kind: 'restart', participant: 'a', now: 3 };
    expect(run(['a', 'b'], [join('a'), join('b'), report('b'), leave('a')]).round.phase).toBe('training');
    expect(run(['a', 'b'], [join('a'), join('b'), report('b'), leave('a'), restart]).round.phase).toBe('failed');
    // What was summed stays, whatever became of the process.
    expect(run(['a', 'b', 'c'], [...begun, report('a'), leave('a'), restart, report('b'), report('c')]).round.phase).toBe('releasing');
  });

  it('waits for members that are away while too few have reported, and fails at the deadline', () => {
    const waiting = run(['a', 'b', 'c'], [...begun, report('a'), leave('b'), leave('c')]);
    expect(waiting.round.phase).toBe('training');
    const [late] = advance(waiting.round, { kind: 'tick', now: 10_001 });
    expect(late).toMatchObject({ phase: 'failed', code: 'round.failed' });
  });

  it('fails as soon as dropped members make the minimum impossible', () => {
    const { round } = run(['a', 'b'], [join('a'), join('b'), { kind: 'misbehave', participant: 'b', code: 'update.out-of-range', now: 4 }]);
    expect(round.phase).toBe('failed');
  });

  it('does not take back a report that was summed', () => {
    const { round } = run(['a', 'b', 'c'], [...begun, report('a'), { kind: 'misbehave', participant: 'a', code: 'protocol.malformed', now: 4 }, leave('a'), report('b'), leave('c')]);
    expect(round).toMatchObject({ phase: 'releasing', reported: ['a', 'b'] });
  });

  it('refuses a second report, a latecomer and a dropped member', () => {
    const { effects } = run(['a', 'b', 'c'], [...begun, report('a'), report('a'), join('d'), { kind: 'misbehave', participant: 'c', code: 'protocol.malformed', now: 4 }, report('c')]);
    expect(effects.filter(({ kind }) => kind === 'refuse')).toMatchObject([
      { participant: 'a', code: 'protocol.out-of-order' },
      { participant: 'd', code: 'round.not-member' },
      { participant: 'c', code: 'protocol.out-of-order' },
    ]);
  });
});

describe('the end of a round', () => {
  const summed = [join('a'), join('b'), join('c'), report('a'), report('b'), report('c')];

  it('is done when the release is out', () => {
    const { round, effects } = run(['a', 'b', 'c'], [...summed, { kind: 'released', version: 7 }]);
    expect(round).toMatchObject({ phase: 'done', version: 7 });
    expect(effects.at(-1)).toEqual({ kind: 'announce-done', version: 7 });
    expect(nextDeadline(round)).toBeNull();
  });

  it('fails when the release cannot be made, and stays over whatever comes after', () => {
    const { round } = run(['a', 'b', 'c'], [...summed, { kind: 'abort', code: 'release.untrusted', reason: 'not finite' }]);
    expect(round).toMatchObject({ phase: 'failed', code: 'release.untrusted' });
    const [after, effects] = advance(round, report('a'));
    expect(after).toBe(round);
    expect(effects).toMatchObject([{ kind: 'refuse', code: 'round.not-member' }]);
  });
});

describe('any sequence of events', () => {
  const participant = fc.constantFrom('a', 'b', 'c', 'd', 'stranger');
  const anyEvent: fc.Arbitrary<RoundEvent> = fc.tuple(fc.constantFrom('join', 'decline', 'leave', 'return', 'restart', 'report', 'misbehave', 'tick', 'released', 'abort'), participant, fc.nat(20_000)).map(([kind, who, now]): RoundEvent => {
    switch (kind) {
      case 'misbehave': return { kind, participant: who, code: 'protocol.malformed', now };
      case 'tick': return { kind, now };
      case 'released': return { kind, version: 1 };
      case 'abort': return { kind, code: 'round.failed', reason: 'asked' };
      default: return { kind: kind as 'join', participant: who, now };
    }
  });

  it('sums nobody twice, releases at most once and never below the minimum', () => {
    fc.assert(fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
      const { effects } = run(['a', 'b', 'c', 'd'], events);
      const summed = effects.flatMap((effect) => (effect.kind === 'accumulate' ? [effect.participant] : []));
      expect(new Set(summed).size).toBe(summed.length);
      const releases = effects.flatMap((effect) => (effect.kind === 'release' ? [effect] : []));
      expect(releases.length).toBeLessThanOrEqual(1);
      for (const { reported } of releases) {
        expect(reported.length).toBeGreaterThanOrEqual(plan.cohort.minParticipants);
        expect([...reported].sort()).toEqual([...summed].sort());
      }
    }), { numRuns: 500 });
  });

  it('is decided once the last deadline has passed, whoever stays silent', () => {
    fc.assert(fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
      let { round } = run(['a', 'b', 'c', 'd'], events);
      for (let ticks = 1; ticks <= 2; ticks += 1) [round] = advance(round, { kind: 'tick', now: ticks * 100_000 });
      expect(isOver(round) || round.phase === 'releasing').toBe(true);
    }), { numRuns: 500 });
  });
});
