/**
 * Item-to-item weights in compressed rows: row i says how much an item i in the history speaks for each other item.
 * What `ease`, `slist` and `item-knn` release, and what `neighbours` scores with.
 */
import * as z from 'zod/mini';
import type { NamedTensors } from '../protocol/tensors.ts';
import type { Reason } from './federated-model.ts';
import { itemIndexes, requireRows, requireTensor, vector, type SparseRows } from './tensor-checks.ts';

/** How many weights into each item are released. */
export const topWeightsSchema = z.union([z.literal('all'), z.int().check(z.gte(1))]);

export interface ItemWeights extends SparseRows {
  readonly items: number;
  readonly weights: Float32Array;
}

/** Adds `factor` times row `item` to the scores. */
export function addRow(weights: ItemWeights, item: number, factor: number, scores: Float32Array): void {
  const { starts, partners, weights: values } = weights;
  const end = starts[item + 1];
  for (let entry = starts[item]; entry < end; entry += 1) scores[partners[entry]] += factor * values[entry];
}

/** The weight from one item to another by bisection; 0 where there is none. */
export function weightBetween(weights: ItemWeights, from: number, to: number): number {
  let low = weights.starts[from];
  let high = weights.starts[from + 1] - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const partner = weights.partners[middle];
    if (partner === to) return weights.weights[middle];
    if (partner < to) low = middle + 1;
    else high = middle - 1;
  }
  return 0;
}

/** The items that speak for `item`, strongest first; equal weights by lower index. */
export function reasonsFor(weights: ItemWeights, history: Int32Array, item: number, limit: number, factorOf: (item: number) => number): Reason[] {
  const reasons: Reason[] = [];
  for (const source of history) {
    const weight = source === item ? 0 : weightBetween(weights, source, item) * factorOf(source);
    if (weight > 0) reasons.push({ item: source, weight });
  }
  reasons.sort((a, b) => b.weight - a.weight || a.item - b.item);
  return reasons.slice(0, limit);
}

/** No weight at all: the parameters before any round. */
export function noWeights(items: number): ItemWeights {
  return { items, starts: new Int32Array(items + 1), partners: itemIndexes(0, items), weights: new Float32Array(0) };
}

/**
 * Keeps the weights of largest magnitude into each item (equal magnitudes by lower source), drops zeros and the
 * diagonal.
 * @param dense Row-major: `dense[i * items + j]` is the weight from i to j.
 */
export function strongestWeights(dense: Float64Array, items: number, perItem: number | 'all'): ItemWeights {
  const kept = new Uint8Array(items * items);
  const magnitudes = new Float64Array(items);
  const starts = new Int32Array(items + 1);
  for (let target = 0; target < items; target += 1) {
    for (let source = 0; source < items; source += 1) magnitudes[source] = source === target ? 0 : Math.abs(dense[source * items + target]);
    let cut = 0;
    let tiesLeft = items;
    if (perItem !== 'all' && perItem < items) {
      const descending = magnitudes.slice().sort().reverse();
      cut = descending[perItem - 1];
      tiesLeft = perItem - descending.indexOf(cut);
    }
    for (let source = 0; source < items; source += 1) {
      if (magnitudes[source] === 0 || magnitudes[source] < cut) continue;
      if (magnitudes[source] === cut && tiesLeft-- <= 0) continue;
      kept[source * items + target] = 1;
      starts[source + 1] += 1;
    }
  }
  for (let item = 0; item < items; item += 1) starts[item + 1] += starts[item];
  const partners = itemIndexes(starts[items], items);
  const weights = new Float32Array(starts[items]);
  let entry = 0;
  for (let position = 0; position < kept.length; position += 1) {
    if (kept[position] === 0) continue;
    partners[entry] = position % items;
    weights[entry] = dense[position];
    entry += 1;
  }
  return { items, starts, partners, weights };
}

export function encodeWeights(weights: ItemWeights): NamedTensors {
  return { weight_starts: vector(weights.starts), weight_partners: vector(weights.partners), weights: vector(weights.weights) };
}

/** @throws CestaError `release.untrusted` */
export function decodeWeights(tensors: NamedTensors, items: number): ItemWeights {
  const rows = requireRows(tensors, 'weight', items);
  return { items, ...rows, weights: requireTensor(tensors, 'weights', Float32Array, rows.partners.length) };
}
