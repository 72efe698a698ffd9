/** `als` on real orders: twenty shops without noise train what one place would, and it ranks no worse than item-kNN. */
import { describe, expect, it } from 'vitest';
import { readDataset } from '../../../client/shop/read-data.ts';
import { evaluate, splitDataset } from '../../../scripts/evaluate.ts';
import { byHash } from '../../../shared/datasets/partitions.ts';
import { evaluateModel } from '../../../shared/evaluation/evaluate-model.ts';
import { simulateRound } from '../../../shared/evaluation/simulated-round.ts';
import { makePlan, parseTaskSpec } from '../../../shared/federation/task.ts';
import { createModel } from '../../../shared/recommender/registry.ts';

const data = 'online-retail';
const rounds = 3;
/** Fewer than the defaults, for time. */
const hyperParameters = { factors: 32 };
/** What `cesta evaluate --data online-retail --model item-knn` prints. */
const itemKnn = 0.0805;

/** The grid of a served task: far coarser than that of one place that knows how many shoppers it has. */
async function trainTwentyShops(): Promise<number> {
  const dataset = await readDataset(data);
  const { catalogue } = dataset;
  const parts = splitDataset(dataset, 'last-basket');
  const positions = new Map(dataset.shoppers.map((shopper, index) => [shopper, index]));
  const shops = byHash(20)(dataset, 0).map((group) => group.map((shopper) => parts.training[positions.get(shopper) ?? 0]));
  const task = parseTaskSpec({
    name: 'main',
    model: { kind: 'als', hyperParameters },
    privacy: { mode: 'none', rounds },
    cohort: { minParticipants: 20, targetParticipants: 20 },
    deadlines: { recruitingMs: 1, trainingMs: 1 },
  });
  const model = createModel('als', catalogue, hyperParameters);
  let params = model.initial();
  for (let roundNumber = 1; roundNumber <= rounds; roundNumber += 1) {
    const plan = makePlan(task, { model, catalogue, roundNumber, baseRelease: null });
    const { aggregate } = await simulateRound(plan, model, { params, strategy: null }, shops).sum(0);
    params = model.update(params, aggregate);
  }
  return evaluateModel(model, params, parts).ndcg10;
}

describe('als on Online Retail, last basket', () => {
  it('ranks above item-kNN from one place, and as well from twenty shops', async () => {
    const { ndcg10: central } = await evaluate({ data, model: 'als', rounds, hyperParameters });
    const federated = await trainTwentyShops();
    expect(federated).toBeGreaterThan(0.98 * central);
    expect(central).toBeGreaterThan(itemKnn);
  }, 600_000);
});
