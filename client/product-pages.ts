/** A shop's products, cut into messages that the coordinator accepts: bounded in count and in bytes. */
import type { Product } from '../shared/commerce/catalogue.ts';
import { maxFrameBytes, productsPerMessage } from '../shared/protocol/messages.ts';

/** Leaves room for the envelope of the message around the products. */
const maxPageBytes = maxFrameBytes - 4_096;

export interface ProductPage {
  readonly products: readonly Product[];
  readonly last: boolean;
}

/** At least one page, even for no products: the last page is what tells the coordinator that all are there. */
export function productPages(products: readonly Product[]): ProductPage[] {
  const encoder = new TextEncoder();
  const pages: Product[][] = [[]];
  let pageBytes = 0;
  for (const product of products) {
    const bytes = encoder.encode(JSON.stringify(product)).length + 1;
    if (pages[pages.length - 1].length === productsPerMessage || pageBytes + bytes > maxPageBytes) {
      pages.push([]);
      pageBytes = 0;
    }
    pages[pages.length - 1].push(product);
    pageBytes += bytes;
  }
  return pages.map((page, index) => ({ products: page, last: index === pages.length - 1 }));
}
