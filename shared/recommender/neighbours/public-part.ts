/**
 * What the catalogue says before any shopper does: which pairs are counted, how alike their titles and prices are,
 * and the graph that carries what is known of an item to its like. Costs no privacy. The pairs are the same on every
 * machine, since the statistic is laid out by them; the rest is used where sums are decoded.
 */
import type { Catalogue } from '../../commerce/catalogue.ts';
import { candidatePairs } from '../candidates.ts';
import type { ItemPairs } from '../item-pairs.ts';
import { portableDecay, portableLog } from '../portable-math.ts';
import { createGraph, type ItemGraph } from './item-graph.ts';

export interface PublicPart {
  readonly pairs: ItemPairs;
  /** The lower item of each pair. */
  readonly lower: Int32Array;
  /** The higher item of each pair. */
  readonly higher: Int32Array;
  /** |ln of the ratio of the prices| of each pair; `usualPriceGap` where a price is unknown. */
  readonly priceGaps: Float64Array;
  readonly graph: ItemGraph;
}

/** Of candidate pairs, about. */
export const usualPriceGap = 0.6;
/** Added to prices, so that a price of zero has a logarithm and pennies do not make worlds of difference. */
const priceOffset = 0.05;
const priceScale = 0.7;
/** What similar titles count for when prices are worlds apart, as a share of what they count for at one price. */
const anyPriceShare = 0.3 / 1.3;

/** @throws CestaError as `candidatePairs` does. */
export function publicPart(catalogue: Catalogue, candidatesPerItem: number, topItems: readonly number[]): PublicPart {
  const gap = priceGapsOf(catalogue);
  const pairs = candidatePairs(catalogue, candidatesPerItem, topItems, (similarity, first, second) => similarity * priceFactor(gap(first, second)));
  const lower = new Int32Array(pairs.partners.length);
  for (let item = 0; item < pairs.items; item += 1) lower.fill(item, pairs.starts[item], pairs.starts[item + 1]);
  const higher = pairs.partners;
  const priceGaps = Float64Array.from(lower, (item, pair) => gap(item, higher[pair]));
  const edges = Float64Array.from(priceGaps, (value, pair) => (pairs.similarity[pair] * priceFactor(value)) ** 1.5);
  return { pairs, lower, higher, priceGaps, graph: createGraph(pairs.items, lower, higher, edges) };
}

function priceGapsOf({ products }: Catalogue): (first: number, second: number) => number {
  const logPrices = Float64Array.from(products, ({ price }) => (price === undefined ? NaN : portableLog((price + priceOffset) / priceOffset)));
  return (first, second) => {
    const gap = Math.abs(logPrices[first] - logPrices[second]);
    return Number.isNaN(gap) ? usualPriceGap : gap;
  };
}

/** 1 at equal prices, falling to `anyPriceShare`. */
function priceFactor(gap: number): number {
  const scaled = gap / priceScale;
  return anyPriceShare + (1 - anyPriceShare) * portableDecay(scaled * scaled);
}
