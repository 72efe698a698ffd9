/** The catalogue: public product data, the coordinate system every model and every vector is laid out in. */
import * as z from 'zod/mini';
import { canonicalJson } from '../protocol/canonical-json.ts';
import { CestaError } from '../protocol/errors.ts';
import { sha256Hex } from '../protocol/digest.ts';

/** Merchant-feed field names; only `id` is needed. Unknown fields are stripped. */
export const productSchema = z.object({
  id: z.string().check(z.minLength(1), z.maxLength(256)),
  title: z._default(z.string().check(z.maxLength(1024)), ''),
  category: z.optional(z.string().check(z.maxLength(512))),
  brand: z.optional(z.string().check(z.maxLength(256))),
  /** In the shop's own currency; public shelf price, never what a shopper paid. */
  price: z.optional(z.number().check(z.nonnegative())),
});

/**
 * A product as the public knows it.
 * @interface
 */
export type Product = Readonly<z.infer<typeof productSchema>>;

export interface Catalogue {
  /** Sorted by id, so that the same set of products always has the same layout and hash. */
  readonly products: readonly Product[];
  /** Item index of an id. */
  readonly indexOf: ReadonlyMap<string, number>;
  /** SHA-256 of the canonical JSON of `products`, lower-case hex. */
  readonly hash: string;
}

/**
 * Builds a catalogue in its one layout. Later products with an id already seen are refused.
 * @throws CestaError `catalogue.invalid`
 */
export function createCatalogue(products: Iterable<Product>): Catalogue {
  const sorted = [...products].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const indexOf = new Map<string, number>();
  for (const [index, product] of sorted.entries()) {
    if (indexOf.has(product.id)) throw new CestaError('catalogue.invalid', `products: expected distinct ids, got ${JSON.stringify(product.id)} twice`);
    indexOf.set(product.id, index);
  }
  return { products: sorted, indexOf, hash: sha256Hex(new TextEncoder().encode(canonicalJson(sorted))) };
}

/** Parses what came from a file or from the wire. */
export function parseCatalogue(products: unknown): Catalogue {
  const parsed = z.array(productSchema).safeParse(products);
  if (!parsed.success) {
    throw new CestaError('catalogue.invalid', `catalogue: expected a list of products, got ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  }
  return createCatalogue(parsed.data);
}

/** The union of what several shops publish: the first shop in the given order to name an id describes it. */
export function uniteCatalogues(published: Iterable<readonly Product[]>): Catalogue {
  const united = new Map<string, Product>();
  for (const products of published) {
    for (const product of products) if (!united.has(product.id)) united.set(product.id, product);
  }
  return createCatalogue(united.values());
}
