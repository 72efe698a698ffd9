/**
 * Item-based nearest neighbours (Sarwar et al. 2001; Deshpande and Karypis 2004): cosine of the items' columns, shrunk where few
 * shoppers are behind it, each item keeping its nearest. A central baseline: its statistic is the Gram matrix of `ease`, as costly
 * under privacy. A further round replaces the last one.
 */
import * as z from 'zod/mini';
import type { Catalogue } from '../commerce/catalogue.ts';
import type { FederatedModel } from './federated-model.ts';
import { gramDiagonal, gramMatrix } from './gram.ts';
import { strongestWeights, topWeightsSchema } from './item-weights.ts';
import { gramItemModel, type LinearItemParams } from './linear-item-model.ts';

export const itemKnnHyperParameters = z.strictObject({
  /** Added to the denominator of the cosine, in shoppers. */
  shrinkage: z._default(z.number().check(z.nonnegative()), 50),
  topWeights: z._default(topWeightsSchema, 100),
});

export function createItemKnn(catalogue: Catalogue, hyperParameters: z.infer<typeof itemKnnHyperParameters>): FederatedModel<LinearItemParams> {
  const items = catalogue.products.length;
  return {
    kind: 'item-knn',
    hyperParameters,
    ...gramItemModel(items),
    update(_params, { sum }) {
      const matrix = gramMatrix(sum, items);
      const counts = gramDiagonal(sum, items);
      const norms = Float64Array.from(counts, (count) => Math.sqrt(Math.max(count, 1)));
      for (let row = 0; row < items; row += 1) {
        for (let column = 0; column < items; column += 1) matrix[row * items + column] /= norms[row] * norms[column] + hyperParameters.shrinkage;
      }
      return { weights: strongestWeights(matrix, items, hyperParameters.topWeights), popularity: counts };
    },
  };
}
