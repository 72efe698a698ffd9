/** Which pairs of items are worth counting privately, decided from public data alone. */
import type { Catalogue } from '../commerce/catalogue.ts';
import { CestaError } from '../protocol/errors.ts';
import { allPairsAmong, type ItemPairs } from './item-pairs.ts';
import { hasText, similarPairs, type Affinity } from './text-similarity.ts';

/** Beyond so many pairs the noise hides the signal, and a small federation has nothing to say on most of them. */
export const maxUntitledPairs = 100_000;

/**
 * `text`: items that are similar in words are paired. `all-pairs`: nothing is said in words, but the catalogue is
 * small enough to count every pair. `top-items`: neither, so a first private count (model `popularity`) must name
 * at most `limit` items for `topItems` in the plan.
 */
export type CandidateSource = { readonly kind: 'text' } | { readonly kind: 'all-pairs' } | { readonly kind: 'top-items'; readonly limit: number };

/**
 * @example
 * const source = candidateSource(catalogue);
 * if (source.kind === 'top-items') hyperParameters.topItems = mostPopular(firstRound.popularity, source.limit);
 */
export function candidateSource(catalogue: Catalogue): CandidateSource {
  if (hasText(catalogue)) return { kind: 'text' };
  const items = catalogue.products.length;
  if ((items * (items - 1)) / 2 <= maxUntitledPairs) return { kind: 'all-pairs' };
  return { kind: 'top-items', limit: Math.floor((1 + Math.sqrt(1 + 8 * maxUntitledPairs)) / 2) };
}

/**
 * @param affinity What decides which items are nearest to one, where the catalogue has text.
 * @param topItems Item indexes from a private count; empty where `candidateSource` asks for none. Where given they
 *   take the place of the text.
 * @throws CestaError `model.unusable` when the catalogue needs top items and there are none; `config.invalid` when
 *   they are outside the catalogue or too many.
 */
export function candidatePairs(catalogue: Catalogue, candidatesPerItem: number, topItems: readonly number[], affinity?: Affinity): ItemPairs {
  const items = catalogue.products.length;
  if (topItems.length > 0) {
    const outside = topItems.find((item) => item >= items);
    if (outside !== undefined) throw new CestaError('config.invalid', `topItems: expected item indexes below ${items}, got ${outside}`);
    const pairs = (topItems.length * (topItems.length - 1)) / 2;
    if (pairs > maxUntitledPairs) throw new CestaError('config.invalid', `topItems: expected at most ${maxUntitledPairs} pairs, got ${pairs}`);
    return allPairsAmong(items, topItems);
  }
  const source = candidateSource(catalogue);
  switch (source.kind) {
    case 'text':
      return similarPairs(catalogue, candidatesPerItem, affinity);
    case 'all-pairs':
      return allPairsAmong(items, catalogue.products.keys());
    case 'top-items':
      throw new CestaError('model.unusable', `neighbours: expected topItems (at most ${source.limit}) for ${items} products without text, got none`);
    default:
      return source satisfies never;
  }
}
