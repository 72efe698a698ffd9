/** Business rules of a shelf, as plain data: what may be on it, and what stands higher than its score alone would put it. */
import * as z from 'zod/mini';
import { CestaError } from '../protocol/errors.ts';

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
  /** In the given order, at the head of the shelf, unless they may not be on it. */
  readonly pin?: readonly string[];
  /** Multiplies by `factor` (0..10) what an item's score has above the lowest. */
  readonly boost?: readonly { readonly of: ProductFilter; readonly factor: number }[];
  /** At most so many of one category; items without a category are not counted. */
  readonly maxPerCategory?: number;
}

const strings = z.optional(z.array(z.string()));
const price = z.optional(z.number().check(z.nonnegative()));
const filterSchema = z.strictObject({ ids: strings, categories: strings, brands: strings, minPrice: price, maxPrice: price });

export const shelfRulesSchema = z.strictObject({
  only: z.optional(filterSchema),
  never: z.optional(z.array(filterSchema)),
  pin: strings,
  boost: z.optional(z.array(z.strictObject({ of: filterSchema, factor: z.number().check(z.gte(0), z.lte(10)) }))),
  maxPerCategory: z.optional(z.int().check(z.gte(1))),
});

/**
 * A misspelt rule is an error, not a rule that holds for nothing.
 * @throws CestaError `usage.invalid`
 */
export function parseShelfRules(rules: unknown): ShelfRules {
  const parsed = shelfRulesSchema.safeParse(rules);
  if (!parsed.success) throw new CestaError('usage.invalid', `rules: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  return parsed.data as ShelfRules;
}
