/** What shops could do alone: each trains on its own orders, without noise, and is asked about its own shoppers. */
import type { Catalogue } from '../shared/commerce/catalogue.ts';
import { ofShoppers, type ShopperHistory } from '../shared/commerce/history.ts';
import { rankTests } from '../shared/evaluation/evaluate-model.ts';
import type { Split } from '../shared/evaluation/splits.ts';
import type { AnyFederatedModel } from '../shared/recommender/federated-model.ts';
import { trainCentrally } from './simulated-training.ts';

/**
 * Shelves of all test shoppers, in the order of the split.
 * @param shops the training histories of each
 * @param shopOf the shop of a shopper, by index among the histories that were split
 */
export async function localOnlyShelves(model: AnyFederatedModel, catalogue: Catalogue, split: Split, { shops, shopOf }: { readonly shops: readonly (readonly ShopperHistory[])[]; readonly shopOf: (shopper: number) => number }): Promise<Int32Array[]> {
  const shelves: Int32Array[] = [];
  for (const [shop, all] of shops.entries()) {
    const own = [...split.tests.keys()].filter((test) => shopOf(split.tests[test].shopper) === shop);
    if (own.length === 0) continue;
    const histories = ofShoppers(all);
    const params = histories.length === 0 ? model.initial() : await trainCentrally(model, catalogue, histories);
    const ranked = rankTests({ ...split, tests: own.map((test) => split.tests[test]) }, ({ history }, scores) => model.score(params, history, scores));
    own.forEach((test, place) => (shelves[test] = ranked[place]));
  }
  return shelves;
}
