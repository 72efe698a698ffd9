/**
 * The shelf: ranked items, each with the reason it is there. Every entry says where it comes from, so that nothing
 * falls back in silence: `personal` and `similar` name the items that speak for them, `popular` and `new` have none.
 * Two stages: one pass over all scores keeps a pool, explanations are made for the pool only.
 */
import { historyOf, type ShopperHistory } from '../commerce/history.ts';
import type { FederatedModel, Reason } from '../recommender/federated-model.ts';
import { topK } from './top-k.ts';

/**
 * personal: the history explains it · similar: the context does · popular: neither does, the release ranks it above
 * others for anybody · new: nothing in the release speaks for it, as for an item that nobody bought yet.
 */
export type Source = 'personal' | 'similar' | 'popular' | 'new';

export interface ShelfEntry {
  /** Item index of the catalogue. */
  readonly item: number;
  readonly score: number;
  readonly source: Source;
  /** Strongest first. */
  readonly because: readonly Reason[];
}

export interface ShelfRequest {
  readonly history: ShopperHistory;
  /** The item of a product page, or the items of a cart: what goes with them stands first. */
  readonly context?: readonly number[];
  readonly exclude?: Iterable<number>;
  /** Let items of the history be on the shelf, too. */
  readonly keepHistory?: boolean;
  readonly limit: number;
}

export interface Shelf {
  /** A full shelf, as long as there are items left: `similar` entries, then the rest by score. */
  rank(request: ShelfRequest): ShelfEntry[];
  /** What goes with these items and nothing else: may be shorter than `limit`, or empty. */
  similar(items: readonly number[], limit: number, exclude?: Iterable<number>): ShelfEntry[];
}

/** Candidates that are explained: popular items may outrank those that only the context speaks for. */
const poolSize = 200;
/** A person reads no more reasons than this. */
const reasonsPerItem = 3;
const noHistory = historyOf([]);

/**
 * Ranks with one release. Holds buffers of its own: a call is synchronous, so calls cannot mix.
 * @example
 * const shelf = createShelf(model, params, catalogue.products.length);
 * shelf.rank({ history: historyOf([{ time: 0, items: [3] }]), limit: 8 });
 */
export function createShelf<Params>(model: FederatedModel<Params>, params: Params, itemCount: number): Shelf {
  const scores = new Float32Array(itemCount);
  const impersonal = new Float32Array(itemCount);
  const hidden = new Uint8Array(itemCount);
  model.score(params, noHistory, impersonal);
  const lowest = impersonal.reduce((low, score) => Math.min(low, score), Infinity);

  function reasonsFor(history: ShopperHistory, item: number): Reason[] {
    return model.explain(params, history, item, reasonsPerItem).filter(({ weight }) => weight > 0);
  }

  /** What goes with the context and is not hidden. */
  function besides(context: readonly number[], limit: number): ShelfEntry[] {
    const entries: ShelfEntry[] = [];
    if (context.length === 0) return entries;
    const history = historyOf([{ time: 0, items: context }]);
    model.score(params, history, scores);
    for (const item of topK(scores, Math.max(poolSize, limit), hidden)) {
      const because = reasonsFor(history, item);
      if (because.length > 0) entries.push({ item, score: scores[item], source: 'similar', because });
      if (entries.length === limit) break;
    }
    return entries;
  }

  function explained(history: ShopperHistory, item: number): ShelfEntry {
    const because = reasonsFor(history, item);
    const source = because.length > 0 ? 'personal' : impersonal[item] > lowest ? 'popular' : 'new';
    return { item, score: scores[item], source, because };
  }

  return {
    similar(items, limit, exclude = []) {
      hide(hidden, [exclude, items]);
      return besides(items, limit);
    },
    rank({ history, context = [], exclude = [], keepHistory = false, limit }) {
      hide(hidden, [exclude, context, keepHistory ? [] : history.items]);
      const entries = besides(context, limit);
      for (const { item } of entries) hidden[item] = 1;
      model.score(params, history, scores);
      for (const item of bestByBoth(scores, impersonal, limit - entries.length, hidden)) entries.push(explained(history, item));
      return entries;
    },
  };
}

function hide(hidden: Uint8Array, groups: readonly Iterable<number>[]): void {
  hidden.fill(0);
  for (const group of groups) for (const item of group) hidden[item] = 1;
}

/**
 * The best by score, equal ones by what they score without a history: a history says nothing about most of a large
 * catalogue, and those items stand in the order of their popularity rather than of their ids.
 */
function bestByBoth(scores: Float32Array, impersonal: Float32Array, limit: number, hidden: Uint8Array): number[] {
  const best = topK(scores, limit, hidden);
  const last = scores[best[best.length - 1]];
  const tied = hidden.map((isHidden, item) => (isHidden !== 0 || scores[item] !== last ? 1 : 0));
  const above = [...best.filter((item) => scores[item] > last)];
  return [...above, ...topK(impersonal, best.length - above.length, tied)].sort((a, b) => scores[b] - scores[a] || impersonal[b] - impersonal[a] || a - b);
}
