/**
 * SLIST (Choe, Kang, Jeon, Lee 2021, "Session-aware linear item-item models for session-based recommendation"):
 * EASE's reconstruction of whole histories, joined with a regression from what came before each point in time (S) to what
 * came after it (T), both with weights that decay with the distance in visits:
 * P = (a X^T X + (1-a) S^T S + lambda I)^-1,  B = I - P (diag(g) + (1-a) S^T (S - T)),
 * with g_j = lambda, or more where the diagonal of B would be above 0. Items of one visit have no order, so a point in
 * time lies between two visits. The statistic is additive: the upper triangle of a X^T X + (1-a) S^T S, then the full
 * (1-a) S^T (S - T). As with `ease`, one shopper touches very many coordinates. A further round replaces the last one.
 */
import * as z from 'zod/mini';
import type { Catalogue } from '../commerce/catalogue.ts';
import { distinctItems, visitCount, visitItems, type ShopperHistory } from '../commerce/history.ts';
import { multiplySquare } from '../numerics/linear-algebra.ts';
import type { SparseVector } from '../numerics/sparse-vector.ts';
import type { FederatedModel } from './federated-model.ts';
import { gramDiagonal, gramIndex, gramLength, noiseRidge, regularisedInverse } from './gram.ts';
import { strongestWeights, topWeightsSchema } from './item-weights.ts';
import { linearItemScoring, type LinearItemParams } from './linear-item-model.ts';

export const slistHyperParameters = z.strictObject({
  lambda: z._default(z.number().check(z.positive()), 100),
  /** Share of the reconstruction of whole histories; the rest is the regression of later on earlier visits. */
  wholeShare: z._default(z.number().check(z.gte(0), z.lte(1)), 0.2),
  /** Visits after which an item counts 1/e in the regression. */
  decayVisits: z._default(z.number().check(z.positive()), 3),
  /** Visits after which an item of the history counts 1/e when ranking. */
  recallVisits: z._default(z.number().check(z.positive()), 5),
  topWeights: z._default(topWeightsSchema, 100),
});

type SlistHyperParameters = z.infer<typeof slistHyperParameters>;

export function createSlist(catalogue: Catalogue, hyperParameters: SlistHyperParameters): FederatedModel<LinearItemParams> {
  const items = catalogue.products.length;
  const scoring = linearItemScoring(items, (history, importance) => {
    const count = visitCount(history);
    // Later visits overwrite earlier ones: the latest touch counts.
    for (let visit = 0; visit < count; visit += 1) {
      const value = Math.exp((visit + 1 - count) / hyperParameters.recallVisits);
      for (const item of visitItems(history, visit)) if (item >= 0 && item < items) importance[item] = value;
    }
  });
  return {
    kind: 'slist',
    hyperParameters,
    statisticLength: () => gramLength(items) + items * items,
    // S and T are at most 1, and the points in time of one shopper are averaged.
    entryBound: 1,
    normBound: Infinity,
    ...scoring,
    contribute: (_params, history, into) => contributeSequences(items, hyperParameters, history, into),
    update(_params, { sum, noiseStd }) {
      const lambda = hyperParameters.lambda + noiseRidge(items, noiseStd);
      const inverse = regularisedInverse(sum, items, lambda);
      const transitions = multiplySquare(items, inverse, sum.subarray(gramLength(items)));
      for (let item = 0; item < items; item += 1) {
        const diagonal = item * items + item;
        const constraint = Math.max(lambda, (1 - transitions[diagonal]) / inverse[diagonal]);
        for (let row = 0; row < items; row += 1) {
          const position = row * items + item;
          transitions[position] = (row === item ? 1 : 0) - inverse[position] * constraint - transitions[position];
        }
      }
      return { weights: strongestWeights(transitions, items, hyperParameters.topWeights), popularity: gramDiagonal(sum, items) };
    },
  };
}

/** S^T S and S^T T of one shopper, over the items it touched, averaged over its points in time. */
function contributeSequences(items: number, { wholeShare, decayVisits }: SlistHyperParameters, history: ShopperHistory, into: SparseVector): void {
  const touched = distinctItems(history);
  const size = touched.length;
  const rank = new Map(Array.from(touched, (item, index): [number, number] => [item, index]));
  const within = new Float64Array(size * size);
  const across = new Float64Array(size * size);
  const points = visitCount(history) - 1;
  for (let point = 0; point < points; point += 1) {
    const past = decayed(history, rank, point, -1, decayVisits);
    const future = decayed(history, rank, point + 1, 1, decayVisits);
    const factor = (1 - wholeShare) / points;
    for (const [first, weight] of past) {
      for (const [second, other] of past) within[first * size + second] += factor * weight * other;
      for (const [second, other] of future) across[first * size + second] += factor * weight * other;
    }
  }
  const square = gramLength(items);
  for (let first = 0; first < size; first += 1) {
    for (let second = 0; second < size; second += 1) {
      const position = first * size + second;
      if (second >= first) into.add(gramIndex(items, touched[first], touched[second]), wholeShare + within[position]);
      const change = within[position] - across[position];
      if (change !== 0) into.add(square + touched[first] * items + touched[second], change);
    }
  }
}

/** Items by rank with weight exp(-distance / decayVisits), walking from visit `start`; the nearest touch counts. */
function decayed(history: ShopperHistory, rank: ReadonlyMap<number, number>, start: number, step: number, decayVisits: number): Map<number, number> {
  const weights = new Map<number, number>();
  // Beyond five decay lengths a weight is below 0.7 % and its products are lost in any noise.
  for (let distance = 0; distance <= 5 * decayVisits; distance += 1) {
    const visit = start + step * distance;
    if (visit < 0 || visit >= visitCount(history)) break;
    for (const item of visitItems(history, visit)) {
      const index = rank.get(item);
      if (index !== undefined && !weights.has(index)) weights.set(index, Math.exp(-distance / decayVisits));
    }
  }
  return weights;
}
