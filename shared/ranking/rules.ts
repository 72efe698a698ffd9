/** Business rules of a shelf, as plain data: what may be on it, and what stands higher than its score alone would put it. */

/** Every condition that is given must hold. */
export interface ProductFilter {
  readonly ids?: readonly string[];
  /** Prefixes of `category`. */
  readonly categories?: readonly string[];
  readonly brands?: readonly string[];
  /** Public shelf price, in the shop's currency. */
  readonly minPrice?: number;
  readonly maxPrice?: number;
}

export interface ShelfRules {
  /** Only these may be on the shelf. */
  readonly only?: ProductFilter;
  /** None of these. */
  readonly never?: readonly ProductFilter[];
  /** In the given order, at the head of the shelf. */
  readonly pin?: readonly string[];
  /** Multiplies by `factor` (0..10) what an item's score has above the lowest. */
  readonly boost?: readonly { readonly of: ProductFilter; readonly factor: number }[];
  /** At most so many of one category. */
  readonly maxPerCategory?: number;
}
