/** What a shop with little data has of the federation. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryOf } from '../../scripts/audit/hostile/process-memory.ts';
import { simulatedToday, splitDataset } from '../../scripts/evaluate.ts';
import { trainCentrally, trainings } from '../../scripts/simulated-training.ts';
import { readDataset } from '../../client/shop/read-data.ts';
import { evaluateModel } from '../../shared/evaluation/evaluate-model.ts';
import { pairedBootstrapInterval } from '../../shared/evaluation/intervals.ts';
import { createModel, deploymentDefaults } from '../../shared/recommender/registry.ts';
import { smallShops } from '../../shared/simulation/cold-shops.ts';
import { openWorkshop, type Workshop } from '../e2e/processes.ts';

const mostEvents = 200;
const shopsTested = 30;

describe('capability 18: small shops', () => {
  it('capability 18: with at most 200 events of its own, a shop ranks better with the federation, noise included, than alone', async () => {
    const dataset = await readDataset('online-retail');
    const parts = splitDataset(dataset, 'last-basket');
    const shops = smallShops({ ids: dataset.shoppers.map(({ id }) => id), histories: parts.training }, mostEvents);
    const testOf = new Map(parts.tests.map((test) => [test.shopper, test]));
    const small = shops
      .map((members) => ({ histories: members.map((shopper) => parts.training[shopper]), tests: members.map((shopper) => testOf.get(shopper)).filter((test) => test !== undefined) }))
      .filter(({ tests }) => tests.length > 0)
      .slice(0, shopsTested);
    expect(small.length).toBe(shopsTested);
    for (const { histories } of small) expect(histories.reduce((sum, { items }) => sum + items.length, 0)).toBeLessThanOrEqual(mostEvents);
    const hyperParameters = deploymentDefaults('neighbours', { asOf: simulatedToday(parts) });
    const [federation] = await trainings(dataset, parts, { stage: { kind: 'neighbours', hyperParameters }, privacy: { mode: 'central', epsilon: 3, delta: 1e-5, shops: 1, rounds: 1, noise: 'skellam' }, local: {}, seeds: 1 });
    const model = createModel('neighbours', dataset.catalogue, hyperParameters);
    const [together, alone] = [new Float64Array(small.length), new Float64Array(small.length)];
    for (const [shop, { histories, tests }] of small.entries()) {
      const asked = { ...parts, tests };
      together[shop] = evaluateModel(federation.model, federation.params, asked).ndcg10;
      alone[shop] = evaluateModel(model, await trainCentrally(model, dataset.catalogue, histories), asked).ndcg10;
    }
    // Paired over shops: their differences, and how these would vary with other shops.
    const { low } = pairedBootstrapInterval(together, alone);
    expect(low).toBeGreaterThan(0);
  }, 240_000);

  describe.skipIf(process.platform !== 'linux')('on small machines', () => {
    let workshop: Workshop;
    beforeEach(() => {
      workshop = openWorkshop();
    });
    afterEach(() => workshop.close());

    it('capability 18: a coordinator and a shop node with 4,000 products stay within half a gibibyte each while they train', async () => {
      const coordinator = workshop.run(['serve', '--json', '--port', '0', '--catalogue', 'online-retail', '--mode', 'local', '--shops', '1', '--min-shops', '1', '--epsilon', '3', '--rounds', '1', '--data-dir', 'coordinator']);
      const [, url] = await coordinator.until(/"url":"([^"]+)"/);
      const shop = workshop.run(['join', '--json', '--shop', 'corner', '--data', 'online-retail', '--part', '1/20', '--coordinator', url, '--state-dir', 'shops', '--stay']);
      await shop.until(/"msg":"round done"/);
      for (const { pid } of [coordinator, shop]) {
        const { peakBytes } = memoryOf(pid) ?? { peakBytes: Number.NaN };
        expect(peakBytes).toBeGreaterThan(32 * 2 ** 20);
        expect(peakBytes).toBeLessThan(512 * 2 ** 20);
      }
    }, 240_000);
  });
});
