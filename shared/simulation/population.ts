/**
 * Virtual shoppers of virtual shops, none of which exists until it is asked for: the cost of a round is that of its cohort. A
 * virtual shopper is a bootstrap draw of a real one: as many as one likes, and no taste that was not there before.
 */
import type { ShopperHistory } from '../commerce/history.ts';

export interface Population {
  readonly shoppers: number;
  readonly shops: number;
  /** The shop of a shopper, 0..shops-1. */
  shopOf(shopper: number): number;
  /** Shoppers of a shop are `first .. first + size - 1`. */
  firstOf(shop: number): number;
  sizeOf(shop: number): number;
  /** Index of the real shopper that a virtual one is a draw of. */
  realOf(shopper: number): number;
  /** Hours to add to UTC where this shop is. */
  utcOffsetHours(shop: number): number;
  /** The shop whose shelves a real shopper sees, for figures by shop. */
  shopOfReal(real: number): number;
}

/** What a population needs to know of the real shoppers, in the order of the data set. */
export interface RealShoppers {
  readonly ids: readonly string[];
  /** Country, in the embedded data. */
  readonly groups: readonly string[];
  readonly histories: readonly ShopperHistory[];
}
