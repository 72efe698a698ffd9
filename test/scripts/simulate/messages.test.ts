import { describe, expect, it } from 'vitest';
import { runMessageRound } from '../../../scripts/simulate/messages/run-message-round.ts';
import { createCatalogue } from '../../../shared/commerce/catalogue.ts';
import type { ShopperHistory } from '../../../shared/commerce/history.ts';
import { simulateRound } from '../../../shared/evaluation/simulated-round.ts';
import { maxCoordinate } from '../../../shared/federation/accumulator.ts';
import { totalNoiseStd, type Plan } from '../../../shared/federation/plan.ts';
import { makePlan, parseTaskSpec } from '../../../shared/federation/task.ts';
import { seededRandom } from '../../../shared/numerics/random.ts';
import { createModel } from '../../../shared/recommender/registry.ts';
import type { Member, SimulatedOutcome, SimulatedRoundInput } from '../../../shared/simulation/round-outcome.ts';

const items = 300;
const catalogue = createCatalogue(Array.from({ length: items }, (_, item) => ({ id: `p${item}`, title: `item ${item}` })));
const model = createModel('popularity', catalogue, {});
const base = { params: model.initial(), strategy: null };
const seed = 5;

interface Shape {
  readonly shops: number;
  readonly mode?: 'none' | 'local' | 'distributed';
  readonly epsilon?: number;
  readonly min?: number;
  readonly target?: number;
  readonly robust?: object;
  readonly tolerated?: number;
}

function planOf({ shops, mode = 'none', epsilon = 3, min = Math.ceil(0.7 * shops), target = shops, robust, tolerated }: Shape): Plan {
  const task = parseTaskSpec({
    name: 'simulation', model: { kind: 'popularity' }, maxShoppersPerShop: 4,
    privacy: { mode, rounds: 1, ...(mode === 'none' ? {} : { epsilon, delta: 1e-5 }), ...(tolerated === undefined ? {} : { tolerated }) },
    cohort: { minParticipants: min, targetParticipants: target, overSelection: shops / target },
    deadlines: { recruitingMs: 60_000, trainingMs: 600_000 },
    ...(robust === undefined ? {} : { robust }),
  });
  return makePlan(task, { model, catalogue, roundNumber: 1, baseRelease: null });
}

/** Four shoppers of a shop, who bought a few things each. */
function historiesOf({ index }: Pick<Member, 'index'>): ShopperHistory[] {
  const random = seededRandom(index, 'orders');
  return Array.from({ length: 4 }, () => ({ items: Int32Array.from({ length: 3 }, () => random.nextBelow(items)), visitStarts: Int32Array.of(0), visitTimes: Float64Array.of(1) }));
}

/** Everybody answers within a second, and trains for some. */
function membersOf(shops: number, changes: Readonly<Record<number, Partial<Member>>> = {}): Member[] {
  return Array.from({ length: shops }, (_, index) => ({ index, id: `shop-${index}`, joinMs: 900 - 100 * index, trainMs: 1_000 + 250 * index, leaves: false, isMalicious: false, ...changes[index] }));
}

function run(shape: Shape, changes: Readonly<Record<number, Partial<Member>>> = {}, rest: Partial<SimulatedRoundInput> = {}): Promise<SimulatedOutcome> {
  return runMessageRound({ plan: planOf(shape), model, base, members: membersOf(shape.shops, changes), historiesOf, seed, ...rest });
}

function summed(outcome: SimulatedOutcome): Extract<SimulatedOutcome, { kind: 'summed' }> {
  if (outcome.kind === 'failed') throw new Error(`expected a sum, got ${outcome.code}: ${outcome.reason}`);
  return outcome;
}

/** What these shops sum up to in one place, with the noise that each of them draws from the seed. */
async function plainSum(plan: Plan, shops: readonly number[]): Promise<Float64Array> {
  return (await simulateRound(plan, model, base, shops.map((index) => historiesOf({ index }))).sum(seed)).aggregate.sum;
}

