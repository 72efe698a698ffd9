import { describe, expect, it } from 'vitest';
import { historyOf, type ShopperHistory } from '../../shared/commerce/history.ts';
import { evaluateModel, rankTests } from '../../shared/evaluation/evaluate-model.ts';
import { itemShoppers, longTail, novelty, popularityLift, tailShare } from '../../shared/evaluation/popularity-bias.ts';
import { metricInfo, metricNames, metricsOfShelves } from '../../shared/evaluation/scenario-metrics.ts';
import { shopFigures, shopSpread, worstDecile } from '../../shared/evaluation/shop-fairness.ts';
import { splitHistories } from '../../shared/evaluation/splits.ts';
import { createPopularity } from '../../shared/recommender/popularity.ts';
import { teaCatalogue, visits } from '../recommender/fixtures.ts';

const basket = (...items: number[]): ShopperHistory => historyOf([{ time: 0, items }]);

describe('popularity bias', () => {
  it('counts shoppers who have an item, not how often they bought it', () => {
    expect([...itemShoppers([visits([0, 1], [0], [0]), basket(0), basket()], 3)]).toEqual([2, 1, 0]);
  });

  it('cuts the long tail behind the fewest items with four fifths of the interactions', () => {
    // 5 + 3 = 8 of 10: exactly four fifths.
    expect([...longTail(Float64Array.of(1, 5, 3, 1))]).toEqual([1, 0, 0, 1]);
    // 5 + 3 = 8 of 11 are too few; of the two ties the lower index is of the head.
    expect([...longTail(Float64Array.of(1, 5, 3, 1, 1))]).toEqual([0, 0, 0, 1, 1]);
    expect([...longTail(new Float64Array(2))]).toEqual([1, 1]);
  });

  it('averages over each shelf, then over shelves that hold anything', () => {
    const shelves = [Int32Array.of(0, 1), Int32Array.of(1), Int32Array.of()];
    expect(tailShare(shelves, Uint8Array.of(0, 1))).toBe(0.75);
    // 1 of 8 shoppers are 3 bits, 4 of 8 one bit.
    expect(novelty(shelves, Float64Array.of(4, 1), 8)).toBe((2 + 3) / 2);
  });

  it('is a lift of 0 for shelves as popular as the histories, 1 for twice as popular ones', () => {
    const popularity = Float64Array.of(4, 2, 1);
    expect(popularityLift([Int32Array.of(1)], [basket(1, 1)], popularity)).toBe(0);
    expect(popularityLift([Int32Array.of(0)], [basket(1)], popularity)).toBe(1);
    expect(popularityLift([Int32Array.of(2)], [basket(0)], popularity)).toBe(-0.75);
    expect(popularityLift([Int32Array.of(0)], [], popularity)).toBe(0);
  });
});

describe('fairness to shops', () => {
  const shops = (sizes: number[]): Int32Array => Int32Array.from(sizes.flatMap((size, shop) => new Array<number>(size).fill(shop)));

  it('leaves out and counts shops with few test shoppers', () => {
    const of = shops([5, 4, 6]);
    const { shops: counted, figures, leftOut } = shopFigures(Float64Array.from(of, (shop) => 1 - shop / 4), of);
    expect([[...counted], [...figures], leftOut]).toEqual([[2, 0], [0.5, 1], 1]);
  });

  it('averages the worst tenth of the shops, whatever their size', () => {
    const of = shops(Array.from({ length: 29 }, (_, shop) => 5 + shop));
    const figures = shopFigures(Float64Array.from(of, (shop) => shop / 100), of);
    expect(worstDecile(figures)).toBeCloseTo(0.005, 12);
    const few = shops([5, 50]);
    expect(worstDecile(shopFigures(Float64Array.from(few, (shop) => shop), few))).toBe(0);
    expect(shopSpread(shopFigures(Float64Array.from(few, (shop) => shop), few))).toBe(0.5);
  });

  it('says nothing of shops that are too few', () => {
    expect(worstDecile(shopFigures(Float64Array.of(1), Int32Array.of(0)))).toBeNull();
    expect(shopSpread(shopFigures(new Float64Array(5), new Int32Array(5)))).toBeNull();
  });
});

describe('metrics of a scenario', () => {
  const items = 30;
  const model = createPopularity(teaCatalogue(items));
  const histories = Array.from({ length: 40 }, (_, shopper) => visits([shopper % 7, shopper % 11], [shopper % 13, 20 + (shopper % 3)], [shopper % 5, 14 + (shopper % 4)]));
  const split = splitHistories('last-basket', histories, items);
  const params = model.update(model.initial(), { sum: Float64Array.from(itemShoppers(split.training, items)), shoppers: 40, noiseStd: 0 });
  const shopOf = (shopper: number): number => shopper % 4;
  const shelves = rankTests(split, (test, scores) => model.score(params, test.history, scores));

  it('are those of the evaluation, and more, each by a name that is described', () => {
    const { metrics, perShopper } = metricsOfShelves(shelves, split, shopOf);
    const evaluation = evaluateModel(model, params, split);
    expect(metrics).toMatchObject({ 'ndcg@10': evaluation.ndcg10, 'recall@20': evaluation.recall20, 'hr@10': evaluation.hr10, 'coverage@10': evaluation.coverage10, 'gini@10': evaluation.gini10, 'coverage@20': evaluation.coverage20, 'gini@20': evaluation.gini20 });
    expect(perShopper.ndcg10).toEqual(evaluation.perShopper.ndcg10);
    expect([...perShopper.shops]).toEqual(split.tests.map(({ shopper }) => shopper % 4));
    // Those that only some scenarios have are elsewhere.
    expect(Object.keys(metrics)).toEqual(metricNames.filter((name) => !['cold.ndcg@10', 'exposure@20'].includes(name)));
    for (const name of metricNames) expect(metricInfo[name].description).not.toBe('');
    expect(metrics['shops.tested']).toBe(4);
    expect(metrics['shops.worst-decile']).toBeLessThanOrEqual(metrics['ndcg@10']);
  });

  it('call the most popular shelf popular, and its reverse of the long tail', () => {
    const popular = metricsOfShelves(shelves, split, shopOf).metrics;
    const rare = metricsOfShelves(rankTests(split, (test, scores) => {
      model.score(params, test.history, scores);
      scores.forEach((score, item) => (scores[item] = -score));
    }), split, shopOf).metrics;
    expect(rare['aplt@10']).toBeGreaterThan(popular['aplt@10']);
    expect(rare['novelty@10']).toBeGreaterThan(popular['novelty@10']);
    expect(rare['popularity@10']).toBeLessThan(popular['popularity@10']);
  });

  it('leave out by shop what no shop has shoppers for', () => {
    const { metrics } = metricsOfShelves(shelves, split, (shopper) => shopper);
    expect(metrics).not.toHaveProperty('shops.worst-decile');
    expect(metrics).toMatchObject({ 'shops.tested': 0, 'shops.left-out': split.tests.length });
  });
});
