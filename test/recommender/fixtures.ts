/** Small catalogues, histories and sums by hand, for tests of the models. */
import fc from 'fast-check';
import { createCatalogue, type Catalogue } from '../../shared/commerce/catalogue.ts';
import { historyOf, type ShopperHistory } from '../../shared/commerce/history.ts';
import { createSparseVector, type SparseVector } from '../../shared/numerics/sparse-vector.ts';
import type { FederatedModel } from '../../shared/recommender/federated-model.ts';

/** All but the last are tea cups, so that every pair of the others is a candidate: a word in every title says nothing. */
export const teaCatalogue = (items: number): Catalogue => createCatalogue(Array.from({ length: items }, (_, index) => ({ id: `item ${String(index).padStart(4, '0')}`, title: index === items - 1 ? 'garden gnome' : `tea cup ${index}` })));

export const wordless = (items: number): Catalogue => createCatalogue(Array.from({ length: items }, (_, index) => ({ id: `item ${String(index).padStart(4, '0')}`, title: '' })));

/** One visit a day. */
export const visits = (...baskets: number[][]): ShopperHistory => historyOf(baskets.map((items, day) => ({ time: day * 86_400, items })));

export const contributionOf = <Params>(model: FederatedModel<Params>, history: ShopperHistory): SparseVector => {
  const contribution = createSparseVector(1);
  model.contribute(model.initial(), history, contribution);
  return contribution;
};

export const entriesOf = (vector: SparseVector): [index: number, value: number][] => Array.from({ length: vector.size }, (_, position) => [vector.indexAt(position), vector.valueAt(position)]);

export const scoresOf = <Params>(model: FederatedModel<Params>, params: Params, history: ShopperHistory, items: number): number[] => {
  const scores = new Float32Array(items).fill(NaN);
  model.score(params, history, scores);
  return Array.from(scores);
};

/** Histories of up to six visits over the first `items` items; items recur. */
export const anyHistory = (items: number): fc.Arbitrary<ShopperHistory> =>
  fc.array(fc.array(fc.nat(items - 1), { minLength: 1, maxLength: items }), { minLength: 1, maxLength: 6 }).map((baskets) => visits(...baskets));

export const codeOf = (action: () => unknown): unknown => {
  try {
    action();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return 'nothing thrown';
};
