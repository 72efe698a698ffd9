import { describe, expect, it } from 'vitest';
import type { Plan } from '../../shared/federation/plan.ts';
import { makePlan, parseTaskSpec } from '../../shared/federation/task.ts';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { createModel } from '../../shared/recommender/registry.ts';
import type { Member } from '../../shared/simulation/round-outcome.ts';
import { runVirtualRound } from '../../shared/simulation/virtual-round.ts';

const catalogue = createCatalogue([{ id: 'cup', title: '' }, { id: 'pot', title: '' }]);
const model = createModel('popularity', catalogue, {});

function planOf({ mode = 'local', target = 10, min = 6, ...rest }: { mode?: 'local' | 'distributed'; target?: number; min?: number; tolerated?: number; robust?: object } = {}): Plan {
  const { tolerated, robust } = rest;
  return makePlan(parseTaskSpec({
    name: 'simulation',
    model: { kind: 'popularity' },
    privacy: { mode, epsilon: 3, delta: 1e-5, ...(tolerated === undefined ? {} : { tolerated }) },
    cohort: { minParticipants: min, targetParticipants: target, overSelection: 1.5 },
    deadlines: { recruitingMs: 1_000, trainingMs: 10_000 },
    maxShoppersPerShop: 1,
    ...(robust === undefined ? {} : { robust }),
  }), { model, catalogue, roundNumber: 1, baseRelease: null });
}

function members(count: number, changes: (index: number) => Partial<Member> = () => ({})): Member[] {
  return Array.from({ length: count }, (_, index) => ({ index, id: `s${index}`, joinMs: 10 * (count - index), trainMs: 1_000 + 100 * index, leaves: false, isMalicious: false, ...changes(index) }));
}

describe('a round in virtual time', () => {
  it('closes with the report of the target: who is slower was invited for nothing', () => {
    const closed = runVirtualRound(planOf(), members(15), null);
    if (closed.kind !== 'closed') throw new Error(closed.reason);
    expect(closed.reported.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(closed.turnout).toEqual({ invited: 15, joined: 15, left: 0, late: 5, virtualMs: 150 + 1_900 });
  });

  it('goes without whoever does not answer in time, at the deadline', () => {
    const closed = runVirtualRound(planOf(), members(9, (index) => (index < 2 ? { joinMs: 5_000 } : {})), null);
    if (closed.kind !== 'closed') throw new Error(closed.reason);
    expect(closed.turnout).toMatchObject({ joined: 7, virtualMs: 1_000 + 1_800 });
  });

  it('waits until its deadline for stragglers, and releases with its quorum', () => {
    const closed = runVirtualRound(planOf(), members(10, (index) => (index < 3 ? { trainMs: 60_000 } : {})), null);
    expect(closed).toMatchObject({ kind: 'closed', turnout: { left: 0, late: 3, virtualMs: 100 + 10_000 } });
  });

  it('fails at its deadline when too many have left, since they might have come back', () => {
    const failed = runVirtualRound(planOf(), members(10, (index) => ({ leaves: index < 5 })), null);
    expect(failed).toMatchObject({ kind: 'failed', code: 'round.failed', turnout: { left: 5, late: 0, virtualMs: 100 + 10_000 } });
  });

  it('fails without anybody to invite', () => {
    expect(runVirtualRound(planOf(), members(3), null)).toMatchObject({ kind: 'failed', turnout: { invited: 3, joined: 0 } });
  });

  it('masked, has everybody in it who is not gone, up to the dropouts that noise is planned for', () => {
    const plan = planOf({ mode: 'distributed', tolerated: 2 });
    const leaving = (count: number): Member[] => members(12, (index) => (index < count ? { leaves: true } : {}));
    expect(runVirtualRound(plan, leaving(2), null)).toMatchObject({ kind: 'closed', turnout: { left: 2, late: 0 } });
    expect(runVirtualRound(plan, leaving(3), null)).toMatchObject({ kind: 'failed', code: 'secagg.too-few' });
  });

  it('masked, reveals nothing where fewer are left than give the masks back, whatever quorum and noise would do with', () => {
    const plan = planOf({ mode: 'distributed', target: 20, min: 10, tolerated: 8 });
    const leaving = (count: number): Member[] => members(20, (index) => (index < count ? { leaves: true } : {}));
    // Two thirds of 20, and one.
    expect(runVirtualRound(plan, leaving(6), null)).toMatchObject({ kind: 'closed', turnout: { left: 6 } });
    expect(runVirtualRound(plan, leaving(7), null)).toMatchObject({ kind: 'failed', code: 'secagg.too-few', reason: expect.stringContaining('at least 14 of 20') as string });
  });

  it('masked, counts who would have left after the deadline as late, as it does in the clear', () => {
    const plan = planOf({ mode: 'distributed', tolerated: 2 });
    const slow = members(12, (index) => (index < 2 ? { leaves: true, trainMs: index === 0 ? 2_000 : 60_000 } : {}));
    expect(runVirtualRound(plan, slow, null)).toMatchObject({ kind: 'closed', turnout: { left: 1, late: 1, virtualMs: 120 + 10_000 } });
  });

  it('leaves out a group that lost too many, while the rule has enough others', () => {
    const plan = planOf({ mode: 'distributed', target: 20, min: 20, tolerated: 1, robust: { rule: 'median', byzantine: 1, groups: 4 } });
    const deal = (count: number): number[][] => [0, 1, 2, 3].map((group) => Array.from({ length: count }, (_, place) => place).filter((place) => place % 4 === group));
    const leaving = (groups: number): Member[] => members(24, (index) => ({ joinMs: 10 * (index + 1), leaves: index < 8 && index % 4 < groups }));
    const closed = runVirtualRound(plan, leaving(1), deal);
    if (closed.kind !== 'closed') throw new Error(closed.reason);
    expect(closed.groups?.map(({ reports }) => reports.map((place) => closed.reported[place].index % 4))).toEqual([1, 2, 3].map((group) => Array.from({ length: 6 }, () => group)));
    expect(runVirtualRound(plan, leaving(2), deal)).toMatchObject({ kind: 'failed', code: 'secagg.too-few' });
  });
});
