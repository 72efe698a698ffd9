/**
 * How many shoppers touched each item, every shopper with the same total weight: the baseline, degree 0 and cold
 * start. A shopper with s items adds 1/sqrt(s) to each, so the norm of a contribution is 1.
 */
import * as z from 'zod/mini';
import type { Catalogue } from '../commerce/catalogue.ts';
import { distinctItems } from '../commerce/history.ts';
import type { Aggregate, FederatedModel } from './federated-model.ts';
import { combineRounds } from './round-memory.ts';
import { requireRange, requireTensor, vector } from './tensor-checks.ts';

export const popularityHyperParameters = z.strictObject({});

export interface PopularityParams {
  /** Weighted counts, with noise under privacy: may be negative. */
  readonly popularity: Float32Array;
  /** Shoppers summed and noise of `popularity`; 0 shoppers before any round. */
  readonly shoppers: number;
  readonly noiseStd: number;
}

export function createPopularity(catalogue: Catalogue): FederatedModel<PopularityParams> {
  const items = catalogue.products.length;
  return {
    kind: 'popularity',
    hyperParameters: {},
    statisticLength: () => items,
    entryBound: 1,
    normBound: 1,
    initial: () => ({ popularity: new Float32Array(items), shoppers: 0, noiseStd: 0 }),
    contribute(_params, history, into) {
      const touched = distinctItems(history);
      for (const item of touched) into.add(item, 1 / Math.sqrt(touched.length));
    },
    update(params, aggregate) {
      const { sum, shoppers, noiseStd } = combineRounds(roundOf(params), aggregate);
      return { popularity: Float32Array.from(sum), shoppers, noiseStd };
    },
    score: (params, _history, scores) => scores.set(params.popularity),
    explain: () => [],
    encode: (params) => ({ popularity: vector(params.popularity), round: vector(Float64Array.of(params.shoppers, params.noiseStd)) }),
    decode(tensors) {
      const popularity = requireTensor(tensors, 'popularity', Float32Array, items);
      const round = requireTensor(tensors, 'round', Float64Array, 2);
      requireRange('round', round, 0, Number.MAX_VALUE);
      return { popularity, shoppers: round[0], noiseStd: round[1] };
    },
  };
}

function roundOf({ popularity, shoppers, noiseStd }: PopularityParams): Aggregate | undefined {
  return shoppers === 0 ? undefined : { sum: Float64Array.from(popularity), shoppers, noiseStd };
}

/** The items of highest popularity, best first, equal ones by lower index: what `topItems` of a plan is made from. */
export function mostPopular(popularity: Float32Array, limit: number): number[] {
  return Array.from(popularity.keys()).sort((a, b) => popularity[b] - popularity[a] || a - b).slice(0, limit);
}
