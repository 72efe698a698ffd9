/**
 * How alike two items look to somebody who reads their cards: category and words of the title, public both. Cheap enough to be
 * asked for every pair of a pool after every event; what models learn from is `text-similarity.ts`.
 */
import type { Product } from '../commerce/catalogue.ts';

/** In 0..1, the same both ways. */
export type Likeness = (item: number, other: number) => number;

interface Card {
  /** Numbers of the words of the title, ascending and distinct. */
  readonly words: Int32Array;
  readonly path: readonly string[];
}

/**
 * The mean of what title and category say; the title alone where neither item has a category. Titles: cosine of the sets of
 * words. Categories: the levels shared from the top, of the deeper one's levels.
 */
export function createLikeness(products: readonly Product[]): Likeness {
  const numbers = new Map<string, number>();
  const cards = new Map<number, Card>();

  function read({ title, category = '' }: Product): Card {
    const words = title.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '').map((word) => {
      const number = numbers.get(word) ?? numbers.size;
      numbers.set(word, number);
      return number;
    });
    return { words: Int32Array.from(new Set(words)).sort(), path: category.split(/[>/|]/).map((level) => level.trim()).filter((level) => level !== '') };
  }

  // Read when first asked for: a visit sees few of the items.
  function cardOf(item: number): Card {
    const known = cards.get(item);
    if (known !== undefined) return known;
    const card = read(products[item]);
    cards.set(item, card);
    return card;
  }

  return (item, other) => {
    const [a, b] = [cardOf(item), cardOf(other)];
    const title = cosine(a.words, b.words);
    const levels = Math.max(a.path.length, b.path.length);
    return levels === 0 ? title : (title + sharedLevels(a.path, b.path) / levels) / 2;
  };
}

function cosine(a: Int32Array, b: Int32Array): number {
  if (a.length === 0 || b.length === 0) return 0;
  let shared = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const order = a[i] - b[j];
    if (order === 0) shared += 1;
    if (order <= 0) i += 1;
    if (order >= 0) j += 1;
  }
  return shared / Math.sqrt(a.length * b.length);
}

function sharedLevels(a: readonly string[], b: readonly string[]): number {
  let shared = 0;
  while (shared < a.length && shared < b.length && a[shared] === b[shared]) shared += 1;
  return shared;
}
