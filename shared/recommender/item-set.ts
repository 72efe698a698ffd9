/** The distinct items of a history without allocation: memory is reserved once per model and reused on every call. */
import type { ShopperHistory } from '../commerce/history.ts';

export interface ItemSet {
  /** The distinct items, in order of first touch; valid until the next call of `read`. */
  read(history: ShopperHistory): Int32Array;
  /** Whether the last history read holds the item. */
  has(item: number): boolean;
}

/** Items outside 0..items-1 are passed over: a storefront may hold products younger than the release. */
export function createItemSet(items: number): ItemSet {
  const stamps = new Int32Array(items);
  const members = new Int32Array(items);
  let stamp = 0;
  return {
    read(history) {
      stamp += 1;
      let size = 0;
      for (let position = 0; position < history.items.length; position += 1) {
        const item = history.items[position];
        if (item < 0 || item >= items || stamps[item] === stamp) continue;
        stamps[item] = stamp;
        members[size] = item;
        size += 1;
      }
      return members.subarray(0, size);
    },
    has: (item) => stamp > 0 && stamps[item] === stamp,
  };
}
