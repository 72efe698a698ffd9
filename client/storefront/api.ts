/**
 * What a storefront sees of the SDK: types alone. One object for a page, synchronous where it ranks, promises where a network or
 * a disk is asked, and no class to extend.
 */
import type { Degree } from '../../shared/commerce/consent.ts';
import type { ConsentReceipt } from '../../shared/commerce/consent-receipt.ts';
import type { SignalName } from '../../shared/commerce/consent-signals.ts';
import type { EventName, Interests, TrackedItem } from '../../shared/commerce/device-events.ts';
import type { ShopperSettings, Surface } from '../../shared/commerce/preferences.ts';
import type { Manifest } from '../../shared/federation/release.ts';
import type { KernelKind } from '../../shared/kernels/simd.ts';
import type { CestaError } from '../../shared/protocol/errors.ts';
import type { ShelfRules } from '../../shared/ranking/rules.ts';
import type { Source } from '../../shared/ranking/shelf.ts';
import type { Precision } from '../../shared/recommender/quantised-rows.ts';
import type { Fetch } from '../http.ts';
import type { StorefrontStorage } from './storage.ts';
import type { TakePartOptions } from './take-part.ts';

export type { ShopperSettings, SignalName };

export interface CestaOptions {
  /** Where the coordinator's documents are served, such as `/cesta` behind the shop's own server. */
  readonly url: string;
  /** Where the shop node's storefront API is served: signs consent receipts. Null, the default: consent is kept without one. */
  readonly shop?: string | null;
  /** What the shopper is shown before a choice; consent to an older version does not count. */
  readonly notice?: Notice;
  /** Before the shopper chose: 0, or 1 where the law lets a shop begin with this visit. */
  readonly defaultDegree?: 0 | 1;
  /** The task whose releases are wanted; by default the main one of the coordinator. */
  readonly task?: string;
  readonly precision?: Precision;
  /** The key releases must be signed with; without it the first key seen is trusted and pinned in `storage`. */
  readonly publicKey?: string;
  /** For public documents between visits; by default memory. */
  readonly storage?: StorefrontStorage;
  /** In force on every shelf of this page, together with those of a request. Rules that are none reject `ready`. */
  readonly rules?: ShelfRules;
  /** Categories (prefixes of `product.category`) that are not ranked with, never a reason, and never reminded of. */
  readonly sensitive?: readonly string[];
  /** How a device of degree 3 takes part; the rest follows from this object. */
  readonly takePart?: Pick<TakePartOptions, 'coordinatorKey' | 'tasks' | 'witnesses' | 'workerUrl' | 'wasmPaths' | 'backend' | 'maxDelta'>;
  readonly fetch?: Fetch;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
}

export interface Notice {
  readonly version: string;
  /** Of the long form. */
  readonly url?: string;
}

export interface ShelfOptions {
  readonly limit: number;
  /** Ids that must not be on the shelf. */
  readonly exclude?: readonly string[];
  readonly rules?: ShelfRules;
}

export interface RecommendRequest extends ShelfOptions {
  /** By default `product` with an item, `cart` with items, else `home`. */
  readonly surface?: Surface;
  /** The item of a product page. */
  readonly item?: string;
  /** The items of a cart. */
  readonly items?: readonly string[];
  /** Show items the shopper has touched, too. */
  readonly repeat?: boolean;
  /** 0: by score alone; 1: as varied as it gets; by default what the shopper set. */
  readonly diversity?: number;
}

export interface ShelfItem {
  readonly item_id: string;
  readonly title?: string;
  readonly category?: string;
  readonly price?: number;
  /** In the model's own units; comparable within one source of one shelf. */
  readonly score: number;
  /** personal: the history explains it · similar: the item or cart asked about does · popular, new: nothing personal does. */
  readonly source: Source;
  /** The items that speak for it, strongest first; empty for `popular` and `new`. */
  readonly because: readonly { readonly item_id: string; readonly title?: string; readonly weight: number }[];
}

/**
 * The release that shelves are ranked with.
 * @interface
 */
export type ReleaseInfo = Pick<Manifest, 'task' | 'version' | 'createdAt' | 'shoppers' | 'cohort' | 'privacy' | 'metrics'> & {
  readonly kind: Manifest['model']['kind'];
  /** Of the file in use. */
  readonly sha256: string;
  readonly precision: Precision;
  readonly from: 'network' | 'cache';
};

export interface ConsentRequest {
  readonly degree: Degree;
  /** The version of the notice that was shown; needed to raise the degree. */
  readonly notice?: string;
  /** The person saw that Global Privacy Control is on, and raises the degree all the same. */
  readonly despiteGpc?: boolean;
}

