import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advanceGroups, groupsLeft, openGroups, type GroupDecision, type GroupEvent, type GroupSums } from '../../shared/federation/group-sums.ts';

/** Decisions after each event, and the state at the end. */
function play(groups: number, fewest: number, ...events: readonly (readonly [GroupEvent['kind'], number])[]): readonly [GroupDecision[], GroupSums] {
  let state = openGroups(groups, fewest);
  const decisions = events.map(([kind, group]) => {
    const [next, decision] = advanceGroups(state, { kind, group });
    state = next;
    return decision;
  });
  return [decisions, state];
}

describe('the sums of groups', () => {
  it('are revealed together, and combined when all are there', () => {
    const [decisions] = play(3, 3, ['ready', 1], ['ready', 0], ['ready', 2], ['summed', 2], ['summed', 0], ['summed', 1]);
    expect(decisions).toEqual(['wait', 'wait', 'reveal', 'wait', 'wait', 'combine']);
  });

  it('do without groups that fail, before and after anything is revealed', () => {
    const [early, state] = play(4, 3, ['ready', 0], ['ready', 1], ['ready', 2], ['failed', 3]);
    expect(early).toEqual(['wait', 'wait', 'wait', 'reveal']);
    expect(groupsLeft(state)).toEqual([0, 1, 2]);
    const [late] = play(4, 3, ['ready', 0], ['ready', 1], ['ready', 2], ['ready', 3], ['summed', 0], ['summed', 1], ['summed', 2], ['failed', 3]);
    expect(late.slice(3)).toEqual(['reveal', 'wait', 'wait', 'wait', 'combine']);
  });

  it('fail at once when too few groups are left, whatever the others do', () => {
    expect(play(3, 3, ['ready', 0], ['failed', 1])[0]).toEqual(['wait', 'fail']);
    expect(play(5, 3, ['failed', 0], ['failed', 1], ['failed', 2])[0]).toEqual(['wait', 'wait', 'fail']);
    expect(play(3, 3, ['ready', 0], ['ready', 1], ['ready', 2], ['summed', 0], ['failed', 1])[0].at(-1)).toBe('fail');
  });

  it('hear nothing of a group that has ended', () => {
    expect(play(4, 3, ['failed', 0], ['ready', 0], ['summed', 0], ['failed', 0])[0]).toEqual(['wait', 'wait', 'wait', 'wait']);
  });

  it('reveal once, and only when no group is still masking, in whatever order things happen', () => {
    const event = fc.tuple(fc.constantFrom<GroupEvent['kind']>('ready', 'failed'), fc.integer({ min: 0, max: 4 }));
    fc.assert(fc.property(fc.array(event, { maxLength: 20 }), (events) => {
      let state = openGroups(5, 3);
      let revealed = 0;
      for (const [kind, group] of events) {
        // A group is ready once.
        if (kind === 'ready' && state.groups[group] !== 'masking') continue;
        const [next, decision] = advanceGroups(state, { kind, group });
        state = next;
        if (decision === 'fail') return;
        if (decision !== 'reveal') continue;
        revealed += 1;
        expect(state.groups).not.toContain('masking');
        expect(groupsLeft(state).length).toBeGreaterThanOrEqual(3);
      }
      expect(revealed).toBeLessThanOrEqual(1);
      expect(revealed === 1 || state.groups.includes('masking')).toBe(true);
    }));
  });
});
