/** Speed of what a storefront and a plan wait for: candidate pairs of the embedded catalogue, and one ranking. */
import { readDataset } from '../../client/shop/read-data.ts';
import { topK } from '../../shared/ranking/top-k.ts';
import { candidatesPerItem } from '../../shared/recommender/text-similarity.ts';
import { publicPart } from '../../shared/recommender/neighbours/public-part.ts';
import { createModel } from '../../shared/recommender/registry.ts';
import { trainCentrally } from '../simulated-training.ts';
import { median } from './median.ts';

export interface RankingBench {
  readonly items: number;
  readonly pairs: number;
  /** All candidate pairs with similarities and price gaps. */
  readonly candidatesMs: number;
  /** Scores of all items for a history of about 50, and the best 20. */
  readonly rankMs: number;
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
    rankMs: median(repeats * 40, () => {
      model.score(params, shopper.history, scores);
      topK(scores, 20);
    }),
  };
}
