/**
 * Ranking metrics with binary relevance. Per shopper: nDCG (Järvelin and Kekäläinen 2002), recall divided by the
 * best reachable, hit rate. Over all shelves: coverage and the Gini coefficient of how often items are shown.
 */

/** Discounted gain of the first k of the list over the best reachable gain; 0 when nothing is relevant. */
export function ndcg(ranked: ArrayLike<number>, relevant: ReadonlySet<number>, k: number): number {
  let gain = 0;
  let best = 0;
  for (let rank = 0; rank < k; rank += 1) {
    const discount = 1 / Math.log2(rank + 2);
    if (rank < relevant.size) best += discount;
    if (rank < ranked.length && relevant.has(ranked[rank])) gain += discount;
  }
  return best === 0 ? 0 : gain / best;
}

/** Relevant items among the first k, divided by min(k, relevant): 1 is always reachable. */
export function recall(ranked: ArrayLike<number>, relevant: ReadonlySet<number>, k: number): number {
  return relevant.size === 0 ? 0 : hits(ranked, relevant, k) / Math.min(k, relevant.size);
}

/** 1 when at least one of the first k is relevant, else 0. */
export function hitRate(ranked: ArrayLike<number>, relevant: ReadonlySet<number>, k: number): number {
  return hits(ranked, relevant, k) > 0 ? 1 : 0;
}

function hits(ranked: ArrayLike<number>, relevant: ReadonlySet<number>, k: number): number {
  let count = 0;
  for (let rank = 0; rank < Math.min(k, ranked.length); rank += 1) if (relevant.has(ranked[rank])) count += 1;
  return count;
}

/** Share of the rankable items that are shown to anybody. */
export function coverage(shown: Float64Array, rankable: Uint8Array): number {
  let possible = 0;
  let covered = 0;
  for (let item = 0; item < shown.length; item += 1) {
    if (rankable[item] === 0) continue;
    possible += 1;
    if (shown[item] > 0) covered += 1;
  }
  return possible === 0 ? 0 : covered / possible;
}

/** 0 when every rankable item is shown equally often, towards 1 when one item takes every place. */
export function gini(shown: Float64Array, rankable: Uint8Array): number {
  const counts = shown.filter((_, item) => rankable[item] !== 0).sort();
  let total = 0;
  let weighted = 0;
  counts.forEach((count, rank) => {
    total += count;
    weighted += (rank + 1) * count;
  });
  if (total === 0) return 0;
  return (2 * weighted) / (counts.length * total) - (counts.length + 1) / counts.length;
}

export function average(values: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < values.length; index += 1) sum += values[index];
  return values.length === 0 ? 0 : sum / values.length;
}
