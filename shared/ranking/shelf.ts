/**
 * The shelf: ranked items, each with the reason it is there. Every entry says where it comes from, so that nothing
 * falls back in silence: `personal` and `similar` name the items that speak for them, `popular` and `new` have none.
 * Two stages: one pass over all scores keeps a pool, which is arranged; explanations are made for the pool only.
 */
import type { Catalogue, Product } from '../commerce/catalogue.ts';
import { historyOf, type ShopperHistory } from '../commerce/history.ts';
import type { FederatedModel, Reason } from '../recommender/federated-model.ts';
import { applyRules, boost, categoriesOf, createQuota, type AppliedRules, type Quota } from './applied-rules.ts';
import { diversify, poolSizeFor } from './diversity.ts';
import { createLikeness, type Likeness } from './item-likeness.ts';
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

export interface ShelfTerms {
  readonly limit: number;
  readonly exclude?: Iterable<number>;
  readonly rules?: AppliedRules;
  /** 0, the default: by score alone; 1: as varied as it gets. */
  readonly diversity?: number;
}

export interface ShelfRequest extends ShelfTerms {
  readonly history: ShopperHistory;
  /** The item of a product page, or the items of a cart: what goes with them stands first. */
  readonly context?: readonly number[];
  /** Let items of the history be on the shelf, too. */
  readonly keepHistory?: boolean;
}

export interface Shelf {
  /** A full shelf, as long as there are items left: `similar` entries, then the rest by score. */
  rank(request: ShelfRequest): ShelfEntry[];
  /**
   * A full shelf for nobody in particular: what is popular in the categories of the context, then what is popular anywhere,
   * and every sixth place for an item that nobody bought yet, while there are such; `turn` says which.
   */
  rankForAnybody(terms: ShelfTerms & { readonly context?: readonly number[]; readonly turn?: number }): ShelfEntry[];
  /** What goes with any of these items, and nothing else: may be shorter than `limit`, or empty. */
  similar(items: readonly number[], terms: ShelfTerms): ShelfEntry[];
  /** As `similar`; what more of the items speak for stands first. */
  together(items: readonly number[], terms: ShelfTerms): ShelfEntry[];
}

/** Candidates that are explained: popular items may outrank those that only the context speaks for. */
const explainedCandidates = 200;
/** A person reads no more reasons than this. */
const reasonsPerItem = 3;
/** One place of so many is for an item that nobody bought yet. */
const placesPerNewItem = 6;
const noHistory = historyOf([]);

/** What one release ranks with; the buffers are its own, since calls are synchronous and cannot mix. */
interface Ground {
  readonly products: readonly Product[];
  readonly scores: Float32Array;
  /** Scores without a history. */
  readonly impersonal: Float32Array;
  readonly lowest: number;
  readonly hidden: Uint8Array;
  readonly likeness: Likeness;
  readonly noRules: AppliedRules;
  readonly categories: Int32Array;
  score(history: ShopperHistory): void;
  reasons(history: ShopperHistory, item: number, limit: number): Reason[];
}

/** One shelf while it is filled: candidates, best first. */
interface Pool {
  readonly items: Set<number>;
  readonly size: number;
  readonly pinned: number;
  readonly quota: Quota;
  readonly rules: AppliedRules;
}

/**
 * Ranks with one release.
 * @example
 * const shelf = createShelf(model, params, catalogue);
 * shelf.rank({ history: historyOf([{ time: 0, items: [3] }]), limit: 8 });
 */
export function createShelf<Params>(model: FederatedModel<Params>, params: Params, catalogue: Catalogue): Shelf {
  const ground = groundOf(model, params, catalogue);
  return {
    rank({ history, context = [], keepHistory = false, ...terms }) {
      const pool = open(ground, terms, [context, keepHistory ? [] : history.items]);
      const similar = new Map(besides(ground, pool, context).map((entry) => [entry.item, entry]));
      ground.score(history);
      fill(ground, pool);
      return arrange(ground, pool, terms).map((item) => similar.get(item) ?? explained(ground, history, item));
    },
    rankForAnybody({ context = [], turn = 0, ...terms }) {
      const pool = open(ground, terms, [context]);
      ground.scores.set(ground.impersonal);
      boost(ground.scores, pool.rules.factors);
      top(ground, pool, outsideOf(ground, context));
      top(ground, pool, ground.hidden);
      mixInNew(ground, pool, terms.limit, turn);
      return arrange(ground, pool, terms).map((item) => explained(ground, noHistory, item));
    },
    similar: (items, terms) => arrangeBesides(ground, items, terms, () => 0),
    together: (items, terms) => arrangeBesides(ground, items, terms, (first, second) => second.because.length - first.because.length),
  };
}

function groundOf<Params>(model: FederatedModel<Params>, params: Params, catalogue: Catalogue): Ground {
  const { products } = catalogue;
  const [scores, impersonal] = [new Float32Array(products.length), new Float32Array(products.length)];
  model.score(params, noHistory, impersonal);
  return {
    products, scores, impersonal,
    lowest: impersonal.reduce((low, score) => Math.min(low, score), Infinity),
    hidden: new Uint8Array(products.length),
    likeness: createLikeness(products),
    noRules: applyRules(catalogue, {}),
    categories: categoriesOf(products),
    score: (history) => model.score(params, history, scores),
    reasons: (history, item, limit) => model.explain(params, history, item, limit).filter(({ weight }) => weight > 0),
  };
}

