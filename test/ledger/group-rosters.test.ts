import { describe, expect, it } from 'vitest';
import { planEvents } from '../../shared/federation/plan-cost.ts';
import { planHash, type Plan } from '../../shared/federation/plan.ts';
import { encodeEntry, membersByGroup, membersOf, planEntry, spendEntry, type GroupKeys, type LogEntry, type LogEntryOf } from '../../shared/ledger/log-entries.ts';
import { planRules } from '../../shared/ledger/plan-rules.ts';
import { replayLog } from '../../shared/ledger/replay.ts';
import { maxEntryBytes } from '../../shared/ledger/tiles.ts';
import { ledgerOrders } from '../../shared/privacy/budget.ts';
import { groupedPlan } from '../federation/plans.ts';

const quiet = groupedPlan(4);
const plan: Plan = { ...quiet, privacy: { ...quiet.privacy, noiseStd: 4 } as Plan['privacy'] };
const ref = { task: plan.task, round: plan.round, planHash: planHash(plan) };
const keyOf = (index: number): string => index.toString(16).padStart(64, '0');
/** Four groups of four. */
const all: readonly GroupKeys[] = [0, 1, 2, 3].map((group) => ({ group, nodes: [0, 1, 2, 3].map((i) => keyOf(4 * group + i)) }));

function rosterOf(groups: readonly GroupKeys[]): LogEntryOf<'roster'> {
  return { type: 'roster', ...ref, ...membersByGroup(groups.flatMap(({ nodes }) => nodes), groups) };
}

function survivorsOf(groups: readonly GroupKeys[]): LogEntryOf<'survivors'> {
  return { ...rosterOf(groups), type: 'survivors' };
}

const start = planEntry(plan);
const spend = spendEntry(ref, planEvents(plan), ledgerOrders.map(() => 0));
const result: LogEntry = { type: 'round-result', ...ref, version: 1, release: 'a'.repeat(64) };

function reasonOf(...entries: readonly LogEntry[]): string | null {
  return replayLog(entries.map(encodeEntry), planRules).inconsistency?.reason ?? null;
}

describe('rosters of a round in groups', () => {
  it('name the groups, and a release may rest on fewer of them', () => {
    expect(reasonOf(start, rosterOf(all), spend, survivorsOf(all), result)).toBeNull();
    expect(reasonOf(start, rosterOf(all.slice(1)), spend, survivorsOf(all.slice(1)), result)).toBeNull();
    expect(reasonOf(start, rosterOf(all), spend, survivorsOf([all[0], all[2], { group: 3, nodes: all[3].nodes.slice(1) }]), result)).toBeNull();
    expect(rosterOf(all).groups?.map(({ root }) => root)).toEqual(all.map(({ nodes }) => membersOf(nodes).root));
  });

  it.each<[string, LogEntry[], RegExp]>([
    ['no groups, where the plan has some', [{ type: 'roster', ...ref, members: membersOf([keyOf(1)]) }], /roster of main-1: expected the groups of its plan, got none/],
    ['too few groups for the rule', [rosterOf(all.slice(2))], /expected at least 3 groups, got 2/],
    ['a group that the plan has not', [rosterOf([...all.slice(1), { group: 4, nodes: [keyOf(99)] }])], /expected groups below 4, got 4/],
    ['a group twice', [rosterOf([all[0], ...all])], /expected each group once/],
    ['members in no group', [{ ...rosterOf(all), members: membersOf([...all.flatMap(({ nodes }) => nodes), keyOf(99)]) }], /expected groups of 17 members together, got 16/],
    ['survivors of a group that is not on the roster', [rosterOf(all.slice(1)), spend, survivorsOf(all.slice(0, 3))], /survivors of main-1: expected at most the 0 on the roster of group 0, got 4/],
    ['more survivors in a group than its roster has', [rosterOf([{ group: 0, nodes: all[0].nodes.slice(1) }, ...all.slice(1)]), spend, survivorsOf([all[0], all[1], all[2]])], /at most the 3 on the roster of group 0, got 4/],
  ])('are not consistent with %s', (_what, entries, reason) => {
    expect(reasonOf(start, ...entries)).toMatch(reason);
  });

  it('are not consistent with groups where the plan has none', () => {
    const { robust: _robust, ...plain } = plan;
    const plainRef = { ...ref, planHash: planHash(plain) };
    expect(reasonOf(planEntry(plain), { ...rosterOf(all), ...plainRef })).toMatch(/expected no groups, since its plan has none, got 4/);
  });

  it('fit an entry with as many groups as a task may have', () => {
    const most = Array.from({ length: 500 }, (_, group) => ({ group, nodes: [keyOf(group)] }));
    expect(encodeEntry({ ...rosterOf(most), task: 't'.repeat(64), round: 'r'.repeat(96) }).length).toBeLessThan(maxEntryBytes);
  });
});
