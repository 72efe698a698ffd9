/**
 * Ranks with the coordinator's current release at the shop, for pages that a server makes: the shelves of the storefront, for
 * a guest who is somebody for the length of one call.
 */
import type { Logger } from 'pino';
import type { Degree } from '../../../shared/commerce/consent.ts';
import { meaningOf, type StoredEvent } from '../../../shared/commerce/device-events.ts';
import { visitsOf } from '../../../shared/commerce/device-history.ts';
import { defaultSurfaces } from '../../../shared/commerce/preferences.ts';
import { directivesOf, type Policy, type ProductField } from '../../../shared/policy/policy.ts';
import { isAllowed } from '../../../shared/policy/checks.ts';
import { CestaError, toCestaError } from '../../../shared/protocol/errors.ts';
import type { Fetch } from '../../http.ts';
import type { Timers } from '../../socket.ts';
import type { RecommendRequest, ShelfItem } from '../../storefront/api.ts';
import { holdRelease, type HeldRelease } from '../../storefront/release-holder.ts';
import { createReleaseSource } from '../../storefront/release-source.ts';
import { createShelves, type ReadShopper, type Shelves } from '../../storefront/shelves.ts';
import { memoryStorage } from '../../storefront/storage.ts';

/** Whom a shelf is for. */
export interface Guest {
  readonly degree: Degree;
  readonly events: readonly StoredEvent[];
}

export interface ShopRanking extends Pick<Shelves, 'similar' | 'trending'> {
  readonly ready: Promise<void>;
  /** Null before the first release. */
  readonly held: HeldRelease | null;
  /** @throws CestaError `release.not-found` before the first release, as the others; `usage.invalid` */
  recommend(request: RecommendRequest, guest: Guest): ShelfItem[];
  stop(): void;
}

export interface ShopRankingOptions {
  readonly coordinator: URL;
  readonly coordinatorKey: string | null;
  readonly task?: string;
  /** What it bans is on no shelf, whatever the release knows. */
  readonly policy?: Policy;
  readonly logger: Logger;
  readonly fetch?: Fetch;
  readonly timers: Timers;
}

const refreshMs = 60_000;
const nobody: Guest = { degree: 0, events: [] };
const none: ReadonlySet<string> = new Set();

export function startShopRanking({ coordinator, coordinatorKey, task, policy, logger, fetch = globalThis.fetch, timers }: ShopRankingOptions): ShopRanking {
  let guest = nobody;
  let shelves: Shelves | null = null;
  /** Products of the release that the policy bans. */
  let banned = none;
  const withheld = policy === undefined ? [] : directivesOf(policy, 'banned-field').map(({ value }) => value);
  const permitted = (events: readonly StoredEvent[]): readonly StoredEvent[] => events.filter(({ item_id: id }) => !banned.has(id));
  const reader: ReadShopper = {
    get degree() {
      return guest.degree;
    },
    privacy: { settings: { diversity: 0, surfaces: defaultSurfaces } },
    visits: () => visitsOf(permitted(guest.events)),
    touched: () => new Set(guest.events.filter((event) => meaningOf(event) !== 'shown').map(({ item_id: id }) => id)),
    unwanted: () => none,
    resting: () => none,
    viewed: () => [],
  };
  const openSource = (onCacheError: (error: CestaError) => void) => createReleaseSource({ url: String(coordinator), task: task ?? null, precision: 'int8', publicKey: coordinatorKey, storage: memoryStorage(), fetch, onCacheError });
  const holder = holdRelease(openSource, () => (shelves = null));
  const stop = refreshEvery(() => holder.refresh(), logger, timers);

  /** Made once a release: shelves hold what they computed of the catalogue. */
  function current(): Shelves {
    if (holder.held === null) throw new CestaError('release.not-found', 'release: expected one to rank with, got none yet');
    if (shelves !== null) return shelves;
    const { products } = holder.held.catalogue;
    banned = policy === undefined ? none : new Set(products.filter((product) => !isAllowed(policy, product)).map(({ id }) => id));
    return (shelves = createShelves(holder.held, reader, { rules: { never: [{ ids: [...banned] }] }, sensitive: [] }));
  }
  const present = (items: readonly ShelfItem[]): ShelfItem[] => items.map((item) => screenedItem(item, banned, withheld));

  return {
    stop,
    ready: holder.ready,
    get held() {
      return holder.held;
    },
    recommend(request, asking) {
      // Ranking is synchronous: nobody else can ask meanwhile.
      guest = asking;
      try {
        return present(current().recommend(request));
      } finally {
        guest = nobody;
      }
    },
    similar: (itemId, terms) => present(current().similar(itemId, terms)),
    trending: (terms) => present(current().trending(terms)),
  };
}

/** Without banned fields, and without reasons that name what is banned. */
function screenedItem({ title, category, price, because, ...item }: ShelfItem, banned: ReadonlySet<string>, withheld: readonly ProductField[]): ShelfItem {
  const kept = <T extends object>(field: ProductField, value: T): T | Record<never, never> => (withheld.includes(field) ? {} : value);
  return {
    ...item,
    ...(title === undefined ? {} : kept('title', { title })),
    ...(category === undefined ? {} : kept('category', { category })),
    ...(price === undefined ? {} : kept('price', { price })),
    because: because.filter(({ item_id: id }) => !banned.has(id)).map(({ title: name, ...reason }) => ({ ...reason, ...(name === undefined ? {} : kept('title', { title: name })) })),
  };
}

/** Returns what stops it. */
function refreshEvery(refresh: () => Promise<void>, logger: Logger, timers: Timers): () => void {
  let isStopped = false;
  let cancel = timers.after(refreshMs, again);
  function again(): void {
    void refresh().catch((thrown: unknown) => {
      const { code, message } = toCestaError(thrown);
      logger.warn({ code, reason: message }, 'no newer release could be had; ranking goes on with the one in use, if any');
    }).finally(() => {
      if (!isStopped) cancel = timers.after(refreshMs, again);
    });
  }
  return () => {
    isStopped = true;
    cancel();
  };
}
