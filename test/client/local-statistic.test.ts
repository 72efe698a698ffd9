import { describe, expect, it } from 'vitest';
import { systemRandom } from '../../client/secure-random.ts';
import { sumShoppers, trainShop } from '../../client/local-statistic.ts';
import { historyOf } from '../../shared/commerce/history.ts';
import type { Dataset } from '../../shared/datasets/dataset.ts';
import { createPopularity } from '../../shared/recommender/popularity.ts';
import type { AnyFederatedModel } from '../../shared/recommender/federated-model.ts';
import { examplePlan } from '../federation/plans.ts';
import { buyer, quadraticCatalogue, quadraticModel } from '../federation/quadratic.ts';
import { catalogueOf } from '../ranking/training.ts';

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
const work = { dataset, catalogue, model: slowModel, params: popularity.initial(), plan: examplePlan({ privacy: { mode: 'none' } }), random: systemRandom() };

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

  it('takes each shopper with the rate of the plan, and all of them at rate 1', async () => {
    const { privacy } = examplePlan();
    if (privacy.mode !== 'local') throw new Error('expected a private plan');
    const sumAt = async (sampling: number): Promise<number> => {
      const plan = examplePlan({ bounds: { ...examplePlan().bounds, maxShoppersPerShop: 60 }, privacy: { ...privacy, sampling } });
      const { sum } = await sumShoppers({ ...work, model: popularity, plan }, new AbortController().signal);
      return sum[3] / (0.125 * 1024);
    };
    expect(await sumAt(1)).toBe(60);
    let taken = 0;
    for (let repeat = 0; repeat < 50; repeat += 1) taken += await sumAt(0.25);
    // 3,000 coins: six standard deviations.
    expect(Math.abs(taken - 750)).toBeLessThan(6 * Math.sqrt(3000 * 0.25 * 0.75));
  });
});

describe('the training of a shop', () => {
  const model = quadraticModel({ steps: 400 }) as AnyFederatedModel;
  const plan = examplePlan({ unit: 'shop', model: { kind: 'sequence', hyperParameters: {} }, statisticLength: 6, bounds: { ...examplePlan().bounds, clipNorm: null, rowCap: 64, countValue: 1, gridScale: 65_536, maxShoppersPerShop: 1 }, privacy: { mode: 'none' } });
  const shopOf = (...shoppers: { degree: 0 | 1 | 2 | 3; items: number[] }[]): Dataset => ({
    ...dataset, catalogue: quadraticCatalogue, shoppers: shoppers.map(({ degree, items }, index) => ({ id: `${index}`, group: '', degree, history: buyer(...items) })),
  });
  const training = { catalogue: quadraticCatalogue, model, params: model.initial(), plan, random: systemRandom(), controls: null };

  it('is on those alone who agreed to it, and loads first what the model computes with', async () => {
    let loaded = 0;
    const loading: AnyFederatedModel = { ...model, prepare: () => Promise.resolve(void (loaded += 1)) };
    const { sum, report } = await trainShop({ ...training, model: loading, dataset: shopOf({ degree: 3, items: [0] }, { degree: 0, items: [1, 1, 1] }) }, new AbortController().signal);
    expect([loaded, report.shoppers, report.withheld]).toEqual([1, 1, 1]);
    expect([...sum].map((value) => Math.round((value / 65_536) * 1000) / 1000)).toEqual([1, 0, 0, 0, 0, 1]);
  });

  it('lets the event loop run between steps, and stops there when it is abandoned', async () => {
    const slow: AnyFederatedModel = { ...model, local: { train: async (params, histories, terms) => model.local?.train(params, histories, { ...terms, pause: () => busy().then(() => terms.pause()) }) ?? Promise.reject(new Error('no trainer')) } };
    const abandon = new AbortController();
    setTimeout(() => abandon.abort(new Error('the round is over')), 50);
    await expect(trainShop({ ...training, model: slow, dataset: shopOf({ degree: 3, items: [0] }) }, abandon.signal)).rejects.toThrow('the round is over');
  });
});

/** Takes 5 ms without a timer. */
async function busy(): Promise<void> {
  const end = performance.now() + 5;
  while (performance.now() < end);
  await Promise.resolve();
}
