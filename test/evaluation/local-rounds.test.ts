import { describe, expect, it } from 'vitest';
import { evaluateModel } from '../../shared/evaluation/evaluate-model.ts';
import { trainInRounds } from '../../shared/evaluation/local-rounds.ts';
import { splitHistories } from '../../shared/evaluation/splits.ts';
import { createPopularity } from '../../shared/recommender/popularity.ts';
import { createModel } from '../../shared/recommender/registry.ts';
import { teaCatalogue } from '../recommender/fixtures.ts';
import { roundabout } from '../recommender/sequence/fixtures.ts';

const items = 12;
const catalogue = teaCatalogue(items);
const settings = { architecture: 'two-tower', width: 12, positions: 5, negatives: 4, dropout: 0, learningRate: 0.01, batch: 16 };
const pause = (): Promise<void> => Promise.resolve();

describe('rounds of local training', () => {
  it('bring shops that each hold a third to where one that holds all would be', async () => {
    const split = splitHistories('leave-one-out', roundabout(items, 48, 5), items);
    const shops = [0, 1, 2].map((shop) => split.training.filter((_, shopper) => shopper % 3 === shop));
    const ndcgOf = async (parts: typeof shops, rounds: number, localEpochs: number): Promise<number> => {
      const model = createModel('sequence', catalogue, { ...settings, localEpochs });
      return evaluateModel(model, await trainInRounds(model, [...parts, []], { rounds, seed: 1, pause }), split).ndcg10;
    };
    const central = await ndcgOf([[...split.training]], 1, 25);
    expect(central).toBeGreaterThan(0.8);
    expect(await ndcgOf(shops, 10, 5)).toBeGreaterThan(0.9 * central);
  });

  it('refuse a model that does not train locally', async () => {
    await expect(trainInRounds(createPopularity(catalogue), [[]], { rounds: 1, seed: 1, pause })).rejects.toMatchObject({ code: 'model.unusable' });
  });
});
