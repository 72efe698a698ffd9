/**
 * One round without sockets: the statistic, grid, accumulator and decoding of a real round, with noise that can be
 * repeated. For evaluation only: seeded noise protects nobody.
 */
import type { ShopperHistory } from '../commerce/history.ts';
import { createAccumulator } from '../federation/accumulator.ts';
import type { Plan } from '../federation/plan.ts';
import { startStatistic } from '../federation/statistic.ts';
import { seededRandom } from '../numerics/random.ts';
import { simulateNoise, withoutNoise } from '../privacy/noise.ts';
import { skellamSampler } from '../privacy/skellam-sampler.ts';
import type { Aggregate, AnyFederatedModel } from '../recommender/federated-model.ts';

export interface SimulatedRound {
  /** The aggregate with the noise of this seed. Shoppers are summed once, whatever the number of seeds. */
  aggregate(seed: number): Aggregate;
}

/** @param shops the histories of each shop's shoppers */
export function simulateRound(plan: Plan, model: AnyFederatedModel, params: unknown, shops: readonly (readonly ShopperHistory[])[]): SimulatedRound {
  const sums = shops.map((histories) => {
    const statistic = startStatistic(model, params, plan);
    for (const history of histories) statistic.add(history);
    return statistic.finish();
  });
  const { privacy, bounds } = plan;
  const sampler = privacy.mode === 'none' ? null : skellamSampler({ variance: (privacy.noiseStd * bounds.gridScale) ** 2, kind: 'fast' });
  return {
    aggregate(seed) {
      const accumulator = createAccumulator(plan);
      sums.forEach((sum, shop) => accumulator.add(sampler === null ? withoutNoise(sum) : simulateNoise(sum, sampler, seededRandom(seed, `noise-${shop}`))));
      return accumulator.decode();
    },
  };
}
