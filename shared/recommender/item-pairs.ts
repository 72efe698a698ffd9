/**
 * A public set of unordered item pairs in one layout: rows by the lower item, partners ascending. The position of
 * a pair in this layout is its coordinate in the statistic, so the order may never depend on how the set was found.
 */
import { CestaError } from '../protocol/errors.ts';

export interface ItemPairs {
  readonly items: number;
  /** Where each item's pairs start; items + 1 entries. Row i holds pairs (i, j) with i < j. */
  readonly starts: Int32Array;
  /** The higher item of each pair. */
  readonly partners: Int32Array;
  /** Public similarity of each pair, 0 where nothing is known. */
  readonly similarity: Float32Array;
}

/** Builds the layout from pairs in any order; a pair may occur more than once, with one similarity. */
export function createPairs(items: number, lower: ArrayLike<number>, higher: ArrayLike<number>, similarity: ArrayLike<number>): ItemPairs {
  const byPartner = stableOrder(higher, identity(lower.length), items);
  const order = stableOrder(lower, byPartner, items);
  const starts = new Int32Array(items + 1);
  const partners = new Int32Array(order.length);
  const similarities = new Float32Array(order.length);
  let size = 0;
  let previous = -1;
  for (const source of order) {
    const isRepeat = previous >= 0 && lower[previous] === lower[source] && higher[previous] === higher[source];
    previous = source;
    if (isRepeat) continue;
    if (!(lower[source] >= 0 && lower[source] < higher[source] && higher[source] < items)) {
      throw new CestaError('internal', `pair: expected 0 <= lower < higher < ${items}, got (${lower[source]}, ${higher[source]})`);
    }
    partners[size] = higher[source];
    similarities[size] = similarity[source];
    starts[lower[source] + 1] += 1;
    size += 1;
  }
  for (let item = 0; item < items; item += 1) starts[item + 1] += starts[item];
  return { items, starts, partners: partners.slice(0, size), similarity: similarities.slice(0, size) };
}

/** Every pair among the given items, without similarity: for catalogues that say nothing in words. */
export function allPairsAmong(items: number, members: Iterable<number>): ItemPairs {
  const sorted = [...new Set(members)].sort((a, b) => a - b);
  const lower: number[] = [];
  const higher: number[] = [];
  sorted.forEach((first, position) => {
    for (let next = position + 1; next < sorted.length; next += 1) {
      lower.push(first);
      higher.push(sorted[next]);
    }
  });
  return createPairs(items, lower, higher, new Float32Array(lower.length));
}

function identity(length: number): Int32Array {
  return Int32Array.from({ length }, (_, index) => index);
}

/** Counting sort of `order` by `keys` (each in 0..bound-1), keeping the order of equal keys. */
function stableOrder(keys: ArrayLike<number>, order: Int32Array, bound: number): Int32Array {
  const next = new Int32Array(bound + 1);
  for (const source of order) next[keys[source] + 1] += 1;
  for (let key = 0; key < bound; key += 1) next[key + 1] += next[key];
  const sorted = new Int32Array(order.length);
  for (const source of order) sorted[next[keys[source]]++] = source;
  return sorted;
}
