/** One shopper's shelf, ranked as a storefront does: by the SDK, from the coordinator's address. */
import type { ShelfItem } from '../../client/storefront/api.ts';
import { createCesta } from '../../client/storefront/cesta.ts';
import type { Dataset } from '../../shared/datasets/dataset.ts';
import type { Split } from '../../shared/evaluation/splits.ts';

export interface ExampleShelf {
  readonly boughtIds: readonly string[];
  readonly bought: readonly string[];
  readonly items: readonly ShelfItem[];
}

/** Of the first test shopper with a small history. */
export async function exampleShelf(url: string, { catalogue }: Dataset, { tests }: Split): Promise<ExampleShelf> {
  const test = tests.find(({ history }) => history.items.length >= 3 && history.items.length <= 6) ?? tests[0];
  const bought = [...new Set(test.history.items)].map((item) => catalogue.products[item]);
  const cesta = createCesta({ url, defaultDegree: 1 });
  await cesta.ready;
  cesta.track('purchase', bought.map(({ id }) => ({ item_id: id })));
  return { boughtIds: bought.map(({ id }) => id), bought: bought.map(({ id, title }) => (title === '' ? id : title)), items: cesta.recommend({ limit: 8 }) };
}
