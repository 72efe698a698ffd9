/** Small real models for tests of ranking and serving. */
import { createCatalogue, type Catalogue } from '../../shared/commerce/catalogue.ts';
import { historyOf, type ShopperHistory } from '../../shared/commerce/history.ts';
import { createSparseVector } from '../../shared/numerics/sparse-vector.ts';
import type { FederatedModel } from '../../shared/recommender/federated-model.ts';
import { createItemKnn } from '../../shared/recommender/item-knn.ts';
import { createPopularity } from '../../shared/recommender/popularity.ts';

export const catalogueOf = (...ids: string[]): Catalogue => createCatalogue(ids.map((id) => ({ id, title: `Title of ${id}` })));

export const basket = (...items: number[]): ShopperHistory => historyOf([{ time: 0, items }]);

/** The exact sum of all contributions, folded in: what a round without noise yields. */
export function trained<Params>(model: FederatedModel<Params>, histories: readonly ShopperHistory[]): Params {
  const sum = new Float64Array(model.statisticLength());
  const contribution = createSparseVector();
  for (const history of histories) {
    contribution.clear();
    model.contribute(model.initial(), history, contribution);
    for (let at = 0; at < contribution.size; at += 1) sum[contribution.indexAt(at)] += contribution.valueAt(at);
  }
  return model.update(model.initial(), { sum, shoppers: histories.length, noiseStd: 0 });
}

/** Neighbours first, popularity behind them: the smallest model that has both a personal and an impersonal part. */
export function blendedModel(catalogue: Catalogue, histories: readonly ShopperHistory[], popularityWeight: number): { model: FederatedModel<null>; params: null } {
  const knn = createItemKnn(catalogue, { topWeights: 'all', shrinkage: 0 });
  const popularity = createPopularity(catalogue);
  const knnParams = trained(knn, histories);
  const popularityParams = trained(popularity, histories);
  const { local: _local, ...linear } = knn;
  const model: FederatedModel<null> = {
    ...linear,
    initial: () => null,
    contribute: () => undefined,
    update: () => null,
    encode: () => ({}),
    decode: () => null,
    score(_params, history, scores) {
      const popular = new Float32Array(scores.length);
      popularity.score(popularityParams, history, popular);
      knn.score(knnParams, history, scores);
      for (let item = 0; item < scores.length; item += 1) scores[item] += popularityWeight * popular[item];
    },
    explain: (_params, history, item, limit) => knn.explain(knnParams, history, item, limit),
  };
  return { model, params: null };
}
