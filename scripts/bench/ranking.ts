/** Speed of what a storefront and a plan wait for: candidate pairs of the embedded catalogue, one ranking, and a whole shelf. */
import { readDataset } from '../../client/shop/read-data.ts';
import { createShelves } from '../../client/storefront/shelves.ts';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { historyOf } from '../../shared/commerce/history.ts';
import { defaultSettings } from '../../shared/commerce/preferences.ts';
import { topK } from '../../shared/ranking/top-k.ts';
import { candidatesPerItem } from '../../shared/recommender/text-similarity.ts';
import { publicPart } from '../../shared/recommender/neighbours/public-part.ts';
import { seededRandom } from '../../shared/numerics/random.ts';
import { createModel } from '../../shared/recommender/registry.ts';
import { trainCentrally } from '../simulated-training.ts';
import { median, processorMs, quantiles } from './median.ts';

export interface RankingBench {
  readonly items: number;
  readonly pairs: number;
  /** All candidate pairs with similarities and price gaps. */
  readonly candidatesMs: number;
  /** Scores of all items for a history of about 50, and the best 20. */
  readonly rankMs: number;
  /** One `recommend` of a storefront at 10,000 items, after an event: rules, categories bounded, diversity a half. */
  readonly shelf: ShelfBench;
}

export interface ShelfBench {
  readonly items: number;
  readonly places: number;
  /** Shelves that were timed. */
  readonly runs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly cpuP95Ms: number;
  /** Scores of the same catalogue and the best of them, and nothing else. */
  readonly bareMs: number;
}

const historyItems = 50;

export async function benchRanking(repeats = 5): Promise<RankingBench> {
  const { catalogue, shoppers } = await readDataset('online-retail');
  const model = createModel('neighbours', catalogue, {});
  const params = await trainCentrally(model, catalogue, shoppers.map(({ history }) => history));
  const shopper = shoppers.find(({ history }) => history.items.length >= historyItems) ?? shoppers[0];
  const scores = new Float32Array(catalogue.products.length);
  return {
    items: catalogue.products.length,
    pairs: publicPart(catalogue, candidatesPerItem, []).pairs.partners.length,
    candidatesMs: median(repeats, () => publicPart(catalogue, candidatesPerItem, [])),
    shelf: benchShelf(repeats * 80),
    rankMs: median(repeats * 40, () => {
      model.score(params, shopper.history, scores);
      topK(scores, 20);
    }),
  };
}

const shelfItems = 10_000;
const categories = 40;
const vocabulary = 600;
const places = 12;

/** A catalogue of that size, similarities from its titles, and a visit that grows by one item before every shelf. */
export function benchShelf(repeats: number): ShelfBench {
  const random = seededRandom(1, 'bench/shelf');
  const word = (): string => (100_000 + random.nextBelow(vocabulary) * 1_373).toString(36);
  const catalogue = createCatalogue(Array.from({ length: shelfItems }, (_, at) => ({
    id: `item-${at}`, title: `${word()} ${word()} ${word()}`, category: `Section ${at % categories} > ${at % 7}`, price: 1 + random.nextBelow(100),
  })));
  const model = createModel('neighbours', catalogue, {});
  const items: string[] = Array.from({ length: historyItems }, () => `item-${random.nextBelow(shelfItems)}`);
  const shopper = {
    degree: 1 as const, privacy: { settings: defaultSettings }, visits: () => [{ time: 0, items }], touched: () => new Set(items), unwanted: () => new Set<string>(), resting: () => new Set(['item-1']), viewed: () => items,
  };
  const shelves = createShelves({ model, params: model.initial(), catalogue, manifest: { version: 1 } }, shopper, { rules: { never: [{ categories: ['Section 3'] }], boost: [{ of: { maxPrice: 20 }, factor: 1.5 }], maxPerCategory: 3 }, sensitive: ['Section 4'] });
  const afterOneMore = (): readonly unknown[] => {
    items.push(`item-${random.nextBelow(shelfItems)}`);
    items.shift();
    return shelves.recommend({ limit: places, diversity: 0.5, rules: { pin: ['item-7'] } });
  };
  const [p50Ms, p95Ms] = quantiles(repeats, [0.5, 0.95], afterOneMore);
  const [cpuP95Ms] = quantiles(repeats, [0.95], afterOneMore, processorMs);
  const history = historyOf([{ time: 0, items: Array.from({ length: historyItems }, () => random.nextBelow(shelfItems)) }]);
  const scores = new Float32Array(shelfItems);
  const params = model.initial();
  const bareMs = median(repeats, () => {
    model.score(params, history, scores);
    topK(scores, places);
  });
  return { items: shelfItems, places: afterOneMore().length, runs: repeats, p50Ms, p95Ms, cpuP95Ms, bareMs };
}
