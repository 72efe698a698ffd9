import { describe, expect, it } from 'vitest';
import { historyOf } from '../../shared/commerce/history.ts';
import { isColdShop, smallShops } from '../../shared/simulation/cold-shops.ts';
import { createPopulation, type RealShoppers } from '../../shared/simulation/population.ts';
import { parseScenario, type Scenario, type ScenarioInput } from '../../shared/simulation/scenario.ts';

/** Shoppers with 0 to 29 events. */
const real: RealShoppers = {
  ids: Array.from({ length: 300 }, (_, shopper) => `shopper ${shopper}`),
  groups: Array.from({ length: 300 }, () => 'somewhere'),
  histories: Array.from({ length: 300 }, (_, shopper) => historyOf([{ time: 0, items: Array.from({ length: shopper % 30 }, (_item, item) => item) }].filter(({ items }) => items.length > 0))),
};
const events = (shopper: number): number => shopper % 30;
const configOf = (input: ScenarioInput['population']): Scenario['population'] => parseScenario({ population: input }).population;
const cold = { shops: 5, events: 60 };

describe('shops with little data', () => {
  it('have shoppers with few orders, each of them in one shop, and hardly a place left', () => {
    const shops = smallShops(real, 60);
    const members = shops.flat();
    expect(new Set(members).size).toBe(members.length);
    expect([...members].sort((a, b) => a - b)).toEqual([...real.ids.keys()].filter((shopper) => events(shopper) > 0 && events(shopper) <= 20));
    for (const shop of shops.slice(0, -1)) {
      const sum = shop.reduce((total, shopper) => total + events(shopper), 0);
      expect(sum).toBeLessThanOrEqual(60);
      expect(sum).toBeGreaterThan(60 - 20);
    }
    expect(smallShops(real, 3).flat().every((shopper) => events(shopper) <= 3)).toBe(true);
  });

  it('are the last ones of a population, and the same ones with every seed; whoever is not in them is dealt to the others', () => {
    const config = configOf({ shops: 12, cold });
    const populations = [1, 2].map((seed) => createPopulation(config, real, seed));
    const coldOf = populations.map((population) => [...real.ids.keys()].map((shopper) => population.shopOfReal(shopper)).map((shop) => (shop >= 7 ? shop : -1)));
    expect(coldOf[1]).toEqual(coldOf[0]);
    expect(coldOf[0].filter((shop) => shop >= 0)).toHaveLength(smallShops(real, 60).slice(0, 5).flat().length);
    for (let shop = 0; shop < 12; shop += 1) {
      expect(isColdShop(config, shop)).toBe(shop >= 7);
      expect(populations[0].sizeOf(shop)).toBeGreaterThan(0);
    }
    const others = populations.map((population) => [...real.ids.keys()].map((shopper) => population.shopOfReal(shopper)));
    expect(others[1]).not.toEqual(others[0]);
    expect(isColdShop(configOf({ shops: 12 }), 11)).toBe(false);
  });

  it.each<[string, ScenarioInput['population'], string]>([
    ['virtual shoppers', { shops: 12, shoppers: 100, cold }, 'population.cold: expected none with virtual shoppers'],
    ['shops of one country', { shops: 12, partition: 'country', cold }, 'population.cold: expected none with shops of one country each'],
    ['no other shop', { shops: 5, cold }, 'population.cold.shops: expected fewer than the 5 shops'],
    ['more than the data fill', { shops: 999, cold: { shops: 500, events: 60 } }, 'population.cold.shops: expected at most'],
  ])('are refused with %s', (_what, input, message) => {
    expect(() => createPopulation(configOf(input), real, 1)).toThrow(message);
  });
});