describe('a round of messages', () => {
  it('sums what its members contribute, where nothing is hidden', async () => {
    const { aggregate, reported, traffic } = summed(await run({ shops: 6 }));
    expect(aggregate.sum).toEqual(await plainSum(planOf({ shops: 6 }), [0, 1, 2, 3, 4, 5]));
    expect(aggregate.shoppers).toBe(24);
    expect(reported).toEqual([0, 1, 2, 3, 4, 5]);
    expect(traffic).toMatchObject({ invited: 6, joined: 6, left: 0, late: 0, clipFraction: 0 });
  });

  it.each(['local', 'distributed'] as const)('gives in mode %s, where all stay, the bits of the plain sum with the same noise', async (mode) => {
    const plan = planOf({ shops: 6, mode });
    const { aggregate } = summed(await run({ shops: 6, mode }));
    expect(aggregate.sum).toEqual(await plainSum(plan, [0, 1, 2, 3, 4, 5]));
    expect(aggregate.noiseStd).toBe(totalNoiseStd(plan.privacy, 6));
  });

  it('takes the virtual time of its members and of their frames, and counts the bytes of both ways', async () => {
    const { traffic } = summed(await run({ shops: 6 }));
    // The last answer comes after 0.9 s, the last report is made 2.25 s later.
    expect(traffic.virtualMs).toBeGreaterThan(3_150);
    expect(traffic.virtualMs).toBeLessThan(3_600);
    expect(traffic.bytesUp).toBeGreaterThan(6 * 4 * (items + 1));
    expect(traffic.bytesDown).toBeGreaterThan(6 * 500);
  });

  it('has in a masked sum exactly those who stayed, and the noise that was planned', async () => {
    // So little noise that a contribution more or less would show in any of its coordinates.
    const shape: Shape = { shops: 7, mode: 'distributed', epsilon: 1_000, tolerated: 2 };
    const outcome = summed(await run(shape, { 2: { leaves: true }, 5: { leaves: true } }));
    const stayed = [0, 1, 3, 4, 6];
    expect(outcome.reported).toEqual(stayed);
    expect(outcome.traffic).toMatchObject({ joined: 7, left: 2, late: 0 });
    const honest = await plainSum({ ...planOf({ ...shape }), privacy: { mode: 'none' } }, stayed);
    const noise = outcome.aggregate.sum.map((value, i) => value - honest[i]);
    const variance = noise.reduce((sum, value) => sum + value * value, 0) / noise.length;
    // The mean of so many squares of about normal values: five standard deviations, and they come from a seed.
    expect(Math.abs(variance / outcome.aggregate.noiseStd ** 2 - 1)).toBeLessThan(5 * Math.sqrt(2 / items));
    expect(Math.max(...noise.map(Math.abs))).toBeLessThan(6 * outcome.aggregate.noiseStd);
  });

  it('fails as the protocol does when more leave than noise makes up for', async () => {
    const outcome = await run({ shops: 6, mode: 'distributed', tolerated: 1 }, { 0: { leaves: true }, 1: { leaves: true }, 2: { leaves: true } });
    expect(outcome).toMatchObject({ kind: 'failed', code: 'secagg.too-few', traffic: { joined: 6, left: 3 } });
  });

  it('fails in the clear when fewer than the quorum report', async () => {
    const outcome = await run({ shops: 4, min: 3 }, { 0: { leaves: true }, 1: { leaves: true } });
    expect(outcome).toMatchObject({ kind: 'failed', code: 'round.failed' });
  });

  it('says why its members do not join, where they refuse the plan', async () => {
    const honest = planOf({ shops: 4, mode: 'local' });
    if (honest.privacy.mode !== 'local') throw new Error('expected mode local');
    const outcome = await run({ shops: 4 }, {}, { plan: { ...honest, privacy: { ...honest.privacy, noiseStd: honest.privacy.noiseStd / 2 } } });
    expect(outcome).toMatchObject({ kind: 'failed', code: 'round.failed', traffic: { joined: 0 } });
    expect(outcome.kind === 'failed' && outcome.reason).toContain('shop-0 declined with privacy.invalid: privacy.noiseStd: expected enough noise for epsilon 3');
  });

  it('is the same to the last bit and byte when it is repeated, keys, masks and dropouts included', async () => {
    const repeat = (): Promise<SimulatedOutcome> => run({ shops: 6, mode: 'distributed', tolerated: 1 }, { 3: { leaves: true } });
    expect(await repeat()).toEqual(await repeat());
  });

  it('does not wait for who is slow once enough have reported', async () => {
    const { reported, traffic } = summed(await run({ shops: 5, target: 4, min: 3 }, { 1: { trainMs: 100_000 } }));
    expect(reported).toEqual([0, 2, 3, 4]);
    expect(traffic).toMatchObject({ joined: 5, left: 0, late: 1 });
  });

  it('goes on without a member that answers too late, and one that reports what no shop can', async () => {
    const members = { 1: { joinMs: 70_000 }, 4: { isMalicious: true } };
    const { reported, traffic } = summed(await run({ shops: 6, min: 4 }, members, { spoil: (honest) => honest.map(() => 2 ** 30) }));
    expect(reported).toEqual([0, 2, 3, 5]);
    expect(traffic).toMatchObject({ invited: 6, joined: 5 });
  });

  it('has in it what a malicious member claims up to the bound of reports with noise', async () => {
    const claim = maxCoordinate(planOf({ shops: 4, mode: 'local' }));
    const { reported, aggregate } = summed(await run({ shops: 4, min: 4, mode: 'local' }, { 1: { isMalicious: true } }, { spoil: (honest) => honest.map((value, i) => (i < 20 ? claim : value)) }));
    expect(reported).toEqual([0, 1, 2, 3]);
    expect(aggregate.sum[0]).toBeGreaterThan(6 * aggregate.noiseStd);
  });

  it('draws members into groups as the plan says, each with a masked sum of its own', async () => {
    const { aggregate, reported } = summed(await run({ shops: 12, min: 12, mode: 'distributed', tolerated: 0, robust: { rule: 'median', byzantine: 1, groups: 3 } }));
    expect(aggregate.robust).toMatchObject({ rule: 'median', reports: 3 });
    expect(reported).toHaveLength(12);
  });
});
