import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { countIn, everybodyIn, membersIn, stateOf, withState, type MemberStates } from '../../shared/federation/member-states.ts';
import { advance, openRound, type Round, type RoundEvent } from '../../shared/federation/round.ts';
import type { InviteeState, MemberState } from '../../shared/federation/round-state.ts';
import { examplePlan } from './plans.ts';

const states = ['working', 'away', 'reported', 'dropped'] as const;
const named = (count: number): string[] => Array.from({ length: count }, (_, i) => `shop-${i}`);

describe('states of members', () => {
  it('are those of a plain map, in every version, whoever changed in which order', () => {
    // Of one leaf, of one branch, and of two.
    const change = fc.tuple(fc.nat(1_099), fc.constantFrom(...states));
    fc.assert(fc.property(fc.constantFrom(1, 32, 33, 1_024, 1_100), fc.array(change, { maxLength: 60 }), (count, changes) => {
      const ids = named(count);
      const plain = new Map<string, MemberState>(ids.map((id) => [id, 'working']));
      const first: MemberStates<MemberState> = everybodyIn<MemberState>('working', ids);
      let members = first;
      for (const [place, state] of changes) {
        const id = ids[place % count];
        plain.set(id, state);
        members = withState(members, id, state);
        expect(stateOf(members, id)).toBe(state);
      }
      for (const state of states) {
        const expected = ids.filter((id) => plain.get(id) === state);
        expect([countIn(members, state), membersIn(members, state)]).toEqual([expected.length, expected]);
      }
      expect(membersIn(first, 'working')).toEqual(ids);
      expect(countIn(first, 'working')).toBe(count);
    }), { numRuns: 100 });
  });

  it('are of members only', () => {
    const nobody: MemberStates<MemberState> = everybodyIn<MemberState>('working', []);
    expect([countIn(nobody, 'working'), membersIn(nobody, 'working'), stateOf(nobody, 'a')]).toEqual([0, [], undefined]);
    expect(() => withState(nobody, 'a', 'away')).toThrow('member: expected one of 0, got a');
    // Named twice, somebody is one member all the same.
    expect(countIn(everybodyIn<MemberState>('working', ['a', 'b', 'a']), 'working')).toBe(2);
  });
});

/** What a round does to the states of its members, said without a word of how they are kept. */
interface Naive {
  phase: Round['phase'];
  readonly invited: Map<string, InviteeState>;
  readonly members: Map<string, MemberState>;
}

const ids = named(40);
const cohort = { minParticipants: 5, targetParticipants: 10, maxParticipants: 40 };

function namesIn<State>(map: ReadonlyMap<string, State>, wanted: State): string[] {
  return [...map].filter(([, state]) => state === wanted).map(([id]) => id);
}

function naiveRecruiting(naive: Naive, event: Extract<RoundEvent, { participant: string }>): void {
  const { invited, members } = naive;
  const before = invited.get(event.participant);
  if (event.kind === 'join' && before !== 'pending') return;
  if (event.kind === 'report' || event.kind === 'return') return;
  if (before !== undefined) invited.set(event.participant, event.kind === 'join' ? 'joined' : 'out');
  const [joined, pending] = [namesIn(invited, 'joined'), namesIn(invited, 'pending')];
  if (joined.length + pending.length < cohort.minParticipants) naive.phase = 'failed';
  else if (pending.length === 0) {
    naive.phase = 'training';
    for (const id of joined) members.set(id, 'working');
  }
}

const after: Readonly<Record<string, Partial<Record<MemberState, MemberState>>>> = {
  report: { working: 'reported' },
  return: { away: 'working' },
  leave: { working: 'away' },
  decline: { working: 'dropped', away: 'dropped', dropped: 'dropped' },
  restart: { working: 'dropped', away: 'dropped', dropped: 'dropped' },
};

function naiveTraining(naive: Naive, event: Extract<RoundEvent, { participant: string }>): void {
  const before = naive.members.get(event.participant);
  const next = before === undefined ? undefined : after[event.kind]?.[before];
  if (next === undefined) return;
  naive.members.set(event.participant, next);
  if (event.kind === 'return') return;
  const [reported, working, away] = (['reported', 'working', 'away'] as const).map((state) => namesIn(naive.members, state).length);
  if (reported + working + away < cohort.minParticipants) naive.phase = 'failed';
  else if (reported >= cohort.targetParticipants || (reported >= cohort.minParticipants && working === 0)) naive.phase = 'releasing';
}

function statesOf<State extends string>(members: MemberStates<State>): [string, State | undefined][] {
  return [...members.places.keys()].map((id) => [id, stateOf(members, id)]);
}

describe('the members of a round', () => {
  // Everybody answers first, most of them with a yes, so that rounds get as far as their end.
  const answers = fc.shuffledSubarray(ids, { minLength: 40, maxLength: 40 }).chain((order) => fc.array(fc.constantFrom('join' as const, 'join' as const, 'join' as const, 'decline' as const), { minLength: 40, maxLength: 40 })
    .map((kinds) => order.map((participant, i): RoundEvent => ({ kind: kinds[i], participant, now: 1 }))));
  const work = fc.array(fc.tuple(fc.constantFrom('report', 'report', 'report', 'leave', 'return', 'decline', 'restart', 'join'), fc.constantFrom(...ids, 'stranger')), { minLength: 20, maxLength: 120 })
    .map((events) => events.map(([kind, participant]): RoundEvent => ({ kind: kind as 'join', participant, now: 2 })));

  it('are in the states that a naive round has them in, and are listed in the order of invitation', () => {
    const ends = new Set<Round['phase']>();
    fc.assert(fc.property(answers, work, (first, second) => {
      let [round] = openRound(examplePlan({ cohort }), ids, 0);
      const naive: Naive = { phase: 'recruiting', invited: new Map(ids.map((id) => [id, 'pending'])), members: new Map() };
      for (const event of [...first, ...second]) {
        [round] = advance(round, event);
        if (!('participant' in event)) throw new Error('expected an event of a participant');
        if (naive.phase === 'recruiting') naiveRecruiting(naive, event);
        else if (naive.phase === 'training') naiveTraining(naive, event);
        expect(round.phase).toBe(naive.phase);
        if (round.phase === 'recruiting') expect(statesOf(round.invited)).toEqual([...naive.invited]);
        if (round.phase === 'training') expect(statesOf(round.members)).toEqual([...naive.members]);
      }
      if (round.phase === 'releasing') expect(round.reported).toEqual(namesIn(naive.members, 'reported'));
      ends.add(round.phase);
    }), { numRuns: 60 });
    expect(ends).toContain('releasing');
    expect(ends).toContain('training');
  });
});
