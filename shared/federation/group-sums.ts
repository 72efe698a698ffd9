/**
 * The masked sums of a round's groups as one pure machine: `(state, event) -> [state, decision]`. Nothing is revealed in
 * any group before all that are left are ready to, so that one charge, one roster and one look at how many are left
 * cover them all: until then the round may fail for free. A group that fails is left out while enough others remain.
 */

/** masking: up to confirmed survivors · ready: nothing revealed yet · revealing · summed · failed */
export type GroupState = 'masking' | 'ready' | 'revealing' | 'summed' | 'failed';

export interface GroupSums {
  /** By their number in the draw. */
  readonly groups: readonly GroupState[];
  /** Sums that the combination needs: with fewer groups left, the round has failed. */
  readonly fewest: number;
}

export interface GroupEvent {
  readonly kind: 'ready' | 'summed' | 'failed';
  readonly group: number;
}

/** reveal: charge, then let those that are `revealing` go on · combine: the sums are there · fail: too few groups are left */
export type GroupDecision = 'wait' | 'reveal' | 'combine' | 'fail';

export function openGroups(groups: number, fewest: number): GroupSums {
  return { groups: Array.from({ length: groups }, () => 'masking'), fewest };
}

/** Events of a group that has ended change nothing. */
export function advanceGroups(state: GroupSums, { kind, group }: GroupEvent): readonly [GroupSums, GroupDecision] {
  const before = state.groups[group];
  if (before === 'failed' || before === 'summed') return [state, 'wait'];
  const groups = state.groups.with(group, kind);
  if (groupsLeft({ groups }).length < state.fewest) return [{ ...state, groups }, 'fail'];
  if (groups.includes('masking') || groups.includes('revealing')) return [{ ...state, groups }, 'wait'];
  if (groups.includes('ready')) return [{ ...state, groups: groups.map((each) => (each === 'ready' ? 'revealing' : each)) }, 'reveal'];
  return [{ ...state, groups }, 'combine'];
}

/** Numbers of the groups that have not failed. */
export function groupsLeft({ groups }: Pick<GroupSums, 'groups'>): number[] {
  return [...groups.keys()].filter((group) => groups[group] !== 'failed');
}
