/** Rules in the terms of one catalogue: what is hidden, what its score is multiplied by, and how much room a category has. */
import type { Catalogue, Product } from '../commerce/catalogue.ts';
import { matches } from './product-filter.ts';
import type { ShelfRules } from './rules.ts';

export interface AppliedRules {
  /** One entry an item; nonzero may not be on a shelf. */
  readonly hidden: Uint8Array;
  /** One entry an item; null where nothing is boosted. */
  readonly factors: Float32Array | null;
  readonly pins: readonly number[];
  /** Infinity without a bound. */
  readonly maxPerCategory: number;
}

/** All of the rules at once: `only` of each must hold, factors are multiplied, the tightest bound counts. */
export function applyRules({ products, indexOf }: Catalogue, all: readonly ShelfRules[]): AppliedRules {
  const never = all.flatMap((rules) => rules.never ?? []);
  const only = all.map((rules) => rules.only).filter((filter) => filter !== undefined);
  const boosts = all.flatMap((rules) => rules.boost ?? []);
  const hidden = new Uint8Array(products.length);
  if (never.length > 0 || only.length > 0) {
    products.forEach((product, item) => {
      hidden[item] = only.every((filter) => matches(product, filter)) && !never.some((filter) => matches(product, filter)) ? 0 : 1;
    });
  }
  const pins = new Set(all.flatMap((rules) => rules.pin ?? []).map((id) => indexOf.get(id)).filter((item) => item !== undefined));
  return {
    hidden,
    factors: boosts.length === 0 ? null : Float32Array.from(products, (product) => boosts.reduce((factor, { of, factor: own }) => (matches(product, of) ? factor * own : factor), 1)),
    pins: [...pins],
    maxPerCategory: Math.min(...all.map((rules) => rules.maxPerCategory ?? Infinity)),
  };
}

/** In place. Scores of models may be negative, so a factor counts from the lowest one. */
export function boost(scores: Float32Array, factors: Float32Array | null): void {
  if (factors === null) return;
  const lowest = scores.reduce((low, score) => Math.min(low, score), Infinity);
  for (let item = 0; item < scores.length; item += 1) if (factors[item] !== 1) scores[item] = lowest + (scores[item] - lowest) * factors[item];
}

/** How much room each category has left on one shelf. */
export interface Quota {
  has(item: number): boolean;
  take(item: number): void;
  /** Hides, of every category, all but the best that there is room for; `isBetter` orders the items. */
  hideRest(hidden: Uint8Array, isBetter: (item: number, other: number) => boolean): void;
}

export function createQuota(products: readonly Product[], maxPerCategory: number): Quota {
  const taken = new Map<string, number>();
  const roomOf = (category: string): number => maxPerCategory - (taken.get(category) ?? 0);
  return {
    has: (item) => roomOf(products[item].category ?? '') > 0 || products[item].category === undefined,
    take(item) {
      const { category } = products[item];
      if (category !== undefined) taken.set(category, (taken.get(category) ?? 0) + 1);
    },
    hideRest(hidden, isBetter) {
      if (maxPerCategory === Infinity) return;
      const best = new Map<string, number[]>();
      products.forEach(({ category }, item) => {
        if (hidden[item] !== 0 || category === undefined) return;
        const kept = best.get(category) ?? [];
        best.set(category, kept);
        let position = kept.length;
        for (; position > 0 && isBetter(item, kept[position - 1]); position -= 1);
        kept.splice(position, 0, item);
        const dropped = kept.length > roomOf(category) ? kept.pop() : undefined;
        if (dropped !== undefined) hidden[dropped] = 1;
      });
    },
  };
}
