/**
 * How far shelves lean on what sells anyway. The popularity of an item is the number of training shoppers who have it, however
 * often: shelves of the same items measure the same whether a wholesaler or a hundred households bought them.
 */
import { distinctItems, type ShopperHistory } from '../commerce/history.ts';
import { average } from './metrics.ts';

/** Training shoppers who have each item; one entry an item. */
export function itemShoppers(training: readonly ShopperHistory[], items: number): Float64Array {
  const counts = new Float64Array(items);
  for (const history of training) for (const item of distinctItems(history)) counts[item] += 1;
  return counts;
}

/**
 * 1 for items of the long tail: all but the smallest set of most popular items (ties: lower index first) that has at least
 * `headShare` of all pairs of shopper and item. The cut at 80 % is that of Abdollahpouri, Burke and Mobasher (2017, 2019).
 */
export function longTail(popularity: Float64Array, headShare = 0.8): Uint8Array {
  const order = Array.from(popularity.keys()).sort((a, b) => popularity[b] - popularity[a] || a - b);
  let left = popularity.reduce((sum, count) => sum + count, 0) * headShare;
  const tail = new Uint8Array(popularity.length).fill(1);
  for (const item of order) {
    if (!(left > 0)) break;
    tail[item] = 0;
    left -= popularity[item];
  }
  return tail;
}

/** Average percentage of long-tail items: their share of each shelf, mean over the shelves (Abdollahpouri et al. 2017). */
export function tailShare(shelves: readonly Int32Array[], tail: Uint8Array): number {
  return meanOver(shelves, (item) => tail[item]);
}

/**
 * Mean self-information of the items of each shelf, -log2 of the share of training shoppers who have the item, in bits; mean over
 * the shelves (Zhou et al. 2010; Vargas and Castells 2011). An item that nobody has counts as one that one shopper has.
 * @param shoppers Training shoppers with any item.
 */
export function novelty(shelves: readonly Int32Array[], popularity: Float64Array, shoppers: number): number {
  return meanOver(shelves, (item) => Math.log2(shoppers / Math.max(1, popularity[item])));
}

/**
 * By how much shelves are more popular than the histories they were made for: (GAP of shelves - GAP of histories) / GAP of
 * histories, GAP being the popularity of an item, averaged over a list and then over the lists (Abdollahpouri, Mansoury, Burke
 * and Mobasher 2019, 2020). 0: as popular as what the shoppers had; 1: twice as popular; negative: less popular.
 */
export function popularityLift(shelves: readonly Int32Array[], histories: readonly ShopperHistory[], popularity: Float64Array): number {
  const had = meanOver(histories.map(distinctItems), (item) => popularity[item]);
  return had === 0 ? 0 : meanOver(shelves, (item) => popularity[item]) / had - 1;
}

/** The mean over the items of each list, then over the lists that have any. */
function meanOver(lists: readonly Int32Array[], value: (item: number) => number): number {
  return average(lists.filter(({ length }) => length > 0).map((list) => average(Array.from(list, value))));
}
