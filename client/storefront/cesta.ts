/**
 * The storefront SDK: fetches a verified release and ranks in the shopper's browser. What a shopper does stays in
 * this page's memory (degree 1, "this visit"): it is never stored, never sent, and gone with the tab. Keeping it on
 * the device or helping to train needs the shopper's consent and is not part of this module.
 */
import type { Manifest } from '../../shared/federation/release.ts';
import { kernelKind, type KernelKind } from '../../shared/kernels/simd.ts';
import { CestaError, requireNumber } from '../../shared/protocol/errors.ts';
import type { ShelfEntry, Source } from '../../shared/ranking/shelf.ts';
import { precisions, type Precision } from '../../shared/recommender/quantised-rows.ts';
import type { Fetch } from '../http.ts';
import { holdRelease, type HeldRelease } from './release-holder.ts';
import { createReleaseSource, precisionOf, type LoadedRelease } from './release-source.ts';
import { memoryStorage, type StorefrontStorage } from './storage.ts';
import { createVisitLog, type EventName, type TrackedItem, type VisitCounts } from './visit.ts';

export interface CestaOptions {
  /** Where the coordinator's documents are served, such as `/cesta` behind the shop's own server. */
  readonly url: string;
  /** The task whose releases are wanted; by default the main one of the coordinator. */
  readonly task?: string;
  /**
   * Of the numbers in tables of item rows, if the model has such: `int8`, the default, is a quarter of the bytes of
   * `float32`, which has the very numbers that shops train from.
   */
  readonly precision?: Precision;
  /** The key releases must be signed with; without it the first key seen is trusted and pinned in `storage`. */
  readonly publicKey?: string;
  /** For public documents between visits; by default memory. */
  readonly storage?: StorefrontStorage;
  readonly fetch?: Fetch;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
}

/** home: for this shopper · product: what goes with one item first · cart: what goes with the items given first. */
export type Surface = 'home' | 'product' | 'cart';

export interface RecommendRequest {
  /** By default `product` with an item, else `home`. */
  readonly surface?: Surface;
  /** The item of a product page. */
  readonly item?: string;
  /** The items of a cart. */
  readonly items?: readonly string[];
  readonly limit: number;
  /** Ids that must not be on the shelf, beside those the shopper has touched in this visit. */
  readonly exclude?: readonly string[];
  /** Show items the shopper has touched, too. */
  readonly repeat?: boolean;
}

export interface ShelfItem {
  readonly item_id: string;
  readonly title?: string;
  /** In the model's own units; comparable within one source of one shelf. */
  readonly score: number;
  /** personal: the visit explains it · similar: the item or cart asked about does · popular, new: nothing personal does. */
  readonly source: Source;
  /** The items that speak for it, strongest first; empty for `popular` and `new`. */
  readonly because: readonly { readonly item_id: string; readonly weight: number }[];
}

export type ReleaseInfo = Pick<Manifest, 'task' | 'version' | 'createdAt' | 'shoppers' | 'cohort' | 'privacy' | 'metrics'> & {
  readonly kind: Manifest['model']['kind'];
  /** Of the file in use. */
  readonly sha256: string;
  /** `float32` also where `int8` was asked for, and the model has no tables of item rows. */
  readonly precision: Precision;
  readonly from: HeldRelease['from'];
};

export interface Cesta {
  /** Resolves when there is a verified release to rank with, be it an older one; rejects when there is none. */
  readonly ready: Promise<void>;
  /** The release in use; null before `ready`. */
  readonly release: ReleaseInfo | null;
  /** What went wrong last, though a good release may be in use; null after a refresh without trouble. */
  readonly lastError: CestaError | null;
  /** What multiplies item rows in this page: plain code where a policy forbids WebAssembly. Slower, with the same shelves. */
  readonly kernels: KernelKind;
  /** What is known of this visit: all of it in memory. */
  readonly visit: VisitCounts;
  /** Notes a GA4 ecommerce event. @throws CestaError `usage.invalid` */
  track(event: EventName, items: readonly TrackedItem[]): void;
  /** A full shelf, synchronously and on the device. @throws CestaError `release.not-found` before `ready`, `usage.invalid` */
  recommend(request: RecommendRequest): ShelfItem[];
  /** Items that go with one item; fewer than `limit`, or none, when the release knows no more. */
  similar(itemId: string, limit: number): ShelfItem[];
  /** Asks for a newer release. Rejects, and keeps the one in use, when what comes does not verify. */
  refresh(): Promise<void>;
}

