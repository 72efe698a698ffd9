/**
 * Neighbours: the default model. Which pairs of items may be alike is public (catalogue text and prices); only those
 * pairs are counted privately, so that one shopper is spread over a few hundred coordinates instead of millions and
 * the noise that hides one shopper does not hide the signal. FedCIA (2025, arXiv 2504.14208) aggregates whole
 * item-similarity matrices; the restriction to public candidate pairs is what makes a small epsilon usable.
 *
 * The noisy sums are read by empirical Bayes: popularity is smoothed over items alike, a pair is expected to sum to
 * what popularity, similarity and prices predict, and with an as-of date items on the rise count for more. The
 * constants were chosen once, on the validation baskets of Online Retail; a deployment tunes nothing, so it spends
 * no budget on tuning.
 */
import * as z from 'zod/mini';
import type { Catalogue } from '../../commerce/catalogue.ts';
import type { FederatedModel } from '../federated-model.ts';
import { createItemSet } from '../item-set.ts';
import { addRow, reasonsFor } from '../item-weights.ts';
import { candidatesPerItem } from '../text-similarity.ts';
import { blockShares, contribute, roundSums, statisticLength, type Layout } from './contribution.ts';
import { estimate, type Estimates } from './estimate.ts';
import { releasedFactors } from './factors.ts';
import { remember, withMemory } from './memory.ts';
import { publicPart, type PublicPart } from './public-part.ts';
import { decodeNeighbours, encodeNeighbours, neighboursParams, type NeighboursParams } from './release.ts';

export const neighboursHyperParameters = z.strictObject({
  /** The union of each item's so many nearest items by text and price is counted. */
  candidatesPerItem: z._default(z.int().check(z.gte(1), z.lte(1000)), candidatesPerItem),
  /** Where the catalogue has no text: item indexes from a first private count, whose pairs are counted. */
  topItems: z._default(z.array(z.int().check(z.nonnegative())), []),
  /** Unix seconds: purchases count as recent up to 90 days before. Null: recent purchases count like any other. */
  asOf: z._default(z.nullable(z.int().check(z.nonnegative())), null),
  /** What earlier rounds count for beside the newest, as `combineRounds` has it; absent: all of it. For shoppers who buy on between rounds. */
  forgettingFactor: z.exactOptional(z.number().check(z.gt(0), z.lte(1))),
});

export type NeighboursHyperParameters = z.infer<typeof neighboursHyperParameters>;

/** @throws CestaError on first use of the pairs: see `candidatePairs`. */
export function createNeighbours(catalogue: Catalogue, hyperParameters: NeighboursHyperParameters): FederatedModel<NeighboursParams> {
  const items = catalogue.products.length;
  const { asOf } = hyperParameters;
  const itemSet = createItemSet(items);
  let found: PublicPart | undefined;
  // Found on first use: a storefront scores a release and never needs the candidates.
  const known = (): PublicPart => (found ??= publicPart(catalogue, hyperParameters.candidatesPerItem, hyperParameters.topItems));
  const layout = (): Layout => ({ pairs: known().pairs, asOf });
  return {
    kind: 'neighbours',
    hyperParameters,
    statisticLength: () => statisticLength(layout()),
    // A shopper with one pair.
    entryBound: Math.sqrt(blockShares(asOf).pairs),
    normBound: 1,
    initial: () => neighboursParams(releasedFactors(known(), nothingKnown(known())), undefined),
    contribute: (_params, history, into) => contribute(layout(), itemSet, history, into),
    update(params, aggregate) {
      const sums = withMemory(params.memory, roundSums(layout(), aggregate), hyperParameters.forgettingFactor);
      return neighboursParams(releasedFactors(known(), estimate(known(), sums)), remember(sums));
    },
    score(params, history, scores) {
      scores.set(params.factors.bias);
      const touched = itemSet.read(history);
      for (let position = 0; position < touched.length; position += 1) addRow(params.weights, touched[position], 1, scores);
    },
    explain: (params, history, item, limit) => reasonsFor(params.weights, itemSet.read(history), item, limit, () => 1),
    encode: encodeNeighbours,
    decode: (tensors) => decodeNeighbours(tensors, items),
  };
}

/** Before any round only similarity speaks. */
function nothingKnown({ pairs }: PublicPart): Estimates {
  return {
    logPopularity: new Float64Array(pairs.items),
    evidence: new Float64Array(pairs.partners.length),
    trend: new Float64Array(pairs.items).fill(1),
  };
}
