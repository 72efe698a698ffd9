/** The shop's products: the public catalogue that everything here is about, made fit to read, and searched in this page. */
import { signal } from '@preact/signals';
import type { Product as CatalogueProduct } from '../../../../shared/commerce/catalogue.ts';
import { departmentOf, type Department } from './departments.ts';

export interface Product {
  readonly id: string;
  readonly title: string;
  /** In pounds. */
  readonly price: number;
  readonly department: Department;
}

/** By id; empty until it has come. */
export const products = signal<ReadonlyMap<string, Product>>(new Map());

/** Rejects where there is no catalogue yet. */
export async function loadProducts(url: string): Promise<void> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`products: expected status 200, got ${answer.status}`);
  const listed = (await answer.json()) as readonly CatalogueProduct[];
  products.value = new Map(listed.map(({ id, title = '', price = 0 }) => [id, { id, title: readable(title, id), price, department: departmentOf(title.toLowerCase()) }]));
}

/** Titles come in capitals. */
export function readable(title: string, id: string): string {
  const text = title.toLowerCase().trim();
  return text === '' ? id : text[0].toUpperCase() + text.slice(1);
}

export interface Search {
  readonly text: string;
  readonly department: Department | null;
}

/** Every word is somewhere in the title. */
export function search({ text, department }: Search): readonly Product[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return [...products.value.values()].filter((product) => (department === null || product.department === department) && words.every((word) => product.title.toLowerCase().includes(word)));
}
