/** What `als` releases: item factors, popularity, and the public similarity of titles that ranks beside them. */
import type { Catalogue } from '../../commerce/catalogue.ts';
import type { NamedTensors } from '../../protocol/tensors.ts';
import { decodeWeights, encodeWeights, noWeights, type ItemWeights } from '../item-weights.ts';
import { requireRowTable } from '../quantised-rows.ts';
import { itemIndexes, requireTensor, vector } from '../tensor-checks.ts';
import { hasText, similarPairs } from '../text-similarity.ts';

export interface AlsParams {
  /** Items by width, row-major. */
  readonly factors: Float32Array;
  /** Noisy sum over shoppers of 1 / sqrt(items of the shopper). */
  readonly popularity: Float32Array;
  /** Similarity of like titles, both ways: released, so that a storefront need not compare all titles again. */
  readonly similar: ItemWeights;
}

export function encodeAls({ factors, popularity, similar }: AlsParams): NamedTensors {
  return { factors: vector(factors), popularity: vector(popularity), ...encodeWeights(similar) };
}

/** @throws CestaError `release.untrusted` */
export function decodeAls(tensors: NamedTensors, items: number, width: number): AlsParams {
  return {
    factors: requireRowTable(tensors, 'factors', items, width),
    popularity: requireTensor(tensors, 'popularity', Float32Array, items),
    similar: decodeWeights(tensors, items),
  };
}

/** Like titles as rows of weights; none where the catalogue has no text. */
export function similarTitles(catalogue: Catalogue): ItemWeights {
  const items = catalogue.products.length;
  if (!hasText(catalogue)) return noWeights(items);
  const { starts: pairStarts, partners: higher, similarity } = similarPairs(catalogue);
  const starts = new Int32Array(items + 1);
  const eachPair = (visit: (from: number, to: number, weight: number) => void, direction: 'up' | 'down'): void => {
    for (let item = 0; item < items; item += 1) {
      for (let pair = pairStarts[item]; pair < pairStarts[item + 1]; pair += 1) {
        if (direction === 'up') visit(item, higher[pair], similarity[pair]);
        else visit(higher[pair], item, similarity[pair]);
      }
    }
  };
  const count = (from: number): void => void (starts[from + 1] += 1);
  eachPair(count, 'up');
  eachPair(count, 'down');
  for (let item = 0; item < items; item += 1) starts[item + 1] += starts[item];
  const next = starts.slice();
  const partners = itemIndexes(starts[items], items);
  const weights = new Float32Array(starts[items]);
  const place = (from: number, to: number, weight: number): void => {
    partners[next[from]] = to;
    weights[next[from]++] = weight;
  };
  // Lower partners first: within a row they ascend.
  eachPair(place, 'down');
  eachPair(place, 'up');
  return { items, starts, partners, weights };
}
