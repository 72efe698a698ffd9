/**
 * Public similarity of items from their catalogue text: TF-IDF over words, word bigrams and character 4-grams
 * (weighting as in Manning, Raghavan and Schütze 2008, chapter 6), cosine by an inverted index, and the candidate
 * pairs: the union of each item's most similar items. Costs no privacy, since only public text is read.
 * Every machine derives the same pairs: logarithms come from exact IEEE operations, sums run in one order, and
 * equal similarities are ordered by item index.
 */
import type { Catalogue, Product } from '../commerce/catalogue.ts';
import { createPairs, type ItemPairs } from './item-pairs.ts';
import { portableLog } from './portable-math.ts';

/** How many most similar items of each item become candidate pairs. */
export const candidatesPerItem = 20;
const gramWeight = 0.5;
const gramLength = 4;

/** One item's terms: ids ascending, with L2-normalised weights. */
interface TermVectors {
  /** Where each item starts in `terms` and `weights`; items + 1 entries. */
  readonly starts: Int32Array;
  readonly terms: Int32Array;
  readonly weights: Float64Array;
  readonly termCount: number;
}

/** Whether the catalogue says anything in words, so that items can be compared without shopper data; prices alone do not. */
export function hasText(catalogue: Catalogue): boolean {
  return catalogue.products.some(({ title, category = '', brand = '' }) => wordsOf(`${title} ${category} ${brand}`).length > 0);
}

/** How near two items are, given their text similarity: at most that similarity, and above 0. */
export type Affinity = (similarity: number, first: number, second: number) => number;

/**
 * The candidate pairs of a catalogue with text, with their cosine similarity: each item's nearest by `affinity`,
 * which is the similarity itself by default.
 * @example
 * const pairs = similarPairs(createCatalogue([
 *   { id: 'a', title: 'red tea cup' }, { id: 'b', title: 'blue tea cup' }, { id: 'c', title: 'garden gnome' }]));
 * pairs.partners; // Int32Array [1]: only items 0 and 1 share terms
 */
export function similarPairs(catalogue: Catalogue, perItem = candidatesPerItem, affinity: Affinity = (similarity) => similarity): ItemPairs {
  const vectors = termVectors(catalogue.products);
  const items = catalogue.products.length;
  const postings = invert(vectors, items);
  const kept = { first: [] as number[], second: [] as number[], similarity: [] as number[] };
  const scores = new Float64Array(items);
  const touched = new Int32Array(items);
  for (let item = 0; item < items; item += 1) {
    let touchedCount = 0;
    for (let entry = vectors.starts[item]; entry < vectors.starts[item + 1]; entry += 1) {
      const weight = vectors.weights[entry];
      const term = vectors.terms[entry];
      for (let posting = postings.starts[term]; posting < postings.starts[term + 1]; posting += 1) {
        const other = postings.items[posting];
        if (scores[other] === 0) touched[touchedCount++] = other;
        scores[other] += weight * postings.weights[posting];
      }
    }
    scores[item] = 0;
    for (const other of nearest(item, scores, touched.subarray(0, touchedCount), perItem, affinity)) {
      kept.first.push(Math.min(item, other));
      kept.second.push(Math.max(item, other));
      kept.similarity.push(scores[other]);
    }
    for (let position = 0; position < touchedCount; position += 1) scores[touched[position]] = 0;
  }
  return createPairs(items, kept.first, kept.second, kept.similarity);
}

/** The `limit` touched items nearest to `item`, best first; equal ones by lower index. */
function nearest(item: number, similarities: Float64Array, touched: Int32Array, limit: number, affinity: Affinity): number[] {
  const best: number[] = [];
  const values: number[] = [];
  for (const other of touched) {
    const similarity = similarities[other];
    // Most items stop here, since no affinity exceeds its similarity.
    if (similarity === 0 || (best.length === limit && similarity < values[limit - 1])) continue;
    const value = affinity(similarity, item, other);
    let position = best.length;
    for (; position > 0 && precedes(value, other, values[position - 1], best[position - 1]); position -= 1);
    if (position === limit) continue;
    best.splice(position, 0, other);
    values.splice(position, 0, value);
    best.length = values.length = Math.min(best.length, limit);
  }
  return best;
}

function precedes(score: number, item: number, otherScore: number, other: number): boolean {
  return score > otherScore || (score === otherScore && item < other);
}

/** Terms of one product with how often each occurs. */
function termsOf(product: Product): Map<string, number> {
  const terms = new Map<string, number>();
  const add = (term: string): void => void terms.set(term, (terms.get(term) ?? 0) + 1);
  const words = wordsOf(product.title);
  words.forEach((word, position) => {
    add(`w ${word}`);
    if (position > 0) add(`b ${words[position - 1]} ${word}`);
  });
  const text = words.join(' ');
  for (let start = 0; start + gramLength <= text.length; start += 1) add(`g ${text.slice(start, start + gramLength)}`);
  for (const part of product.category?.split(/[>/|]/) ?? []) if (part.trim() !== '') add(`c ${part.trim().toLowerCase()}`);
  if (product.brand !== undefined) add(`m ${product.brand.toLowerCase()}`);
  return terms;
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
}

function termVectors(products: readonly Product[]): TermVectors {
  const counts = products.map(termsOf);
  const documentFrequency = new Map<string, number>();
  for (const terms of counts) for (const term of terms.keys()) documentFrequency.set(term, (documentFrequency.get(term) ?? 0) + 1);
  const ids = new Map<string, number>();
  for (const [term, frequency] of documentFrequency) if (frequency >= 2) ids.set(term, ids.size);
  const starts = new Int32Array(products.length + 1);
  const terms: number[] = [];
  const weights: number[] = [];
  counts.forEach((own, item) => {
    const entries = [...own].filter(([term]) => ids.has(term)).map(([term, count]) => {
      const kindWeight = term.startsWith('g ') ? gramWeight : 1;
      const rarity = portableLog(products.length / (documentFrequency.get(term) ?? 1));
      return { id: ids.get(term) ?? 0, weight: kindWeight * (1 + portableLog(count)) * rarity };
    }).sort((a, b) => a.id - b.id);
    const norm = Math.sqrt(entries.reduce((sum, { weight }) => sum + weight * weight, 0));
    for (const { id, weight } of entries) {
      terms.push(id);
      weights.push(norm > 0 ? weight / norm : 0);
    }
    starts[item + 1] = terms.length;
  });
  return { starts, terms: Int32Array.from(terms), weights: Float64Array.from(weights), termCount: ids.size };
}

/** Items by term. */
function invert(vectors: TermVectors, items: number): { starts: Int32Array; items: Int32Array; weights: Float64Array } {
  const starts = new Int32Array(vectors.termCount + 1);
  for (const term of vectors.terms) starts[term + 1] += 1;
  for (let term = 0; term < vectors.termCount; term += 1) starts[term + 1] += starts[term];
  const next = starts.slice();
  const members = new Int32Array(vectors.terms.length);
  const weights = new Float64Array(vectors.terms.length);
  for (let item = 0; item < items; item += 1) {
    for (let entry = vectors.starts[item]; entry < vectors.starts[item + 1]; entry += 1) {
      const position = next[vectors.terms[entry]]++;
      members[position] = item;
      weights[position] = vectors.weights[entry];
    }
  }
  return { starts, items: members, weights };
}
