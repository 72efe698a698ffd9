/** A data set without what may not be used: products, and what is too old. Shoppers stay, with what is left of their histories. */
import { createCatalogue, type Product } from '../commerce/catalogue.ts';
import { historyOf, visitCount, visitItems, type ShopperHistory, type Visit } from '../commerce/history.ts';
import type { Dataset } from './dataset.ts';

export interface Restriction {
  readonly isAllowed?: (product: Product) => boolean;
  /** Unix seconds: visits before it are left out. */
  readonly since?: number;
}

/** What was left out, beside what remains. */
export interface Restricted {
  readonly dataset: Dataset;
  readonly products: number;
  readonly visits: number;
}

export function restrict(dataset: Dataset, { isAllowed = () => true, since = -Infinity }: Restriction): Restricted {
  const kept = dataset.catalogue.products.filter(isAllowed);
  const catalogue = kept.length === dataset.catalogue.products.length ? dataset.catalogue : createCatalogue(kept);
  const indexes = dataset.catalogue.products.map(({ id }) => catalogue.indexOf.get(id) ?? -1);
  let visits = 0;
  const shoppers = dataset.shoppers.map((shopper) => {
    const history = restrictHistory(shopper.history, indexes, since);
    visits += visitCount(shopper.history) - visitCount(history);
    return { ...shopper, history };
  });
  return { dataset: { ...dataset, catalogue, shoppers }, products: dataset.catalogue.products.length - kept.length, visits };
}

function restrictHistory(history: ShopperHistory, indexes: readonly number[], since: number): ShopperHistory {
  const visits = Array.from({ length: visitCount(history) }, (_, visit): Visit => ({
    time: history.visitTimes[visit],
    items: [...visitItems(history, visit)].map((item) => indexes[item]).filter((item) => item >= 0),
  }));
  return historyOf(visits.filter(({ time, items }) => time >= since && items.length > 0));
}
