/** The demo's federation: the embedded orders split over equal shops, each shopper's last basket held out. */
import { historyBefore, visitCount } from '../../shared/commerce/history.ts';
import type { Dataset, Shopper } from '../../shared/datasets/dataset.ts';
import { byHash } from '../../shared/datasets/partitions.ts';
import type { Json } from '../../shared/protocol/canonical-json.ts';
import { deploymentDefaults } from '../../shared/recommender/registry.ts';
import { dayEnd } from '../cli/options.ts';
import { splitDataset } from '../evaluate.ts';
import { lastDay } from './calendar.ts';

export const demoTask = 'demo';

export interface DemoShop {
  readonly name: string;
  /** With training histories: the last baskets never reach a shop node. */
  readonly shoppers: readonly Shopper[];
}

export function shopNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `shop-${String(index + 1).padStart(2, '0')}`);
}

export function demoShops(dataset: Dataset, count: number, seed: number): DemoShop[] {
  const { training } = splitDataset(dataset, 'last-basket');
  const trained: Dataset = { ...dataset, shoppers: dataset.shoppers.map((shopper, index) => ({ ...shopper, history: training[index] })) };
  const names = shopNames(count);
  return byHash(count)(trained, seed).map((shoppers, index) => ({ name: names[index], shoppers }));
}

/** What a shop knows at that time, in Unix seconds: who came before it, and what they had ordered. */
export function shoppersUntil(shoppers: readonly Shopper[], end: number): Shopper[] {
  return shoppers.flatMap((shopper) => {
    const history = historyBefore(shopper.history, end);
    return visitCount(history) === 0 ? [] : [{ ...shopper, history }];
  });
}

const monthSeconds = 30 * 86_400;

/**
 * One round is of one day, and has recent orders count for more. The rounds of a year have no day in common, and what a round
 * says of what is recent is not carried on: on validation baskets the year ends as well without, and rises more steadily.
 */
export function demoHyperParameters(rounds: number): Readonly<Record<string, Json>> {
  const asOf = dayEnd(lastDay);
  return rounds === 1 ? deploymentDefaults('neighbours', { asOf }) : { ...deploymentDefaults('neighbours', { asOf, everySeconds: monthSeconds }), asOf: null };
}
