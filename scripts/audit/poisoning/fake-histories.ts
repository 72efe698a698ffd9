/**
 * Histories that shoppers invent to push one item, within the rules: an honest shop trains on them like on any other.
 * The attacker knows the model, the catalogue and what is popular, tries several recipes, and takes what pushes most.
 */
import { historyOf, type ShopperHistory } from '../../../shared/commerce/history.ts';
import { createSparseVector } from '../../../shared/numerics/sparse-vector.ts';
import type { AnyFederatedModel } from '../../../shared/recommender/federated-model.ts';

export interface Recipe {
  readonly name: string;
  /** What a fake shopper bought, the target among it; fakes take them in turn. */
  readonly baskets: readonly (readonly number[])[];
}

/** What an attacker works with. */
export interface Knowledge {
  readonly model: AnyFederatedModel;
  readonly params: unknown;
  /** Most popular first. */
  readonly popular: readonly number[];
}

export function recipesFor(target: number, knowledge: Knowledge): Recipe[] {
  const popular = knowledge.popular.filter((item) => item !== target);
  const partners = popular.filter((partner) => pairCoordinates(knowledge, target, partner).length > 0);
  const counts = new Set([1, 3, 10, 30, partners.length].filter((count) => count > 0 && count <= partners.length));
  const withPartners = [...counts].map((count): Recipe => ({ name: `with one of ${count} popular partners`, baskets: partners.slice(0, count).map((partner) => [target, partner]) }));
  return [
    { name: 'alone', baskets: [[target]] },
    ...withPartners,
    ...(partners.length === 0 ? [] : [{ name: 'with all popular partners at once', baskets: [[target, ...partners.slice(0, 30)]] }]),
    { name: 'beside the 10 most popular items', baskets: [[target, ...popular.slice(0, 10)]] },
  ];
}

/** Bought in one visit on the last day before training: what is recent counts for more where a model looks at time. */
export function fakeHistories({ baskets }: Recipe, count: number, time: number): ShopperHistory[] {
  return Array.from({ length: count }, (_, fake) => historyOf([{ time, items: baskets[fake % baskets.length] }]));
}

/** Coordinates that speak for the target: of its own, and of its pairs with the partners of a recipe. */
export function targetCoordinates(target: number, { baskets }: Recipe, knowledge: Knowledge): number[] {
  const alone = coordinatesOf(knowledge, [target]);
  return [...new Set([...alone, ...baskets.flatMap((basket) => basket.filter((item) => item !== target).flatMap((partner) => pairCoordinates(knowledge, target, partner)))])];
}

/** What two items touch together and neither by itself. */
function pairCoordinates(knowledge: Knowledge, target: number, partner: number): number[] {
  const apart = new Set([...coordinatesOf(knowledge, [target]), ...coordinatesOf(knowledge, [partner])]);
  return coordinatesOf(knowledge, [target, partner]).filter((coordinate) => !apart.has(coordinate));
}

function coordinatesOf({ model, params }: Knowledge, items: readonly number[]): number[] {
  const into = createSparseVector();
  model.contribute(params, historyOf([{ time: Number.MAX_SAFE_INTEGER, items }]), into);
  return Array.from({ length: into.size }, (_, i) => into.indexAt(i));
}
