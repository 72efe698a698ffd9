/** How varied the shelves of a storefront are: what a degree of diversity gives, and what it takes of the ranking. */
import type { Catalogue } from '../commerce/catalogue.ts';
import { intraListDistance } from '../ranking/diversity.ts';
import { createLikeness } from '../ranking/item-likeness.ts';
import { createShelf } from '../ranking/shelf.ts';
import type { FederatedModel } from '../recommender/federated-model.ts';
import { average, coverage, gini, ndcg } from './metrics.ts';
import type { Split } from './splits.ts';

/** Of shelves of ten, one for every test shopper. */
export interface ShelfVariety {
  readonly diversity: number;
  readonly ndcg10: number;
  readonly coverage10: number;
  readonly gini10: number;
  /** Mean over the shelves of how unlike any two of their items are, by title and category. */
  readonly distance10: number;
}

const places = 10;

export function shelfVariety<Params>(model: FederatedModel<Params>, params: Params, catalogue: Catalogue, { rankable, tests }: Split, diversity: number): ShelfVariety {
  const shelf = createShelf(model, params, catalogue);
  const likeness = createLikeness(catalogue.products);
  const shown = new Float64Array(rankable.length);
  const closed = [...rankable.keys()].filter((item) => rankable[item] === 0);
  const shelves = tests.map(({ history }) => shelf.rank({ history, exclude: closed, limit: places, diversity }).map(({ item }) => item));
  for (const items of shelves) for (const item of items) shown[item] += 1;
  return {
    diversity,
    ndcg10: average(shelves.map((items, at) => ndcg(items, new Set(tests[at].relevant), places))),
    coverage10: coverage(shown, rankable),
    gini10: gini(shown, rankable),
    distance10: average(shelves.map((items) => intraListDistance(items, likeness))),
  };
}
