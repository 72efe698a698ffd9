/** Which products a rule speaks of. Public catalogue data alone: no filter can tell one shopper from another. */
import type { Product } from '../commerce/catalogue.ts';
import type { ProductFilter } from './rules.ts';

/** A product without the field that a condition asks for does not meet it. */
export function matches({ id, category, brand, price }: Product, { ids, categories, brands, minPrice, maxPrice }: ProductFilter): boolean {
  if (ids !== undefined && !ids.includes(id)) return false;
  if (categories !== undefined && !isBelow(category, categories)) return false;
  if (brands !== undefined && (brand === undefined || !brands.includes(brand))) return false;
  if (minPrice !== undefined && !(price !== undefined && price >= minPrice)) return false;
  return maxPrice === undefined || (price !== undefined && price <= maxPrice);
}

/** Whether a category begins with one of the prefixes. */
export function isBelow(category: string | undefined, prefixes: readonly string[]): boolean {
  return category !== undefined && prefixes.some((prefix) => category.startsWith(prefix));
}