/**
 * @example
 * const cesta = createCesta({ url: '/cesta' });
 * await cesta.ready;
 * cesta.track('view_item', [{ item_id: 'sku-7' }]);
 * const shelf = cesta.recommend({ item: 'sku-7', limit: 8 });
 * @throws CestaError `usage.invalid` for a precision that there is not
 */
export function createCesta(options: CestaOptions): Cesta {
  const { url, task = null, precision = 'int8', publicKey = null, storage = memoryStorage(), now = () => Date.now() } = options;
  const fetch: Fetch = options.fetch ?? ((address, init) => globalThis.fetch(address, init));
  if (!precisions.includes(precision)) throw new CestaError('usage.invalid', `precision: expected one of ${precisions.join(', ')}, got ${JSON.stringify(precision)}`);
  const visit = createVisitLog();
  const holder = holdRelease((onCacheError) => createReleaseSource({ url, task, precision, publicKey, storage, fetch, onCacheError }));

  function current(): HeldRelease {
    if (holder.held === null) throw new CestaError('release.not-found', 'release: expected one to rank with, got none yet; await cesta.ready');
    return holder.held;
  }

  return {
    ready: holder.ready,
    get release() {
      return holder.held === null ? null : describe(holder.held);
    },
    get lastError() {
      return holder.lastError;
    },
    get kernels() {
      return kernelKind();
    },
    get visit() {
      return visit.counts(holder.held?.catalogue ?? null);
    },
    track: (event, items) => visit.track(event, items, now()),
    recommend(request) {
      const release = current();
      const hidden = [...(request.exclude ?? []), ...(request.repeat === true ? [] : visit.touched())];
      const entries = release.shelf.rank({
        history: visit.history(release.catalogue),
        context: indexesOf(release, contextOf(request)),
        exclude: indexesOf(release, hidden),
        keepHistory: request.repeat === true,
        limit: limitOf(request.limit),
      });
      return entries.map((entry) => present(release, entry));
    },
    similar(itemId, limit) {
      const release = current();
      const entries = release.shelf.similar(indexesOf(release, [itemId]), limitOf(limit));
      return entries.map((entry) => present(release, entry));
    },
    refresh: () => holder.refresh(),
  };
}

/** Ids that the catalogue does not know have no place in a vector. */
function indexesOf({ catalogue }: LoadedRelease, ids: readonly string[]): number[] {
  return ids.map((id) => catalogue.indexOf.get(id)).filter((item) => item !== undefined);
}

function limitOf(limit: number): number {
  return Math.floor(requireNumber('limit', limit, 1, 1_000, 'usage.invalid'));
}

/** The items a shelf stands beside. A surface that does not fit the request is an error, not a guess. */
function contextOf({ surface, item, items }: RecommendRequest): readonly string[] {
  const wanted = surface ?? (item === undefined ? (items === undefined ? 'home' : 'cart') : 'product');
  switch (wanted) {
    case 'home':
      if (item !== undefined || items !== undefined) throw new CestaError('usage.invalid', 'item, items: expected none on the surface home, got some');
      return [];
    case 'product':
      if (item === undefined || items !== undefined) throw new CestaError('usage.invalid', 'item: expected one id, and no items, on the surface product');
      return [item];
    case 'cart':
      if (item !== undefined || items === undefined) throw new CestaError('usage.invalid', 'items: expected the ids of the cart, and no item, on the surface cart');
      return items;
    default:
      throw new CestaError('usage.invalid', `surface: expected home, product or cart, got ${JSON.stringify(wanted satisfies never)}`);
  }
}

function present({ catalogue: { products } }: LoadedRelease, { item, score, source, because }: ShelfEntry): ShelfItem {
  const { id, title } = products[item];
  return {
    item_id: id,
    ...(title === '' ? {} : { title }),
    score,
    source,
    because: because.map((reason) => ({ item_id: products[reason.item].id, weight: reason.weight })),
  };
}

function describe({ manifest, sha256, from }: HeldRelease): ReleaseInfo {
  const { task, version, createdAt, shoppers, cohort, privacy, metrics, model } = manifest;
  return { task, version, createdAt, shoppers, cohort, privacy, metrics, kind: model.kind, sha256, precision: precisionOf(manifest), from };
}
