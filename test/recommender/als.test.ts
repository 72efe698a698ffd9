import { describe, expect, it } from 'vitest';
import { alsHyperParameters, createAls, type AlsParams } from '../../shared/recommender/als.ts';
import { trainCentrally } from '../evaluation/central-training.ts';
import { contributionOf, entriesOf, scoresOf, teaCatalogue, visits } from './fixtures.ts';

const items = 12;
const settings = alsHyperParameters.parse({ factors: 4, unobserved: 0.05, popularityWeight: 0, regularisation: 0.1 });
const model = createAls(teaCatalogue(items), settings);
/** Two kinds of shoppers that never mix. */
const histories = Array.from({ length: 60 }, (_, shopper) => visits(shopper % 2 === 0 ? [0, 1, 2, 3, 4] : [6, 7, 8, 9, 10]));

function trainRounds(rounds: number): AlsParams {
  let params = model.initial();
  for (let round = 0; round < rounds; round += 1) params = trainCentrally(model, histories, { params });
  return params;
}

/** Weighted squared error over all shoppers and items, without the regularisation. */
function loss(params: AlsParams): number {
  let sum = 0;
  for (const history of histories) {
    const scores = scoresOf(model, params, history, items);
    const touched = new Set(history.items);
    scores.forEach((score, item) => (sum += touched.has(item) ? (1 - score) ** 2 + settings.unobserved * score ** 2 : settings.unobserved * score ** 2));
  }
  return sum;
}

describe('als', () => {
  it('fits better after a round, stays there, and tells the two kinds of shoppers apart', () => {
    const [before, first, last] = [0, 1, 12].map((rounds) => loss(trainRounds(rounds)));
    expect(first).toBeLessThan(before);
    // The ridge is part of what is minimised, and not of this loss: at the end it may give a little back.
    expect(last).toBeLessThan(1.02 * first);
    const scores = scoresOf(model, trainRounds(12), visits([0, 1]), items);
    expect(Math.min(...[2, 3, 4].map((item) => scores[item]))).toBeGreaterThan(Math.max(...[6, 7, 8, 9, 10].map((item) => scores[item])));
  });

  it('starts like items alike, from their titles alone', () => {
    expect(model.initial().factors).toEqual(createAls(teaCatalogue(items), settings).initial().factors);
  });

  it('never reports the shopper\'s own factor: residuals and an outer product leave its sign open', () => {
    const params = trainRounds(2);
    const negated = { ...params, factors: params.factors.map((value) => -value) };
    const gram = (of: AlsParams): number[] => entriesOf(contributionOf({ ...model, initial: () => of }, histories[0])).filter(([index]) => index >= items * 4 && index < items * 4 + 10).map(([, value]) => value);
    expect(gram(params)).toEqual(gram(negated));
  });

  it('stands noise that makes the Gram matrix indefinite', () => {
    const sum = new Float64Array(model.statisticLength()).fill(-50);
    const { factors } = model.update(model.initial(), { sum, shoppers: 10, noiseStd: 40 });
    expect(factors.every(Number.isFinite)).toBe(true);
  });
});