/** Pinned items are in at once; after that, what may not be on the shelf, and what is in, is hidden. */
function open({ categories, hidden, noRules }: Ground, { limit, diversity = 0, exclude = [], rules = noRules }: ShelfTerms, groups: readonly Iterable<number>[]): Pool {
  hidden.set(rules.hidden);
  for (const group of [exclude, ...groups]) for (const item of group) hidden[item] = 1;
  const quota = createQuota(categories, rules.maxPerCategory);
  const items = new Set<number>();
  for (const item of rules.pins) {
    if (hidden[item] !== 0 || !quota.has(item) || items.size === limit) continue;
    items.add(item);
    quota.take(item);
  }
  return { items, size: poolSizeFor(limit, diversity), pinned: items.size, quota, rules };
}

function put({ items, quota }: Pool, item: number): void {
  items.add(item);
  quota.take(item);
}

/**
 * Fills the pool with what goes with the context, best first. Pinned items are among the entries as well: they are better
 * explained by the context than by nothing.
 */
function besides(ground: Ground, pool: Pool, context: readonly number[], reasons = reasonsPerItem): ShelfEntry[] {
  const entries: ShelfEntry[] = [];
  if (context.length === 0) return entries;
  const { scores, hidden } = ground;
  const history = historyOf([{ time: 0, items: context }]);
  ground.score(history);
  boost(scores, pool.rules.factors);
  for (const item of topK(scores, Math.max(explainedCandidates, pool.size), hidden)) {
    const isPinned = pool.items.has(item);
    if (!isPinned && (pool.items.size === pool.size || !pool.quota.has(item))) continue;
    const because = ground.reasons(history, item, reasons);
    if (because.length === 0) continue;
    if (!isPinned) put(pool, item);
    entries.push({ item, score: scores[item], source: 'similar', because });
  }
  return entries;
}

/** `besides` alone, as a shelf; `order` comes before the score. */
function arrangeBesides(ground: Ground, items: readonly number[], terms: ShelfTerms, order: (first: ShelfEntry, second: ShelfEntry) => number): ShelfEntry[] {
  const pool = { ...open(ground, terms, [items]), size: explainedCandidates };
  const pins = [...pool.items];
  const entries = new Map(besides(ground, pool, items, Math.max(reasonsPerItem, items.length)).sort(order).map((entry) => [entry.item, entry]));
  // A pinned item that nothing speaks for is no answer to what goes with these.
  const pinned = pins.filter((item) => entries.has(item));
  const ordered = [...new Set([...pinned, ...entries.keys()])].slice(0, poolSizeFor(terms.limit, terms.diversity ?? 0));
  return arrange(ground, { items: new Set(ordered), pinned: pinned.length }, terms).flatMap((item) => {
    const entry = entries.get(item);
    return entry === undefined ? [] : [{ ...entry, because: entry.because.slice(0, reasonsPerItem) }];
  });
}

/** From `scores`, boosted. */
function fill(ground: Ground, pool: Pool): void {
  boost(ground.scores, pool.rules.factors);
  top(ground, pool, ground.hidden);
}

/** Hides, beside what is hidden, all items but those of the context's categories. */
function outsideOf({ products, hidden }: Ground, context: readonly number[]): Uint8Array {
  const categories = new Set(context.map((item) => products[item].category));
  return hidden.map((isHidden, item) => (products[item].category !== undefined && categories.has(products[item].category) ? isHidden : 1));
}

/** The best by `scores` that the pool has room for. */
function top({ scores, impersonal }: Ground, pool: Pool, hidden: Uint8Array): void {
  const masked = hidden.slice();
  for (const item of pool.items) masked[item] = 1;
  pool.quota.hideRest(masked, (item, other) => scores[item] > scores[other] || (scores[item] === scores[other] && impersonal[item] > impersonal[other]));
  for (const item of bestByBoth(scores, impersonal, pool.size - pool.items.size, masked)) put(pool, item);
}

function arrange({ likeness }: Ground, { items, pinned }: Pick<Pool, 'items' | 'pinned'>, { limit, diversity = 0 }: ShelfTerms): readonly number[] {
  return diversify([...items], limit, diversity, likeness, pinned);
}

function explained(ground: Ground, history: ShopperHistory, item: number): ShelfEntry {
  const because = ground.reasons(history, item, reasonsPerItem);
  const source = because.length > 0 ? 'personal' : ground.impersonal[item] > ground.lowest ? 'popular' : 'new';
  return { item, score: ground.scores[item], source, because };
}

/** Items that nobody bought yet get their places: without those, nobody ever would. */
function mixInNew({ products, impersonal, lowest, hidden }: Ground, pool: Pool, limit: number, turn: number): void {
  const shelf = [...pool.items];
  // Before the first round nothing is popular, and so nothing is new beside it.
  if (shelf.every((item) => impersonal[item] === lowest)) return;
  const fresh = products.flatMap((_, item) => (impersonal[item] === lowest && hidden[item] === 0 && !pool.items.has(item) && pool.quota.has(item) ? [item] : []));
  for (let at = placesPerNewItem - 1; at < limit && fresh.length > 0; at += placesPerNewItem) {
    const [item] = fresh.splice(turn % fresh.length, 1);
    if (at < pool.pinned || !pool.quota.has(item)) continue;
    shelf.splice(at, 0, item);
    pool.quota.take(item);
  }
  pool.items.clear();
  for (const item of shelf) pool.items.add(item);
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
