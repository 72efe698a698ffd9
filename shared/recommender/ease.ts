/**
 * EASE (Steck 2019, "Embarrassingly shallow autoencoders for sparse data"): the linear item-to-item model that best
 * reconstructs histories, in closed form from the Gram matrix: P = (G + lambda I)^-1, B_ij = -P_ij / P_jj, zero
 * diagonal. The statistic is additive, so it federates exactly in one round; but one shopper touches s^2 / 2 of its
 * coordinates, so under a small epsilon `neighbours` is the better choice. A further round replaces the last one.
 */
import * as z from 'zod/mini';
import type { Catalogue } from '../commerce/catalogue.ts';
import type { FederatedModel } from './federated-model.ts';
import { gramDiagonal, noiseRidge, regularisedInverse } from './gram.ts';
import { strongestWeights, topWeightsSchema } from './item-weights.ts';
import { gramItemModel, type LinearItemParams } from './linear-item-model.ts';

export const easeHyperParameters = z.strictObject({
  /** Added to the diagonal of the Gram matrix, in shoppers. */
  lambda: z._default(z.number().check(z.positive()), 500),
  topWeights: z._default(topWeightsSchema, 100),
});

export function createEase(catalogue: Catalogue, hyperParameters: z.infer<typeof easeHyperParameters>): FederatedModel<LinearItemParams> {
  const items = catalogue.products.length;
  return {
    kind: 'ease',
    hyperParameters,
    ...gramItemModel(items),
    update(_params, { sum, noiseStd }) {
      const inverse = regularisedInverse(sum, items, hyperParameters.lambda + noiseRidge(items, noiseStd));
      const diagonal = Float64Array.from({ length: items }, (_, item) => inverse[item * items + item]);
      for (let row = 0; row < items; row += 1) {
        for (let column = 0; column < items; column += 1) inverse[row * items + column] /= -diagonal[column];
      }
      return { weights: strongestWeights(inverse, items, hyperParameters.topWeights), popularity: gramDiagonal(sum, items) };
    },
  };
}
