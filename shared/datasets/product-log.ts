/** Collects what the lines of an event file say of their items, and settles it into one catalogue. */
import { createCatalogue } from '../commerce/catalogue.ts';
import type { Catalogue, Product } from '../commerce/catalogue.ts';
import type { Tally } from './complaints.ts';

/** Texts as found; the empty string says nothing. */
export interface ItemFacts {
  readonly title?: string;
  readonly category?: string;
  readonly brand?: string;
  readonly price?: string;
}

export interface ProductLog {
  add(item: string, facts: ItemFacts, line: number): void;
  /** Per item the most frequent title, category and brand (of equals the first met) and the median price. */
  catalogue(): Catalogue;
}

const texts = ['title', 'category', 'brand'] as const;
const longest = { title: 1024, category: 512, brand: 256 } as const;

/** How often each text was met. Nearly every item has one title only, so the first is kept beside the map of the others. */
interface TextCounts {
  readonly first: string;
  firstCount: number;
  others?: Map<string, number>;
}

interface Facts {
  title?: TextCounts;
  category?: TextCounts;
  brand?: TextCounts;
  prices?: number[];
}

export function productLog(tally: Tally): ProductLog {
  const items = new Map<string, Facts>();
  return {
    add(item, facts, line) {
      let known = items.get(item);
      if (known === undefined) items.set(item, (known = {}));
      for (const field of texts) {
        const text = fitText(facts[field] ?? '', field, tally, line);
        if (text !== '') known[field] = countText(known[field], text);
      }
      const price = parsePrice(facts.price ?? '', tally, line);
      if (price !== undefined) (known.prices ??= []).push(price);
    },
    catalogue: () => createCatalogue(Array.from(items, ([id, facts]) => settle(id, facts))),
  };
}

/** A product from what one line says. */
export function productFrom(id: string, facts: ItemFacts, tally: Tally, line: number): Product {
  const price = parsePrice(facts.price ?? '', tally, line);
  const [title, category, brand] = texts.map((field) => fitText(facts[field] ?? '', field, tally, line));
  return { id, title, ...(category !== '' && { category }), ...(brand !== '' && { brand }), ...(price !== undefined && { price }) };
}

function settle(id: string, facts: Facts): Product {
  const category = mostFrequent(facts.category);
  const brand = mostFrequent(facts.brand);
  return {
    id,
    title: mostFrequent(facts.title) ?? '',
    ...(category !== undefined && { category }),
    ...(brand !== undefined && { brand }),
    ...(facts.prices !== undefined && { price: median(facts.prices) }),
  };
}

function countText(counts: TextCounts | undefined, text: string): TextCounts {
  if (counts === undefined) return { first: text, firstCount: 1 };
  if (counts.first === text) {
    counts.firstCount += 1;
  } else {
    counts.others ??= new Map();
    counts.others.set(text, (counts.others.get(text) ?? 0) + 1);
  }
  return counts;
}

function mostFrequent(counts: TextCounts | undefined): string | undefined {
  let best = counts?.first;
  let most = counts?.firstCount ?? 0;
  for (const [text, count] of counts?.others ?? []) {
    if (count > most) [best, most] = [text, count];
  }
  return best;
}

/** The lower of the two middle values of an even number: a price that was really asked. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
}

function fitText(text: string, field: (typeof texts)[number], tally: Tally, line: number): string {
  const trimmed = text.trim();
  if (trimmed.length <= longest[field]) return trimmed;
  tally.complain('long-text', line);
  // A cut must not leave half of a surrogate pair behind.
  return trimmed.slice(0, longest[field]).replace(/[\uD800-\uDBFF]$/, '');
}

function parsePrice(text: string, tally: Tally, line: number): number | undefined {
  if (text.trim() === '') return undefined;
  const price = Number(text);
  if (Number.isFinite(price) && price >= 0) return price;
  tally.complain('bad-price', line);
  return undefined;
}
