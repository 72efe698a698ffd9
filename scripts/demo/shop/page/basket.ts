/** The basket, in this page's memory: it is gone with the tab, and nobody else hears of it. */
import { computed, signal } from '@preact/signals';
import { products, type Product } from './products.ts';

const quantities = signal<ReadonlyMap<string, number>>(new Map());

export interface Line {
  readonly product: Product;
  readonly quantity: number;
}

export const lines = computed(() => [...quantities.value].flatMap(([id, quantity]): Line[] => {
  const product = products.value.get(id);
  return product === undefined ? [] : [{ product, quantity }];
}));
export const total = computed(() => lines.value.reduce((sum, { product, quantity }) => sum + product.price * quantity, 0));
export const itemCount = computed(() => lines.value.reduce((sum, { quantity }) => sum + quantity, 0));

/** Nothing is left of a product at a quantity of 0. */
export function setQuantity(id: string, quantity: number): void {
  const next = new Map(quantities.value);
  if (quantity > 0) next.set(id, quantity);
  else next.delete(id);
  quantities.value = next;
}

export function quantityOf(id: string): number {
  return quantities.value.get(id) ?? 0;
}

export function emptyBasket(): void {
  quantities.value = new Map();
}
