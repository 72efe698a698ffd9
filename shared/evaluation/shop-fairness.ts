/**
 * How unequally shops are served. A shop's figure is the mean over its test shoppers, so figures of small shops differ by chance
 * alone: shops with few test shoppers are left out, and the spread of the others still holds some of that chance.
 */
import { average } from './metrics.ts';

/** Shops with fewer test shoppers say more of these shoppers than of the shop. */
export const minTestShoppers = 5;

export interface ShopFigures {
  /** Shops that count, in ascending order of their figure, and the figures. */
  readonly shops: Int32Array;
  readonly figures: Float64Array;
  /** Shops that have a test shopper, but fewer than {@link minTestShoppers}. */
  readonly leftOut: number;
}

/**
 * Mean value of each shop.
 * @param values One a test shopper.
 * @param shops The shop of each, in the same order.
 */
export function shopFigures(values: Float64Array, shops: Int32Array): ShopFigures {
  const byShop = new Map<number, number[]>();
  values.forEach((value, at) => {
    const known = byShop.get(shops[at]);
    if (known === undefined) byShop.set(shops[at], [value]);
    else known.push(value);
  });
  const counted = [...byShop].filter(([, own]) => own.length >= minTestShoppers).map(([shop, own]) => ({ shop, figure: average(own) }));
  counted.sort((a, b) => a.figure - b.figure || a.shop - b.shop);
  return { shops: Int32Array.from(counted, ({ shop }) => shop), figures: Float64Array.from(counted, ({ figure }) => figure), leftOut: byShop.size - counted.length };
}

/** Mean figure of the worst tenth of the shops, rounded down, but at least one; every shop counts once, large or small. Null without shops. */
export function worstDecile({ figures }: ShopFigures): number | null {
  return figures.length === 0 ? null : average(figures.subarray(0, Math.max(1, Math.floor(figures.length / 10))));
}

/** Standard deviation of the figures over the shops; null for fewer than two. */
export function shopSpread({ figures }: ShopFigures): number | null {
  if (figures.length < 2) return null;
  const mean = average(figures);
  return Math.sqrt(average(figures.map((figure) => (figure - mean) ** 2)));
}
