/** A weighted graph over items with rows that sum to 1: what smoothing walks along. */

export interface ItemGraph {
  readonly items: number;
  readonly starts: Int32Array;
  readonly partners: Int32Array;
  readonly weights: Float64Array;
}

/** @param weights One an edge, not negative; an edge of weight 0 is none. */
export function createGraph(items: number, lower: Int32Array, higher: Int32Array, weights: Float64Array): ItemGraph {
  const starts = new Int32Array(items + 1);
  const totals = new Float64Array(items);
  weights.forEach((weight, edge) => {
    if (weight === 0) return;
    for (const item of [lower[edge], higher[edge]]) {
      starts[item + 1] += 1;
      totals[item] += weight;
    }
  });
  for (let item = 0; item < items; item += 1) starts[item + 1] += starts[item];
  const next = starts.slice();
  const partners = new Int32Array(starts[items]);
  const normalised = new Float64Array(starts[items]);
  const put = (item: number, partner: number, weight: number): void => {
    partners[next[item]] = partner;
    normalised[next[item]++] = weight / totals[item];
  };
  weights.forEach((weight, edge) => {
    if (weight === 0) return;
    put(lower[edge], higher[edge], weight);
    put(higher[edge], lower[edge], weight);
  });
  return { items, starts, partners, weights: normalised };
}

/** The weighted mean of each item's neighbours; `otherwise` for an item without any. */
export function neighbourMeans({ items, starts, partners, weights }: ItemGraph, values: Float64Array, otherwise: number): Float64Array {
  const means = new Float64Array(items);
  for (let item = 0; item < items; item += 1) {
    if (starts[item] === starts[item + 1]) {
      means[item] = otherwise;
      continue;
    }
    let sum = 0;
    for (let edge = starts[item]; edge < starts[item + 1]; edge += 1) sum += weights[edge] * values[partners[edge]];
    means[item] = sum;
  }
  return means;
}
