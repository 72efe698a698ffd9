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
import { startStatistic } from '../federation/statistic.ts';
import { seededRandom, shuffle } from '../numerics/random.ts';
import { createPoissonSample } from '../privacy/poisson-sample.ts';
import type { Clipped } from '../privacy/vectors.ts';
import type { AnyFederatedModel } from '../recommender/federated-model.ts';
import { simulatedNoise, type SimulatedNoise } from './simulated-noise.ts';

export interface SimulatedRound {
  /** The aggregate with the sample and the noise of this seed; shoppers are summed once where all of them take part. */
  aggregate(seed: number, noise?: SimulatedNoise): DecodedSum;
}

/** @param shops the histories of each shop's shoppers */
export function simulateRound(plan: Plan, model: AnyFederatedModel, params: unknown, shops: readonly (readonly ShopperHistory[])[]): SimulatedRound {
  const isSampled = plan.privacy.mode !== 'none' && plan.privacy.sampling < 1;
  const sumsOf = (seed: number): Clipped[] => shops.map((histories, shop) => sumShop(histories, seed, `${plan.round} ${shop}`));
  function sumShop(histories: readonly ShopperHistory[], seed: number, stream: string): Clipped {
    const statistic = startStatistic(model, params, plan, seededRandom(seed, `rounding ${stream}`));
    const takes = createPoissonSample({ rate: plan.privacy.mode === 'none' ? 1 : plan.privacy.sampling, random: seededRandom(seed, `sample ${stream}`) });
    for (const history of histories) if (takes()) statistic.add(history);
    return statistic.finish();
  }
  let kept: Clipped[] | null = null;
  return {
    aggregate(seed, noise = simulatedNoise('skellam')) {
      const sums = isSampled ? sumsOf(seed) : (kept ??= sumsOf(0));
      const report = (shop: number, participants?: number): Int32Array => {
        const drawn = noise.next(plan, seededRandom(seed, `noise-${shop} ${plan.round}`), participants);
        return drawn === null ? sums[shop] : drawn.map((value, i) => value + sums[shop][i]);
      };
      if (plan.robust?.groups !== undefined) return combineGroups(plan, plan.robust, dealShops(plan, sums.length, seed), report);
      const accumulator = createReportSum(plan);
      sums.forEach((_sum, shop) => accumulator.add(report(shop)));
      const decoded = accumulator.decode();
      // What a robust rule leaves of the noise it says itself, of the noise of the plan.
      return plan.robust === undefined ? { ...decoded, noiseStd: noise.noiseStd(plan, sums.length) } : decoded;
    },
  };
}

/** In real rounds a hash of the members does what the seed does here. */
function dealShops(plan: Plan, shops: number, seed: number): number[][] {
  const order = shuffle(Array.from({ length: shops }, (_, shop) => shop), seededRandom(seed, `groups ${plan.round}`));
  return Array.from({ length: sessionsOf(plan) }, (_, group) => order.filter((_shop, place) => place % sessionsOf(plan) === group));
}

/** A sum of each group, with the noise of a whole promise, and the rule over them. */
function combineGroups(plan: Plan, robust: RobustSpec, groups: readonly (readonly number[])[], report: (shop: number, participants: number) => Int32Array): DecodedSum {
  return combineSums(robust, groups.map((members) => {
    const sum = createAccumulator(plan);
    for (const shop of members) sum.add(report(shop, members.length));
    return rowOfSum(sum.decode());
  }));
}
