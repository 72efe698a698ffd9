/**
 * The shelves of a storefront over one release, in the ids of its products. Reads what the shopper lets this page know, and
 * asks nobody else: a shelf after an event is as far away as one call.
 */
import { historyOf, type ShopperHistory } from '../../shared/commerce/history.ts';
import type { Surface } from '../../shared/commerce/preferences.ts';
import { CestaError, requireNumber } from '../../shared/protocol/errors.ts';
import { applyRules, joinRules, type AppliedRules } from '../../shared/ranking/applied-rules.ts';
import { isBelow } from '../../shared/ranking/product-filter.ts';
import { parseShelfRules, type ShelfRules } from '../../shared/ranking/rules.ts';
import { createShelf, type ShelfEntry, type ShelfTerms } from '../../shared/ranking/shelf.ts';
import type { Cesta, RecommendRequest, ShelfItem, ShelfOptions, ShopperSettings } from './api.ts';
import type { LoadedRelease } from './release-source.ts';
import type { Shopper } from './shopper.ts';

export type Shelves = Pick<Cesta, 'recommend' | 'similar' | 'trending' | 'boughtTogether' | 'recentlyViewed' | 'isSensitive'>;

export interface ShelvesOptions {
  /** Of the page. */
  readonly rules: ShelfRules;
  /** Categories that are never a reason, and never reminded of. */
  readonly sensitive: readonly string[];
}

type RankedRelease = Pick<LoadedRelease, 'model' | 'params' | 'catalogue'> & { readonly manifest: Pick<LoadedRelease['manifest'], 'version'> };

/** What shelves read of a shopper. */
export interface ReadShopper extends Pick<Shopper, 'degree' | 'visits' | 'touched' | 'unwanted' | 'resting' | 'viewed'> {
  readonly privacy: { readonly settings: Pick<ShopperSettings, 'diversity' | 'surfaces'> };
}

export function createShelves({ model, params, catalogue, manifest }: RankedRelease, shopper: ReadShopper, options: ShelvesOptions): Shelves {
  const { products } = catalogue;
  const shelf = createShelf(model, params, catalogue);
  const pageRules = applyRules(catalogue, options.rules);
  const isSensitive = Uint8Array.from(products, ({ category }) => (isBelow(category, options.sensitive) ? 1 : 0));
  const present = (entries: readonly ShelfEntry[]): ShelfItem[] => entries.map((entry) => presented(catalogue, isSensitive, entry));

  /** Ids that the catalogue does not know have no place in a vector. */
  function indexesOf(ids: Iterable<string>): number[] {
    return [...ids].map((id) => catalogue.indexOf.get(id)).filter((item) => item !== undefined);
  }

  /** What may be a reason: a history without sensitive items, which are not even ranked with. */
  function historyOn(surface: Surface): ShopperHistory {
    const visits = shopper.visits(surface).map(({ time, items }) => ({ time, items: indexesOf(items).filter((item) => isSensitive[item] === 0) }));
    return historyOf(visits.filter(({ items }) => items.length > 0));
  }

  function rulesOf(own: unknown): AppliedRules {
    return own === undefined ? pageRules : joinRules(pageRules, applyRules(catalogue, parseShelfRules(own)));
  }

  function termsOf({ limit, exclude = [], rules }: ShelfOptions, hidden: Iterable<string>, diversity = shopper.privacy.settings.diversity): ShelfTerms {
    return { limit: limitOf(limit), rules: rulesOf(rules), exclude: indexesOf([...exclude, ...hidden]), diversity: requireNumber('diversity', diversity, 0, 1, 'usage.invalid') };
  }

  const unseen = (): string[] => [...shopper.unwanted(), ...shopper.resting()];
  const reminders = (touched: ReadonlySet<string>): string[] => products.filter(({ id }, item) => isSensitive[item] !== 0 && touched.has(id)).map(({ id }) => id);

  return {
    isSensitive: (itemId) => isSensitive[catalogue.indexOf.get(itemId) ?? -1] === 1,
    recommend(request) {
      const { surface, context: ids } = contextOf(request);
      const touched = shopper.touched(surface);
      const repeats = request.repeat === true;
      const terms = termsOf(request, [...unseen(), ...(repeats ? reminders(touched) : touched)], request.diversity);
      const context = indexesOf(ids);
      if (!isPersonal(shopper, surface)) return present(shelf.rankForAnybody({ ...terms, context, turn: manifest.version }));
      return present(shelf.rank({ ...terms, history: historyOn(surface), context, keepHistory: repeats }));
    },
    similar: (itemId, request) => present(shelf.similar(indexesOf([itemId]), termsOf(request, unseen()))),
    boughtTogether: (itemIds, request) => present(shelf.together(indexesOf(itemIds), termsOf(request, unseen()))),
    trending({ category, ...request }) {
      const terms = termsOf(request, unseen());
      const { hidden } = terms.rules ?? pageRules;
      const outside = category === undefined ? hidden : hidden.map((isHidden, item) => (isBelow(products[item].category, [category]) ? isHidden : 1));
      return present(shelf.rank({ ...terms, history: historyOf([]), rules: { ...(terms.rules ?? pageRules), hidden: outside } }));
    },
    recentlyViewed({ limit, exclude = [], rules }) {
      const { hidden } = rulesOf(rules);
      const gone = new Set(indexesOf([...exclude, ...shopper.unwanted()]));
      const viewed = indexesOf(shopper.viewed()).filter((item) => hidden[item] === 0 && isSensitive[item] === 0 && !gone.has(item));
      return present(viewed.slice(0, limitOf(limit)).map((item, at) => ({ item, score: 1 / (1 + at), source: 'personal', because: [] })));
    },
  };
}

