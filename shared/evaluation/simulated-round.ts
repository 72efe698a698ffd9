/**
 * One round without sockets: the statistic, grid, accumulator and decoding of a real round, with noise that can be
 * repeated. For evaluation only: seeded noise protects nobody.
 */
import type { ShopperHistory } from '../commerce/history.ts';
import { createAccumulator, type DecodedSum } from '../federation/accumulator.ts';
import type { Plan } from '../federation/plan.ts';
import { createReportSum } from '../federation/report-sum.ts';
import type { RobustSpec } from '../federation/robust/rule.ts';
import { combineSums, rowOfSum } from '../federation/robust/sums.ts';
import { sessionsOf } from '../federation/session-cohort.ts';
import type { FoldBase } from '../federation/strategies/fold.ts';
import { seededRandom, shuffle, type SeededRandom } from '../numerics/random.ts';
import type { AnyFederatedModel } from '../recommender/federated-model.ts';
import { sumMembers, trainMember } from './member-sums.ts';
import { simulatedNoise, type SimulatedNoise } from './simulated-noise.ts';

/** What a round yields, and the control variates that shops go on with; null but for SCAFFOLD. */
export interface SimulatedSum {
  readonly aggregate: DecodedSum;
  readonly participants: number;
  readonly owns: readonly (Float32Array | null)[];
}

export interface SimulatedRound {
  /** The sum with the sample and the noise of this seed; shoppers are summed once where all of them take part. */
  sum(seed: number, noise?: SimulatedNoise): Promise<SimulatedSum>;
}

/** Where a round starts. */
export interface SimulatedBase extends FoldBase {
  /** Of every shop; absent in the first round. */
  readonly owns?: readonly (Float32Array | null)[];
}

interface ShopSum {
  readonly sum: Int32Array;
  readonly own: Float32Array | null;
}

/** @param shops the histories of each shop's shoppers */
export function simulateRound(plan: Plan, model: AnyFederatedModel, base: SimulatedBase, shops: readonly (readonly ShopperHistory[])[]): SimulatedRound {
  const isSampled = plan.privacy.mode !== 'none' && plan.privacy.sampling < 1;
  async function sumsOf(seed: number): Promise<ShopSum[]> {
    await model.prepare?.();
    const terms = { plan, model, base, seed };
    const sums: ShopSum[] = [];
    for (const [index, histories] of shops.entries()) {
      const shop = { index, histories };
      sums.push(plan.unit === 'shop' ? await trainMember(terms, shop, base.owns?.[index]) : { sum: sumMembers(terms, [shop]).sum, own: null });
    }
    return sums;
  }
  let kept: Promise<ShopSum[]> | null = null;
  return {
    async sum(seed, noise = simulatedNoise('skellam')) {
      const sums = await (isSampled ? sumsOf(seed) : (kept ??= sumsOf(0)));
      const groups = plan.robust?.groups === undefined ? null : dealShops(plan, sums.length, seed);
      const decoded = combineReports(plan, groups, sums.length, (shop, participants) => {
        const drawn = noise.next(plan, shopNoise(plan, shop, seed), participants);
        return drawn === null ? sums[shop].sum : drawn.map((value, i) => value + sums[shop].sum[i]);
      });
      // What a robust rule leaves of the noise it says itself, of the noise of the plan.
      const aggregate = plan.robust === undefined ? { ...decoded, noiseStd: noise.noiseStd(plan, sums.length) } : decoded;
      return { aggregate, participants: sums.length, owns: sums.map(({ own }) => own) };
    },
  };
}

/** The stream of a shop's noise. */
export function shopNoise(plan: Plan, shop: number, seed: number): SeededRandom {
  return seededRandom(seed, `noise-${shop} ${plan.round}`);
}

/**
 * What the coordinator makes of the reports of a round.
 * @param groups of a plan that has them: the reports of each
 * @param report one of `reports`, noised, in a sum of so many participants where a group says so
 */
export function combineReports(plan: Plan, groups: readonly (readonly number[])[] | null, reports: number, report: (index: number, participants?: number) => Int32Array): DecodedSum {
  if (groups !== null && plan.robust !== undefined) return combineGroups(plan, plan.robust, groups, report);
  const accumulator = createReportSum(plan);
  for (let index = 0; index < reports; index += 1) accumulator.add(report(index));
  return accumulator.decode();
}

/** The shops of each group. In real rounds a hash of the members does what the seed does here. */
export function dealShops(plan: Plan, shops: number, seed: number): number[][] {
  const order = shuffle(Array.from({ length: shops }, (_, shop) => shop), seededRandom(seed, `groups ${plan.round}`));
  return Array.from({ length: sessionsOf(plan) }, (_, group) => order.filter((_shop, place) => place % sessionsOf(plan) === group));
}

/**
 * A sum of each group, with the noise of a whole promise, and the rule over them.
 * @param report of a shop in a group of so many participants, noised
 */
export function combineGroups(plan: Plan, robust: RobustSpec, groups: readonly (readonly number[])[], report: (shop: number, participants: number) => Int32Array): DecodedSum {
  return combineSums(robust, groups.map((members) => {
    const sum = createAccumulator(plan);
    for (const shop of members) sum.add(report(shop, members.length));
    return rowOfSum(sum.decode());
  }));
}
