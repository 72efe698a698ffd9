/** What `als` releases: item factors, popularity, and the public similarity of titles that ranks beside them. */
import type { Catalogue } from '../../commerce/catalogue.ts';
import type { NamedTensors } from '../../protocol/tensors.ts';
import { decodeWeights, encodeWeights, noWeights, type ItemWeights } from '../item-weights.ts';
import { requireRowTable } from '../quantised-rows.ts';
import { itemIndexes, requireTensor, untrusted, vector } from '../tensor-checks.ts';
import { hasText, similarPairs } from '../text-similarity.ts';

export interface AlsParams {
  /** Items by width, row-major. */
  readonly factors: Float32Array;
  /** Noisy sum over shoppers of 1 / sqrt(items of the shopper). */
  readonly popularity: Float32Array;
  /** Similarity of like titles, both ways: released, so that a storefront need not compare all titles again. */
  readonly similar: ItemWeights;
}

/** Of each pair of titles the release holds one way: the lower item's row. */
export function encodeAls({ factors, popularity, similar }: AlsParams): NamedTensors {
  return { factors: vector(factors), popularity: vector(popularity), ...encodeWeights(oneWay(similar)) };
}

/** @throws CestaError `release.untrusted` */
export function decodeAls(tensors: NamedTensors, items: number, width: number): AlsParams {
  const pairs = decodeWeights(tensors, items);
  for (let item = 0; item < items; item += 1) {
    // Partners ascend within a row.
    const first = pairs.starts[item];
    if (first < pairs.starts[item + 1] && pairs.partners[first] <= item) throw untrusted('weight_partners', `items above ${item}`, String(pairs.partners[first]));
  }
  return {
    factors: requireRowTable(tensors, 'factors', items, width),
    popularity: requireTensor(tensors, 'popularity', Float32Array, items),
    similar: bothWays(pairs),
  };
}

/** Like titles as rows of weights; none where the catalogue has no text. */
export function similarTitles(catalogue: Catalogue): ItemWeights {
  const items = catalogue.products.length;
  if (!hasText(catalogue)) return noWeights(items);
  const { starts, partners, similarity } = similarPairs(catalogue);
  return bothWays({ items, starts, partners, weights: similarity });
}

/** Pairs by their lower item. */
interface PairRows {
  readonly items: number;
  readonly starts: Int32Array;
  readonly partners: ArrayLike<number>;
  readonly weights: Float32Array;
}

function bothWays({ items, starts: lower, partners: higher, weights: values }: PairRows): ItemWeights {
  const starts = new Int32Array(items + 1);
  for (let item = 0; item < items; item += 1) {
    starts[item + 1] += lower[item + 1] - lower[item];
    for (let pair = lower[item]; pair < lower[item + 1]; pair += 1) starts[higher[pair] + 1] += 1;
  }
  for (let item = 0; item < items; item += 1) starts[item + 1] += starts[item];
  const next = starts.slice();
  const partners = itemIndexes(starts[items], items);
  const weights = new Float32Array(starts[items]);
  const place = (from: number, to: number, weight: number): void => {
    partners[next[from]] = to;
    weights[next[from]++] = weight;
  };
  // Every row is given its lower partners before the item itself comes up: partners ascend.
  for (let item = 0; item < items; item += 1) {
    for (let pair = lower[item]; pair < lower[item + 1]; pair += 1) {
      place(item, higher[pair], values[pair]);
      place(higher[pair], item, values[pair]);
    }
  }
  return { items, starts, partners, weights };
}

function oneWay({ items, starts: both, partners: all, weights: values }: ItemWeights): ItemWeights {
  const starts = new Int32Array(items + 1);
  const kept: number[] = [];
  for (let item = 0; item < items; item += 1) {
    for (let entry = both[item]; entry < both[item + 1]; entry += 1) if (all[entry] > item) kept.push(entry);
    starts[item + 1] = kept.length;
  }
  const partners = itemIndexes(kept.length, items);
  const weights = new Float32Array(kept.length);
  kept.forEach((entry, position) => {
    partners[position] = all[entry];
    weights[position] = values[entry];
  });
  return { items, starts, partners, weights };
}
