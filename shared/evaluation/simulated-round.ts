/**
 * One round without sockets: the statistic, grid, accumulator and decoding of a real round, with noise that can be
 * repeated. For evaluation only: seeded noise protects nobody.
 */
import type { ShopperHistory } from '../commerce/history.ts';
import type { DecodedSum } from '../federation/accumulator.ts';
import type { Plan } from '../federation/plan.ts';
import { createReportSum } from '../federation/report-sum.ts';
import { startStatistic } from '../federation/statistic.ts';
import { seededRandom } from '../numerics/random.ts';
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
      const accumulator = createReportSum(plan);
      sums.forEach((sum, shop) => {
        const drawn = noise.next(plan, seededRandom(seed, `noise-${shop} ${plan.round}`));
        accumulator.add(drawn === null ? sum : drawn.map((value, i) => value + sum[i]));
      });
      const decoded = accumulator.decode();
      // What a robust rule leaves of the noise it says itself, of the noise of the plan.
      return plan.robust === undefined ? { ...decoded, noiseStd: noise.noiseStd(plan, sums.length) } : decoded;
    },
  };
}
