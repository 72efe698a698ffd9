import { describe, expect, it } from 'vitest';
import { sumShoppers } from '../../../client/shop/shop-statistic.ts';
import { historyOf } from '../../../shared/commerce/history.ts';
import type { Dataset } from '../../../shared/datasets/dataset.ts';
import { createPopularity } from '../../../shared/recommender/popularity.ts';
import type { AnyFederatedModel } from '../../../shared/recommender/federated-model.ts';
import { examplePlan } from '../../federation/plans.ts';
import { catalogueOf } from '../../ranking/training.ts';

const catalogue = catalogueOf('a', 'b', 'c');
const dataset: Dataset = {
  name: 'test',
  catalogue,
  shoppers: Array.from({ length: 60 }, (_, index) => ({ id: String(index), group: '', degree: 3 as const, history: historyOf([{ time: 1, items: [index % 3] }]) })),
  report: { lines: 0, used: 0, complaints: [] },
};
const popularity = createPopularity(catalogue) as AnyFederatedModel;
/** Takes 2 ms for each shopper, without a timer. */
const slowModel: AnyFederatedModel = {
  ...popularity,
  contribute(params, history, into) {
    const end = performance.now() + 2;
    while (performance.now() < end);
    popularity.contribute(params, history, into);
  },
};
const work = { dataset, catalogue, model: slowModel, params: popularity.initial(), plan: examplePlan({ privacy: { mode: 'none' } }) };

describe('the sum over a shop', () => {
  it('lets the event loop run between slices, so that heartbeats are answered', async () => {
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns += 1;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    const { report } = await sumShoppers(work, new AbortController().signal);
    isDone = true;
    expect(report.shoppers).toBe(60);
    // 120 ms of work in slices of 20 ms.
    expect(turns).toBeGreaterThanOrEqual(4);
  });

  it('stops between slices when it is abandoned', async () => {
    const abandon = new AbortController();
    setImmediate(() => abandon.abort(new Error('the round is over')));
    await expect(sumShoppers(work, abandon.signal)).rejects.toThrow('the round is over');
  });
});
