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

export function applyRules({ products, indexOf }: Catalogue, { only, never = [], pin = [], boost: boosts = [], maxPerCategory = Infinity }: ShelfRules): AppliedRules {
  const hidden = new Uint8Array(products.length);
  if (only !== undefined || never.length > 0) {
    products.forEach((product, item) => {
      hidden[item] = (only === undefined || matches(product, only)) && !never.some((filter) => matches(product, filter)) ? 0 : 1;
    });
  }
  const pins = new Set(pin.map((id) => indexOf.get(id)).filter((item) => item !== undefined));
  return {
    hidden,
    factors: boosts.length === 0 ? null : Float32Array.from(products, (product) => boosts.reduce((factor, { of, factor: own }) => (matches(product, of) ? factor * own : factor), 1)),
    pins: [...pins],
    maxPerCategory,
  };
}

/** Both at once: what either hides is hidden, factors are multiplied, the first one's pins stand first, the tighter bound counts. */
export function joinRules(first: AppliedRules, second: AppliedRules): AppliedRules {
  const { hidden, factors } = second;
  return {
    hidden: first.hidden.map((isHidden, item) => isHidden | hidden[item]),
    factors: factors === null ? first.factors : (first.factors?.map((factor, item) => factor * factors[item]) ?? factors),
    pins: [...new Set([...first.pins, ...second.pins])],
    maxPerCategory: Math.min(first.maxPerCategory, second.maxPerCategory),
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

/** Numbers of categories by item; -1 where there is none. */
export function categoriesOf(products: readonly Product[]): Int32Array {
  const numbers = new Map<string, number>();
  return Int32Array.from(products, ({ category }) => {
    if (category === undefined) return -1;
    const number = numbers.get(category) ?? numbers.size;
    numbers.set(category, number);
    return number;
  });
}

export function createQuota(categories: Int32Array, maxPerCategory: number): Quota {
  const taken = new Map<number, number>();
  const roomOf = (category: number): number => (category < 0 ? Infinity : maxPerCategory - (taken.get(category) ?? 0));
  return {
    has: (item) => roomOf(categories[item]) > 0,
    take: (item) => void taken.set(categories[item], (taken.get(categories[item]) ?? 0) + 1),
    hideRest(hidden, isBetter) {
      if (maxPerCategory === Infinity) return;
      const best: number[][] = [];
      for (let item = 0; item < categories.length; item += 1) {
        const category = categories[item];
        if (hidden[item] !== 0 || category < 0) continue;
        const kept = (best[category] ??= []);
        let position = kept.length;
        for (; position > 0 && isBetter(item, kept[position - 1]); position -= 1);
        kept.splice(position, 0, item);
        const dropped = kept.length > roomOf(category) ? kept.pop() : undefined;
        if (dropped !== undefined) hidden[dropped] = 1;
      }
    },
  };
}
