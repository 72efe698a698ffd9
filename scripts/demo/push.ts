/** The item that the demo's malicious shop pushes, and the histories it invents for that: the strongest recipe of the audit. */
import type { Dataset } from '../../shared/datasets/dataset.ts';
import type { ShopperHistory } from '../../shared/commerce/history.ts';
import type { Split } from '../../shared/evaluation/splits.ts';
import { createModel } from '../../shared/recommender/registry.ts';
import { fakeHistories, recipesFor } from '../audit/poisoning/fake-histories.ts';
import { mostPopular, pickTargets, shoppersOf } from '../audit/poisoning/poisoning.ts';
import { demoHyperParameters } from './federation.ts';

/** Shoppers the malicious shop invents: as many as four or five honest shops of twenty have. */
export const inventedShoppers = 1_000;

export interface Push {
  /** Index in the catalogue of an item that hardly anybody bought. */
  readonly target: number;
  /** Honest shoppers who bought it. */
  readonly buyers: number;
  /** Other items that an invented shopper may be said to have bought with it. */
  readonly baskets: readonly (readonly number[])[];
}

/** The attacker knows the model, the catalogue and what is popular. */
export function planPush(dataset: Dataset, { training, rankable }: Split): Push {
  const { catalogue } = dataset;
  const counts = shoppersOf(training, catalogue.products.length);
  const [target] = pickTargets(counts, rankable, 1, 1);
  const model = createModel('neighbours', catalogue, demoHyperParameters(2));
  const recipes = recipesFor(target, { model, params: model.initial(), popular: mostPopular(counts) });
  // Each fake buys it with one partner, and all partners have their turn: no pair that counts is left out.
  const broadest = recipes.filter(({ name }) => name.startsWith('with one of')).at(-1) ?? recipes[0];
  return { target, buyers: counts[target], baskets: broadest.baskets };
}

/** @param time Of all their orders, in Unix seconds. */
export function inventHistories({ baskets }: Push, time: number): ShopperHistory[] {
  return fakeHistories({ name: 'push', baskets }, inventedShoppers, time);
}
