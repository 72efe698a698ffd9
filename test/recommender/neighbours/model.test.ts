import { describe, expect, it } from 'vitest';
import { createCatalogue, type Catalogue } from '../../../shared/commerce/catalogue.ts';
import type { ShopperHistory } from '../../../shared/commerce/history.ts';
import { createModel, deploymentDefaults } from '../../../shared/recommender/registry.ts';
import { basket, giftShop, neighboursOf, nobody, noisyAggregate, scoresOf, shoppersOf, sumOf, today } from './fixtures.ts';

const items = giftShop.products.length;
const model = neighboursOf(giftShop, { asOf: today });
const trained = (noiseStd: number, seed = 1) => model.update(model.initial(), noisyAggregate(model, shoppersOf(500), noiseStd, seed));
const order = (scores: Float32Array): number[] => [...scores.keys()].sort((a, b) => scores[b] - scores[a]);

describe('neighbours', () => {
  it('ranks what goes with the history first: items of the same colour', () => {
    const scores = scoresOf(model, trained(0), basket(0, 4), items);
    const sameColour = [8, 12, 16].reduce((sum, item) => sum + scores[item], 0) / 3;
    const otherColours = [9, 10, 11, 13, 14, 15, 17, 18, 19].reduce((sum, item) => sum + scores[item], 0) / 9;
    expect(sameColour).toBeGreaterThan(1.5 * otherColours);
  });

  it('explains all of the personal part of a score, strongest first', () => {
    const params = trained(1);
    const history = basket(0, 5, 10, 15);
    const [scores, impersonal] = [scoresOf(model, params, history, items), scoresOf(model, params, nobody, items)];
    for (let item = 0; item < items; item += 1) {
      const reasons = model.explain(params, history, item, 10);
      expect(reasons.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(scores[item] - impersonal[item], 5);
      expect(reasons.map(({ weight }) => weight)).toEqual(reasons.map(({ weight }) => weight).sort((a, b) => b - a));
    }
    expect(model.explain(params, history, 4, 10).length).toBeGreaterThan(1);
    expect(model.explain(params, history, 4, 1).length).toBe(1);
    expect(model.explain(params, nobody, 4, 10)).toEqual([]);
  });

  it('ranks by popularity and trend without a history', () => {
    // Item 7 is bought by most and lately, item 3 by as many but long ago, item 12 by few.
    const buy = (item: number, count: number, days: number): ShopperHistory[] => Array.from({ length: count }, () => ({ ...basket(item), visitTimes: Float64Array.of(today - days * 86_400) }));
    const histories = [...buy(7, 300, 5), ...buy(3, 300, 150), ...buy(12, 3, 5)];
    const params = model.update(model.initial(), noisyAggregate(model, histories, 0));
    const ranked = order(scoresOf(model, params, nobody, items));
    expect(ranked[0]).toBe(7);
    expect(ranked.indexOf(3)).toBeLessThan(ranked.indexOf(12));
  });

  it('puts items that nothing in the history speaks for below the others, by popularity', () => {
    const few = neighboursOf(giftShop, { candidatesPerItem: 2 });
    const params = few.update(few.initial(), noisyAggregate(few, shoppersOf(500), 0));
    const history = basket(0);
    const [scores, impersonal] = [scoresOf(few, params, history, items), scoresOf(few, params, nobody, items)];
    const personal = Array.from(scores.keys()).filter((item) => few.explain(params, history, item, 1).length > 0);
    const silent = Array.from(scores.keys()).filter((item) => !personal.includes(item));
    expect(personal.length).toBeGreaterThan(0);
    expect(Math.min(...personal.map((item) => scores[item]))).toBeGreaterThan(Math.max(...silent.map((item) => scores[item])));
    expect(silent.map((item) => scores[item])).toEqual(silent.map((item) => impersonal[item]));
  });

  it('ranks by similarity alone before any round', () => {
    const scores = scoresOf(model, model.initial(), basket(0), items);
    expect(order(scores).slice(0, 8)).toContain(1);
    expect(new Set(scoresOf(model, model.initial(), nobody, items)).size).toBe(1);
  });

  it('passes over items younger than the release', () => {
    const params = trained(1);
    expect(scoresOf(model, params, basket(0, items, items + 7), items)).toEqual(scoresOf(model, params, basket(0), items));
  });

  it('is deterministic', () => {
    const again = neighboursOf(giftShop, { asOf: today });
    expect(again.update(again.initial(), noisyAggregate(again, shoppersOf(500), 2))).toEqual(trained(2));
  });
});

const catalogueOf = (count: number, title: (index: number) => string, priced: boolean): Catalogue =>
  createCatalogue(Array.from({ length: count }, (_, index) => ({ id: String(100 + index), title: title(index), ...(priced ? { price: index } : {}) })));

describe('neighbours stays finite', () => {
  const catalogues: [string, Catalogue, object][] = [
    ['one item', catalogueOf(1, () => 'tea cup', true), {}],
    ['two items without a word in common', catalogueOf(2, (index) => ['tea', 'gnome'][index], true), {}],
    ['three items without text or price', catalogueOf(3, () => '', false), {}],
    ['thirty items without text', catalogueOf(30, () => '', true), {}],
    ['top items in place of text', giftShop, { topItems: [0, 1, 5] }],
    ['one top item', giftShop, { topItems: [3] }],
    ['equal titles without prices', catalogueOf(40, () => 'tea cup', false), {}],
    ['the gift shop', giftShop, {}],
  ];
  describe.each(catalogues)('with %s', (_, catalogue, settings) => {
    const count = catalogue.products.length;
    const shoppers = shoppersOf(60).map((history) => ({ ...history, items: history.items.map((item) => item % count) }));
    it.each([
      ['no noise', shoppers, 0],
      ['some noise', shoppers, 3],
      ['huge noise', shoppers, 1e9],
      ['zero shoppers and no noise', [], 0],
      ['zero shoppers and noise', [], 3],
      ['shoppers without purchases', [nobody, nobody], 0],
    ] as [string, ShopperHistory[], number][])('and %s', (__, histories, noiseStd) => {
      for (const asOf of [null, today]) {
        const subject = neighboursOf(catalogue, { ...settings, asOf });
        let params = subject.initial();
        for (let round = 1; round <= 2; round += 1) params = subject.update(params, noisyAggregate(subject, histories, noiseStd, round));
        const { evidence, reach, trend, bias, similarityWeight } = params.factors;
        for (const values of [evidence, reach, trend, bias, [similarityWeight], params.weights.weights]) expect(values.every(Number.isFinite)).toBe(true);
        for (const history of [nobody, basket(0), basket(0, 1, 2)]) expect(scoresOf(subject, params, history, count).every(Number.isFinite)).toBe(true);
        expect(() => subject.decode(subject.encode(params))).not.toThrow();
      }
    });
  });

  it('learns from pairs where the catalogue says nothing in words', () => {
    const subject = neighboursOf(catalogueOf(20, () => '', false));
    const params = subject.update(subject.initial(), noisyAggregate(subject, shoppersOf(500), 0));
    expect(params.factors.similarityWeight).toBe(0);
    const scores = scoresOf(subject, params, basket(0, 4), 20);
    expect(scores[8] + scores[12]).toBeGreaterThan(scores[9] + scores[13]);
  });
});

describe('the settings of neighbours', () => {
  it('take today from the deployment, and nothing else does', () => {
    expect(createModel('neighbours', giftShop, deploymentDefaults('neighbours', { asOf: today })).hyperParameters).toEqual({ candidatesPerItem: 20, topItems: [], asOf: today });
    expect(deploymentDefaults('popularity', { asOf: today })).toEqual({});
  });

  it('forget where rounds are a day or more apart, and otherwise only if told to', () => {
    expect(deploymentDefaults('neighbours', { asOf: today, everySeconds: 86_400 })).toEqual({ asOf: today, forgettingFactor: 0.5 });
    expect(deploymentDefaults('neighbours', { asOf: today, everySeconds: 86_399 })).toEqual({ asOf: today });
    const lastWeight = (settings: object): number => {
      const model = createModel('neighbours', giftShop, settings) as ReturnType<typeof neighboursOf>;
      let params = model.initial();
      for (const sold of [0, 1]) params = model.update(params, noisyAggregate(model, Array.from({ length: 60 }, () => basket(sold, sold + 2)), 1, sold));
      return params.factors.bias[1] / params.factors.bias[0];
    };
    expect(lastWeight({ forgettingFactor: 0.1 })).toBeGreaterThan(1.5 * lastWeight({}));
    expect(lastWeight({ forgettingFactor: 1 })).toBe(lastWeight({}));
  });

  it('refuse unknown names and values out of range', () => {
    for (const settings of [{ tau: 2 }, { asOf: -1 }, { asOf: 1.5 }, { candidatesPerItem: 0 }, { forgettingFactor: 0 }, { forgettingFactor: 1.1 }]) {
      expect(() => createModel('neighbours', giftShop, settings)).toThrow(expect.objectContaining({ code: 'config.invalid' }));
    }
  });

  it('make a statistic without dead coordinates: every one can be touched', () => {
    for (const asOf of [null, today]) {
      const subject = neighboursOf(giftShop, { asOf });
      const touched = sumOf(subject, [basket(...giftShop.products.keys())]);
      expect(touched.every((value) => value !== 0)).toBe(true);
    }
  });
});
