/** Ranks with the coordinator's current release at the shop, for pages that a server makes. Knows nobody between two calls. */
import type { Logger } from 'pino';
import { historyOf } from '../../../shared/commerce/history.ts';
import type { StoredVisit } from '../../../shared/commerce/device-history.ts';
import { CestaError, toCestaError } from '../../../shared/protocol/errors.ts';
import type { ShelfEntry, Source } from '../../../shared/ranking/shelf.ts';
import type { Fetch } from '../../http.ts';
import type { Timers } from '../../socket.ts';
import { holdRelease, type HeldRelease } from '../../storefront/release-holder.ts';
import { createReleaseSource } from '../../storefront/release-source.ts';
import { memoryStorage } from '../../storefront/storage.ts';

export interface RankedItem {
  readonly item_id: string;
  readonly title?: string;
  readonly score: number;
  readonly source: Source;
  readonly because: readonly { readonly item_id: string; readonly weight: number }[];
}

export interface RankRequest {
  readonly visits: readonly StoredVisit[];
  /** The item of a product page, or those of a cart. */
  readonly context: readonly string[];
  readonly exclude: readonly string[];
  readonly limit: number;
}

export interface ShopRanking {
  readonly ready: Promise<void>;
  /** Null before the first release. */
  readonly held: HeldRelease | null;
  /** @throws CestaError `release.not-found` before the first release; so do the others */
  recommend(request: RankRequest): RankedItem[];
  similar(itemId: string, limit: number): RankedItem[];
  trending(terms: { readonly category: string | undefined; readonly limit: number }): RankedItem[];
  stop(): void;
}

export interface ShopRankingOptions {
  readonly coordinator: URL;
  readonly coordinatorKey: string | null;
  readonly task?: string;
  readonly logger: Logger;
  readonly fetch?: Fetch;
  readonly timers: Timers;
}

const refreshMs = 60_000;

export function startShopRanking({ coordinator, coordinatorKey, task, logger, fetch = globalThis.fetch, timers }: ShopRankingOptions): ShopRanking {
  const warn = (error: CestaError): void => logger.warn({ code: error.code, reason: error.message }, 'no newer release could be had; ranking goes on with the one in use, if any');
  const holder = holdRelease((onCacheError) => createReleaseSource({ url: String(coordinator), task: task ?? null, precision: 'int8', publicKey: coordinatorKey, storage: memoryStorage(), fetch, onCacheError }));
  let cancel = timers.after(refreshMs, refresh);
  function refresh(): void {
    void holder.refresh().catch((thrown: unknown) => warn(toCestaError(thrown))).finally(() => (cancel = timers.after(refreshMs, refresh)));
  }

  function current(): HeldRelease {
    if (holder.held === null) throw new CestaError('release.not-found', 'release: expected one to rank with, got none yet');
    return holder.held;
  }

  return {
    ready: holder.ready,
    get held() {
      return holder.held;
    },
    recommend({ visits, context, exclude, limit }) {
      const release = current();
      const history = historyOf(visits.map(({ time, items }) => ({ time, items: indexesOf(release, items) })).filter(({ items }) => items.length > 0));
      return presented(release, release.shelf.rank({ history, context: indexesOf(release, context), exclude: indexesOf(release, exclude), limit }));
    },
    similar(itemId, limit) {
      const release = current();
      return presented(release, release.shelf.similar(indexesOf(release, [itemId]), limit));
    },
    trending({ category, limit }) {
      const release = current();
      const outside = category === undefined ? [] : release.catalogue.products.flatMap((product, item) => (product.category?.startsWith(category) === true ? [] : [item]));
      return presented(release, release.shelf.rank({ history: historyOf([]), exclude: outside, limit }));
    },
    stop: () => cancel(),
  };
}

/** Ids that the catalogue does not know have no place in a vector. */
function indexesOf({ catalogue }: HeldRelease, ids: readonly string[]): number[] {
  return ids.map((id) => catalogue.indexOf.get(id)).filter((item) => item !== undefined);
}

function presented({ catalogue: { products } }: HeldRelease, entries: readonly ShelfEntry[]): RankedItem[] {
  return entries.map(({ item, score, source, because }) => ({
    item_id: products[item].id,
    ...(products[item].title === '' ? {} : { title: products[item].title }),
    score,
    source,
    because: because.map((reason) => ({ item_id: products[reason.item].id, weight: reason.weight })),
  }));
}
