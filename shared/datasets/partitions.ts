/**
 * Federations made from one data set: every shopper goes to exactly one shop. A federation is a function of
 * the data, the partition and the seed; where a shopper goes depends on no other shopper's data.
 */
import type { Product } from '../commerce/catalogue.ts';
import type { ShopperHistory } from '../commerce/history.ts';
import { seededRandom } from '../numerics/random.ts';
import { CestaError, requireNumber } from '../protocol/errors.ts';
import type { Dataset, Shopper } from './dataset.ts';
import { dirichletShares } from './dirichlet.ts';

/** One list of shoppers a shop, each in the order of the data set; a shop may be empty. */
export type Partition = (dataset: Dataset, seed: number) => Shopper[][];

const maxShops = 65_535;

/**
 * `shopCount` shops of about equal size, by a hash of shopper id and seed: sizes vary like a fair draw.
 * @throws CestaError `config.invalid` unless `shopCount` is an integer in 1..65535.
 * @example
 * const shops = byHash(20)(dataset, 7);
 */
export function byHash(shopCount: number): Partition {
  requireShopCount(shopCount);
  return (dataset, seed) => divide(dataset, shopCount, (shopper) => shopByHash(shopper.id, shopCount, seed));
}

/** Where `byHash` deals a shopper to. */
export function shopByHash(id: string, shopCount: number, seed: number): number {
  return seededRandom(seed, `shop of ${id}`).nextBelow(shopCount);
}

/** One shop per group (country in the embedded data), by name of the group. The seed has no part in it. */
export function byGroup(): Partition {
  return (dataset) => {
    const groups = [...new Set(dataset.shoppers.map((shopper) => shopper.group))].sort();
    const shopOf = new Map(groups.map((group, index) => [group, index]));
    return divide(dataset, groups.length, (shopper) => shopOf.get(shopper.group)!);
  };
}

/**
 * `shopCount` shops with different tastes: each taste is spread over the shops in shares drawn from
 * Dirichlet(alpha), and each shopper goes to a shop by the shares of their taste (Hsu, Qi and Brown 2019,
 * arXiv:1909.06335, with shoppers in place of labelled samples). A shopper's taste is the kind of most of
 * their items; see `itemKinds` for what a kind is.
 *
 * | alpha | shops |
 * |---|---|
 * | 100 and more | alike, about equal in size |
 * | 1 | different in taste and size |
 * | 0.1 and less | nearly every taste in a shop of its own; some shops empty |
 *
 * @throws CestaError `config.invalid` unless `alpha` is in 10^-6..10^6 and `shopCount` an integer in 1..65535.
 */
export function dirichlet(alpha: number, shopCount: number): Partition {
  requireNumber('alpha', alpha, 1e-6, 1e6);
  requireShopCount(shopCount);
  return (dataset, seed) => {
    const kinds = itemKinds(dataset.catalogue.products);
    const shopOf = shopByTaste(alpha, shopCount, seed);
    return divide(dataset, shopCount, (shopper) => shopOf(shopper.id, tasteOf(shopper.history, kinds)));
  };
}

/** Where `dirichlet` deals shoppers to, by id and taste. */
export function shopByTaste(alpha: number, shopCount: number, seed: number): (id: string, taste: string) => number {
  const sharesOf = new Map<string, Float64Array>();
  return (id, taste) => {
    const shares = sharesOf.get(taste) ?? dirichletShares(alpha, shopCount, seededRandom(seed, `shares of ${taste}`));
    sharesOf.set(taste, shares);
    return pick(shares, seededRandom(seed, `shop of ${id}`).nextFloat());
  };
}

/** Kinds made from titles; the rest of the catalogue is one kind more. */
const titleKinds = 20;

/**
 * The kind of each product. With categories: the category's top level (up to the first `>`, `/` or `|`).
 * Without any: the last word of the title, which in English product names is mostly the thing itself (bag,
 * mug, holder), if it is among the 20 most frequent last words; so kinds differ in size as categories do.
 * It is a stand-in that makes shops differ, not a classification.
 */
export function itemKinds(products: readonly Product[]): string[] {
  if (products.some((product) => product.category !== undefined)) {
    return products.map((product) => (product.category ?? '').split(/[>/|]/)[0].trim());
  }
  const lastWords = products.map((product) => product.title.toLowerCase().match(/\p{L}{3,}/gu)?.at(-1) ?? '');
  const counts = new Map<string, number>();
  for (const word of lastWords) counts.set(word, (counts.get(word) ?? 0) + 1);
  counts.delete('');
  const ranked = [...counts].sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1));
  const kept = new Set(ranked.slice(0, titleKinds).map(([word]) => word));
  return lastWords.map((word) => (kept.has(word) ? word : ''));
}

/**
 * The kind most of a shopper's items are of; of equals the first in the order of the alphabet. The rest of the catalogue counts
 * only where there is nothing else: it is most of a catalogue without categories, and would be nearly everybody's taste.
 */
export function tasteOf(history: ShopperHistory, kinds: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const item of history.items) counts.set(kinds[item], (counts.get(kinds[item]) ?? 0) + 1);
  counts.delete('');
  const ranked = [...counts].sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1));
  return ranked[0]?.[0] ?? '';
}

/** The index whose share of [0, 1) holds `draw`. */
function pick(shares: Float64Array, draw: number): number {
  let below = 0;
  for (let index = 0; index < shares.length; index += 1) {
    below += shares[index];
    if (draw < below) return index;
  }
  // Shares sum to 1 only up to rounding.
  return shares.indexOf(shares.reduce((most, share) => Math.max(most, share), 0));
}

function divide(dataset: Dataset, shopCount: number, shopOf: (shopper: Shopper) => number): Shopper[][] {
  const shops = Array.from({ length: shopCount }, (): Shopper[] => []);
  for (const shopper of dataset.shoppers) shops[shopOf(shopper)].push(shopper);
  return shops;
}

function requireShopCount(shopCount: number): void {
  if (!Number.isInteger(shopCount) || shopCount < 1 || shopCount > maxShops) {
    throw new CestaError('config.invalid', `shopCount: expected an integer in 1..${maxShops}, got ${shopCount}`);
  }
}
