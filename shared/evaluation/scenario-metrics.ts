/** Everything a simulation reports of a release, from one ranking of each test shopper: how good shelves are, how varied, how popular, and how fair to shops. */
import { ofShoppers } from '../commerce/history.ts';
import { evaluateShelves } from './evaluate-model.ts';
import { average, recall } from './metrics.ts';
import { itemShoppers, longTail, novelty, popularityLift, tailShare } from './popularity-bias.ts';
import { minTestShoppers, shopFigures, shopSpread, worstDecile } from './shop-fairness.ts';
import type { Split } from './splits.ts';

export interface MetricInfo {
  /** One line, for reports. */
  readonly description: string;
  readonly unit: 'fraction' | 'bits' | 'ratio' | 'shops';
  /** Null where neither is better as such. */
  readonly better: 'higher' | 'lower' | null;
}

export const metricInfo = {
  'ndcg@10': { description: 'discounted gain of the first 10 over the best reachable', unit: 'fraction', better: 'higher' },
  'recall@10': { description: 'relevant items among the first 10 over the best reachable', unit: 'fraction', better: 'higher' },
  'recall@20': { description: 'relevant items among the first 20 over the best reachable', unit: 'fraction', better: 'higher' },
  'hr@10': { description: 'share of shoppers with a relevant item among the first 10', unit: 'fraction', better: 'higher' },
  'coverage@10': { description: 'share of the rankable items on any shelf of 10', unit: 'fraction', better: 'higher' },
  'gini@10': { description: 'inequality of how often items are on shelves of 10', unit: 'fraction', better: 'lower' },
  'coverage@20': { description: 'share of the rankable items on any shelf of 20', unit: 'fraction', better: 'higher' },
  'gini@20': { description: 'inequality of how often items are on shelves of 20', unit: 'fraction', better: 'lower' },
  'aplt@10': { description: 'share of a shelf of 10 that is of the long tail, outside the items with 80 % of the training interactions', unit: 'fraction', better: 'higher' },
  'novelty@10': { description: 'mean self-information of the items on a shelf of 10', unit: 'bits', better: null },
  'popularity@10': { description: 'how much more popular shelves of 10 are than the histories they were made for; 0: as popular', unit: 'ratio', better: 'lower' },
  'shops.worst-decile': { description: `mean ndcg@10 of the worst tenth of the shops with ${minTestShoppers} test shoppers or more`, unit: 'fraction', better: 'higher' },
  'shops.spread': { description: `standard deviation of ndcg@10 over the shops with ${minTestShoppers} test shoppers or more`, unit: 'fraction', better: 'lower' },
  'shops.tested': { description: `shops with ${minTestShoppers} test shoppers or more`, unit: 'shops', better: null },
  'shops.left-out': { description: `shops with fewer than ${minTestShoppers} test shoppers, which figures by shop leave out`, unit: 'shops', better: null },
  'cold.ndcg@10': { description: 'ndcg@10 of the test shoppers of shops with little data', unit: 'fraction', better: 'higher' },
  'exposure@20': { description: 'share of the test shoppers who have the pushed item among the first 20', unit: 'fraction', better: 'lower' },
} as const satisfies Readonly<Record<string, MetricInfo>>;

export type MetricName = keyof typeof metricInfo;
/** In the order of tables. */
export const metricNames = Object.keys(metricInfo) as readonly MetricName[];

export interface ScenarioMetrics {
  /** By {@link MetricName}. `shops.worst-decile` is missing where no shop has enough test shoppers, `shops.spread` where fewer than two have; `cold.ndcg@10` where no test shopper is of a cold shop; `exposure@20` is known only to whoever pushes. */
  readonly metrics: Readonly<Record<string, number>>;
  /** One entry a test case, in the order of the split. */
  readonly perShopper: { readonly ndcg10: Float64Array; readonly recall10: Float64Array; readonly shops: Int32Array };
}

/**
 * The metrics of one release, of the shelves that `rankTests` made of it; or of several, such as one a shop.
 * @param shopOf the shop of a shopper, by index among the histories that were split
 * @param isCold whether a shop has little data of its own
 */
export function metricsOfShelves(shelves: readonly Int32Array[], split: Split, shopOf: (shopper: number) => number, isCold: (shop: number) => boolean = () => false): ScenarioMetrics {
  const evaluation = evaluateShelves(shelves, split);
  const { ndcg10 } = evaluation.perShopper;
  const recall10 = Float64Array.from(shelves, (shelf, at) => recall(shelf, new Set(split.tests[at].relevant), 10));
  const shops = Int32Array.from(split.tests, ({ shopper }) => shopOf(shopper));
  const metrics = {
    'ndcg@10': evaluation.ndcg10,
    'recall@10': average(recall10),
    'recall@20': evaluation.recall20,
    'hr@10': evaluation.hr10,
    'coverage@10': evaluation.coverage10,
    'gini@10': evaluation.gini10,
    'coverage@20': evaluation.coverage20,
    'gini@20': evaluation.gini20,
    ...popularityMetrics(shelves, split),
    ...shopMetrics(ndcg10, shops),
    ...coldMetrics(ndcg10, shops, isCold),
  } satisfies Partial<Record<MetricName, number>>;
  return { metrics, perShopper: { ndcg10, recall10, shops } };
}

function popularityMetrics(shelves: readonly Int32Array[], { training, tests, rankable }: Split): Partial<Record<MetricName, number>> {
  const popularity = itemShoppers(training, rankable.length);
  const shoppers = ofShoppers(training).length;
  const shelves10 = shelves.map((shelf) => shelf.subarray(0, 10));
  return {
    'aplt@10': tailShare(shelves10, longTail(popularity)),
    'novelty@10': novelty(shelves10, popularity, shoppers),
    'popularity@10': popularityLift(shelves10, tests.map(({ history }) => history), popularity),
  };
}

/** Of the test shoppers of cold shops, in the order of all. */
export function coldValues(values: Float64Array, shops: Int32Array, isCold: (shop: number) => boolean): Float64Array {
  return values.filter((_, at) => isCold(shops[at]));
}

function coldMetrics(ndcg10: Float64Array, shops: Int32Array, isCold: (shop: number) => boolean): Partial<Record<MetricName, number>> {
  const own = coldValues(ndcg10, shops, isCold);
  return own.length === 0 ? {} : { 'cold.ndcg@10': average(own) };
}

function shopMetrics(ndcg10: Float64Array, shops: Int32Array): Partial<Record<MetricName, number>> {
  const figures = shopFigures(ndcg10, shops);
  const [worst, spread] = [worstDecile(figures), shopSpread(figures)];
  return {
    ...(worst === null ? {} : { 'shops.worst-decile': worst }),
    ...(spread === null ? {} : { 'shops.spread': spread }),
    'shops.tested': figures.figures.length,
    'shops.left-out': figures.leftOut,
  };
}