/** Everything the privacy panel shows, as it is. */
export interface PrivacyState {
  /** In force: what was chosen, held down by signals. */
  readonly degree: Degree;
  /** Null before a choice. */
  readonly chosen: Degree | null;
  readonly cap: { readonly degree: Degree; readonly by: SignalName } | null;
  readonly notice: Notice | null;
  readonly stored: { readonly events: number; readonly items: number; readonly place: 'nowhere' | 'memory' | 'device' };
  /** Bytes of bodies and frames that told anybody anything about this shopper, in this page. */
  readonly sent: { readonly bytes: number; readonly messages: number };
  readonly epsilon: { readonly spent: number; readonly bound: number; readonly delta: number };
  /** The last round this device's report was accepted in, over all visits; null before any. */
  readonly lastRound: string | null;
  /** What the device is doing in the federation just now. */
  readonly participation: 'off' | 'connecting' | 'waiting' | 'training' | 'reported' | 'ended' | 'failed';
  readonly receipts: readonly ConsentReceipt[];
  readonly settings: ShopperSettings;
}

/** What changed; shelves are made again on each of them. */
export type CestaChange = 'release' | 'history' | 'privacy' | 'settings';

export interface Cesta {
  /** Resolves when there is a verified release to rank with, be it an older one; rejects when there is none. */
  readonly ready: Promise<void>;
  /** Resolves when what this device kept is in memory; what is tracked before is not lost. */
  readonly loaded: Promise<void>;
  /** The release in use; null before `ready`. */
  readonly release: ReleaseInfo | null;
  /** What went wrong last, though a good release may be in use; null after a refresh without trouble. */
  readonly lastError: CestaError | null;
  /** What multiplies item rows in this page; null before `ready`, and for models without such rows. */
  readonly kernels: KernelKind | null;
  readonly privacy: PrivacyState;
  /** Notes a GA4 ecommerce event; nothing at all at degree 0. @throws CestaError `usage.invalid` */
  track(event: EventName, items: readonly TrackedItem[]): void;
  /** Hears GA4 events pushed to the page's `dataLayer`, earlier ones included. Returns what stops it. */
  listenToDataLayer(dataLayer: unknown[]): () => void;
  /** A full shelf, synchronously and on the device. @throws CestaError `release.not-found` before `ready`, `usage.invalid` */
  recommend(request: RecommendRequest): ShelfItem[];
  /** Items that go with one item; fewer than `limit`, or none, when the release knows no more. */
  similar(itemId: string, options: ShelfOptions): ShelfItem[];
  /** What everybody buys now, of one category or all. */
  trending(options: ShelfOptions & { readonly category?: string }): ShelfItem[];
  /** What goes with all these items together. */
  boughtTogether(itemIds: readonly string[], options: ShelfOptions): ShelfItem[];
  /** Newest first; empty at degree 0. */
  recentlyViewed(options: ShelfOptions): ShelfItem[];
  /** Whether the item is of a `sensitive` category. @throws CestaError `release.not-found` where it cannot be known yet */
  isSensitive(itemId: string): boolean;
  /** Asks for a newer release. Rejects, and keeps the one in use, when what comes does not verify. */
  refresh(): Promise<void>;
  /**
   * The only way to another degree. Lowering is in force before this returns, and nothing can make it fail: a round is left,
   * below 2 what the device kept is erased. Raising needs the version of the notice, and, with `shop`, its signed receipt.
   * @throws CestaError `consent.notice`, `consent.capped`, `network.unreachable`
   */
  consent(request: ConsentRequest): Promise<ConsentReceipt | null>;
  /** @throws CestaError `usage.invalid` */
  set(settings: Partial<ShopperSettings>): void;
  /** Off every shelf, and out of the history. */
  notInterested(itemId: string): void;
  removeFromHistory(itemId: string): void;
  /** What the shelves know of this shopper, to look at and to correct. */
  interests(): Interests;
  /** Everything about this shopper that this device holds. */
  export(): Promise<ShopperExport>;
  /** What `export` gave, here or elsewhere; needs a degree of at least 1. @throws CestaError `data.unreadable`, `consent.needed` */
  import(exported: unknown): Promise<void>;
  /** Erases history, settings and receipts, and goes to degree 0. What this device spent stays on record: see `ShopperExport`. */
  forget(): Promise<void>;
  /** Returns what unsubscribes. */
  subscribe(listener: (change: CestaChange) => void): () => void;
  /** Ends what this object started: a seat in a round, listeners. */
  close(): Promise<void>;
}

/** As JSON. */
export interface ShopperExport {
  readonly format: 'cesta/shopper/1';
  /** ISO 8601. */
  readonly exportedAt: string;
  readonly degree: Degree;
  readonly interests: Interests;
  readonly settings: ShopperSettings;
  readonly consentReceipts: readonly ConsentReceipt[];
  /** What the device reported to rounds, without any item: kept through `forget`, since it is what limits it. */
  readonly spends: readonly unknown[];
  readonly roundReceipts: readonly unknown[];
  /** What was noted of experiments and measured offers, and reported of them; null of nothing. */
  readonly measured: unknown;
}
