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
import { contributeShop } from '../federation/shop-change.ts';
import { startStatistic } from '../federation/statistic.ts';
import { controlIn } from '../federation/strategies/state-tensors.ts';
import type { FoldBase } from '../federation/strategies/fold.ts';
import { seededRandom, shuffle } from '../numerics/random.ts';
import { createPoissonSample } from '../privacy/poisson-sample.ts';
import type { Clipped } from '../privacy/vectors.ts';
import type { AnyFederatedModel } from '../recommender/federated-model.ts';
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
  readonly sum: Clipped;
  readonly own: Float32Array | null;
}

/** @param shops the histories of each shop's shoppers */
export function simulateRound(plan: Plan, model: AnyFederatedModel, base: SimulatedBase, shops: readonly (readonly ShopperHistory[])[]): SimulatedRound {
  const isSampled = plan.privacy.mode !== 'none' && plan.privacy.sampling < 1;
  const length = model.statisticLength();
  async function sumsOf(seed: number): Promise<ShopSum[]> {
    await model.prepare?.();
    const sums: ShopSum[] = [];
    for (const [shop, histories] of shops.entries()) {
      const stream = `${plan.round} ${shop}`;
      sums.push(plan.unit === 'shop' ? await trainShop(histories, shop, stream, seed) : { sum: sumShop(histories, seed, stream), own: null });
    }
    return sums;
  }
  function trainShop(histories: readonly ShopperHistory[], shop: number, stream: string, seed: number): Promise<ShopSum> {
    const zero = new Float32Array(length);
    const control = base.strategy === null || plan.strategy?.kind !== 'scaffold' ? zero : controlIn(base.strategy, length);
    const controls = plan.strategy?.kind === 'scaffold' ? { control, own: base.owns?.[shop] ?? zero } : null;
    return contributeShop({ plan, model, params: base.params, histories, controls, random: seededRandom(seed, `training ${stream}`), pause: () => Promise.resolve() });
  }
  function sumShop(histories: readonly ShopperHistory[], seed: number, stream: string): Clipped {
    const statistic = startStatistic(model, base.params, plan, seededRandom(seed, `rounding ${stream}`));
    const takes = createPoissonSample({ rate: plan.privacy.mode === 'none' ? 1 : plan.privacy.sampling, random: seededRandom(seed, `sample ${stream}`) });
    for (const history of histories) if (takes()) statistic.add(history);
    return statistic.finish();
  }
  let kept: Promise<ShopSum[]> | null = null;
  return {
    async sum(seed, noise = simulatedNoise('skellam')) {
      const sums = await (isSampled ? sumsOf(seed) : (kept ??= sumsOf(0)));
      const report = (shop: number, participants?: number): Int32Array => {
        const drawn = noise.next(plan, seededRandom(seed, `noise-${shop} ${plan.round}`), participants);
        return drawn === null ? sums[shop].sum : drawn.map((value, i) => value + sums[shop].sum[i]);
      };
      const rest = { participants: sums.length, owns: sums.map(({ own }) => own) };
      if (plan.robust?.groups !== undefined) return { aggregate: combineGroups(plan, plan.robust, dealShops(plan, sums.length, seed), report), ...rest };
      const accumulator = createReportSum(plan);
      sums.forEach((_sum, shop) => accumulator.add(report(shop)));
      const decoded = accumulator.decode();
      // What a robust rule leaves of the noise it says itself, of the noise of the plan.
      const aggregate = plan.robust === undefined ? { ...decoded, noiseStd: noise.noiseStd(plan, sums.length) } : decoded;
      return { aggregate, ...rest };
    },
  };
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