/** Whether a shelf here may know the shopper at all. */
function isPersonal({ degree, privacy }: ReadShopper, surface: Surface): boolean {
  return degree > 0 && privacy.settings.surfaces[surface];
}

function limitOf(limit: number): number {
  return Math.floor(requireNumber('limit', limit, 1, 1_000, 'usage.invalid'));
}

/** The items a shelf stands beside. A surface that does not fit the request is an error, not a guess. */
function contextOf({ surface: asked, item, items }: RecommendRequest): { readonly surface: Surface; readonly context: readonly string[] } {
  const surface = asked ?? (item === undefined ? (items === undefined ? 'home' : 'cart') : 'product');
  switch (surface) {
    case 'home':
    case 'email':
      if (item !== undefined || items !== undefined) throw new CestaError('usage.invalid', `item, items: expected none on the surface ${surface}, got some`);
      return { surface, context: [] };
    case 'product':
      if (item === undefined || items !== undefined) throw new CestaError('usage.invalid', 'item: expected one id, and no items, on the surface product');
      return { surface, context: [item] };
    case 'cart':
      if (item !== undefined || items === undefined) throw new CestaError('usage.invalid', 'items: expected the ids of the cart, and no item, on the surface cart');
      return { surface, context: items };
    default:
      throw new CestaError('usage.invalid', `surface: expected home, product, cart or email, got ${JSON.stringify(surface satisfies never)}`);
  }
}

function presented({ products }: LoadedRelease['catalogue'], isSensitive: Uint8Array, { item, score, source, because }: ShelfEntry): ShelfItem {
  const { id, category, price } = products[item];
  return {
    ...named(id, products[item].title), score, source,
    ...(category === undefined ? {} : { category }),
    ...(price === undefined ? {} : { price }),
    because: because.filter((reason) => isSensitive[reason.item] === 0).map((reason) => ({ ...named(products[reason.item].id, products[reason.item].title), weight: reason.weight })),
  };
}

function named(id: string, title: string): { readonly item_id: string; readonly title?: string } {
  return title === '' ? { item_id: id } : { item_id: id, title };
}
