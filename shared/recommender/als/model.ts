/**
 * Implicit matrix factorisation in rounds (Hu, Koren and Volinsky 2008; tuned after Rendle, Krichene, Zhang and Koren
 * 2021): every shopper solves for the own factor, which never leaves, and reports what an update of the item factors needs
 * of it (statistic.ts). Items start from their public titles and stay near them where little is known. Titles that are
 * alike also rank directly, beside the factors.
 *
 * A shopper of s items counts 1 / sqrt(s), so that a contribution has a bounded norm however large the history is.
 */
import * as z from 'zod/mini';
import type { Catalogue } from '../../commerce/catalogue.ts';
import type { FederatedModel } from '../federated-model.ts';
import { createItemSet } from '../item-set.ts';
import { warmStart } from '../warm-start.ts';
import { decodeAls, encodeAls, similarTitles, type AlsParams } from './release.ts';
import { createAlsScoring } from './scoring.ts';
import { createShopperSolver } from './shopper.ts';
import { alsLayout, alsNormBound, alsReports, reportShopper } from './statistic.ts';
import { updateItems } from './update.ts';

/** The defaults were chosen on the second-to-last baskets of Online Retail (protocol `validation`), never on a last one. */
export const alsHyperParameters = z.strictObject({
  factors: z._default(z.int().check(z.gte(2), z.lte(256)), 64),
  report: z._default(z.enum(alsReports), 'gradients'),
  /** Weight of what a shopper did not touch, in units of what was touched. */
  unobserved: z._default(z.number().check(z.gt(0), z.lte(1)), 0.5),
  /** Ridge of a shopper's factor and of an item's, each times (observed + unobserved weight) to `frequencyPower`. */
  shopperRegularisation: z._default(z.number().check(z.gt(0)), 0.004),
  itemRegularisation: z._default(z.number().check(z.gt(0)), 0.001),
  frequencyPower: z._default(z.number().check(z.gte(0), z.lte(1)), 1),
  /** Norm of the public rows that items start from and stay near. */
  startNorm: z._default(z.number().check(z.gt(0)), 0.15),
  /** Visits after which an item of the history counts 1/e when ranking. */
  recallVisits: z._default(z.number().check(z.positive()), 2),
  /** Weight of the similarity of titles in a score. */
  similarityWeight: z._default(z.number().check(z.gte(0)), 0.02),
  /** Weight of log popularity in a score. */
  popularityWeight: z._default(z.number().check(z.gte(0)), 0.02),
});

export type AlsHyperParameters = z.output<typeof alsHyperParameters>;

/** @throws CestaError `model.unusable` for a statistic that no plan can hold */
export function createAls(catalogue: Catalogue, hyperParameters: AlsHyperParameters): FederatedModel<AlsParams> {
  const items = catalogue.products.length;
  const { factors: width, unobserved, frequencyPower, startNorm } = hyperParameters;
  const layout = alsLayout(items, hyperParameters);
  const itemSet = createItemSet(items);
  const solver = createShopperSolver({ items, width, unobserved, frequencyPower, regularisation: hyperParameters.shopperRegularisation });
  const itemTerms = { startNorm, unobserved, frequencyPower, regularisation: hyperParameters.itemRegularisation };
  let start: AlsParams | null = null;
  // Made on first use: a storefront scores a release and never needs it.
  const initial = (): AlsParams => (start ??= {
    factors: warmStart(catalogue, width, 'als').map((value) => startNorm * value),
    popularity: new Float32Array(items),
    similar: similarTitles(catalogue),
  });
  return {
    kind: 'als',
    hyperParameters,
    statisticLength: () => layout.length,
    entryBound: 1,
    normBound: alsNormBound(layout),
    initial,
    contribute(params, history, into) {
      const touched = itemSet.read(history);
      if (touched.length > 0) reportShopper(layout, params, touched, solver.solveWithin(params, touched), into);
    },
    update: (params, aggregate) => updateItems(layout, itemTerms, initial().factors, params, aggregate),
    ...createAlsScoring({ items, width }, hyperParameters, solver),
    rowTables: { factors: width },
    encode: encodeAls,
    decode: (tensors) => decodeAls(tensors, items, width),
  };
}
