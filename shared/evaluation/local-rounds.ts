/**
 * Rounds of local training without sockets, privacy or noise: every shop trains on all its shoppers, and the mean of the
 * changes, weighted by shoppers, is the step (McMahan et al. 2017). With one shop and one round: training in one place.
 */
import { ofShoppers, type ShopperHistory } from '../commerce/history.ts';
import { seededRandom } from '../numerics/random.ts';
import { CestaError } from '../protocol/errors.ts';
import type { AnyFederatedModel } from '../recommender/federated-model.ts';

export interface LocalRounds {
  readonly rounds: number;
  readonly seed: number;
  /** Between steps; rejects when training is to stop. */
  readonly pause: () => Promise<void>;
}

/**
 * @param shops the histories of each shop's shoppers; a shop without any takes no part
 * @throws CestaError `model.unusable` for a model that does not train locally
 */
export async function trainInRounds(model: AnyFederatedModel, shops: readonly (readonly ShopperHistory[])[], { rounds, seed, pause }: LocalRounds): Promise<unknown> {
  const { local } = model;
  if (local === undefined) throw new CestaError('model.unusable', `model: expected one that trains locally, got ${model.kind}`);
  await model.prepare?.();
  let params = model.initial();
  for (let round = 1; round <= rounds; round += 1) {
    const sum = new Float64Array(model.statisticLength());
    let shoppers = 0;
    for (const [shop, all] of shops.entries()) {
      const histories = ofShoppers(all);
      if (histories.length === 0) continue;
      const random = seededRandom(seed, `training of shop ${shop} in round ${round}`);
      const { change } = await local.train(params, histories, { random, proximal: 0, correction: null, steps: null, pause });
      change.forEach((value, at) => (sum[at] += histories.length * value));
      shoppers += histories.length;
    }
    if (shoppers > 0) params = model.update(params, { sum, shoppers, noiseStd: 0 });
  }
  return params;
}
