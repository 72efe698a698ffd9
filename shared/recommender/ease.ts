/**
 * EASE (Steck 2019, "Embarrassingly shallow autoencoders for sparse data"): the linear item-to-item model that best
 * reconstructs histories, in closed form from the Gram matrix: P = (G + lambda I)^-1, B_ij = -P_ij / P_jj, zero
 * diagonal. The statistic is additive, so it federates exactly in one round; but one shopper touches s^2 / 2 of its
 * coordinates, so under a small epsilon `neighbours` is the better choice. A further round replaces the last one.
 */
import * as z from 'zod';
import type { Catalogue } from '../commerce/catalogue.ts';
import { distinctItems } from '../commerce/history.ts';
import { invertPositiveDefinite } from '../numerics/linear-algebra.ts';
import { CestaError } from '../protocol/errors.ts';
import type { FederatedModel } from './federated-model.ts';
import { contributeGram, gramIndex, gramLength, gramMatrix, noiseRidge } from './gram.ts';
import { strongestWeights } from './item-weights.ts';
import { linearItemScoring, type LinearItemParams } from './linear-item-model.ts';

/** How many weights into each item are released. */
export const topWeightsSchema = z.union([z.literal('all'), z.number().int().min(1)]);

export const easeHyperParameters = z.strictObject({
  /** Added to the diagonal of the Gram matrix, in shoppers. */
  lambda: z.number().finite().positive().default(500),
  topWeights: topWeightsSchema.default(100),
});

export function createEase(catalogue: Catalogue, hyperParameters: z.infer<typeof easeHyperParameters>): FederatedModel<LinearItemParams> {
  const items = catalogue.products.length;
  return {
    kind: 'ease',
    hyperParameters,
    statisticLength: () => gramLength(items),
    entryBound: 1,
    normBound: Infinity,
    ...linearItemScoring(items),
    contribute: (_params, history, into) => contributeGram(items, distinctItems(history), into),
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

const ridgeAttempts = 5;

/**
 * (G + ridge I)^-1, with the ridge doubled where noise left the matrix indefinite.
 * @throws CestaError `model.unusable`
 */
export function regularisedInverse(sum: Float64Array, items: number, ridge: number): Float64Array {
  const matrix = gramMatrix(sum, items);
  let added = 0;
  for (let attempt = 1; ; attempt += 1) {
    const wanted = ridge * 2 ** (attempt - 1);
    for (let item = 0; item < items; item += 1) matrix[item * items + item] += wanted - added;
    added = wanted;
    try {
      return invertPositiveDefinite(items, matrix);
    } catch (error) {
      if (!(error instanceof CestaError) || attempt === ridgeAttempts) throw error;
    }
  }
}

/** How many shoppers touched each item. */
export function gramDiagonal(sum: Float64Array, items: number): Float32Array {
  return Float32Array.from({ length: items }, (_, item) => sum[gramIndex(items, item, item)]);
}
