/** The demo's federation: the embedded orders split over equal shops, each shopper's last basket held out. */
import type { Dataset, Shopper } from '../../shared/datasets/dataset.ts';
import { byHash } from '../../shared/datasets/partitions.ts';
import { splitDataset } from '../evaluate.ts';

export interface DemoShop {
  readonly name: string;
  /** With training histories: the last baskets never reach a shop node. */
  readonly shoppers: readonly Shopper[];
}

export function demoShops(dataset: Dataset, count: number, seed: number): DemoShop[] {
  const { training } = splitDataset(dataset, 'last-basket');
  const trained: Dataset = { ...dataset, shoppers: dataset.shoppers.map((shopper, index) => ({ ...shopper, history: training[index] })) };
  return byHash(count)(trained, seed).map((shoppers, index) => ({ name: `shop-${String(index + 1).padStart(2, '0')}`, shoppers }));
}
