import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { historyOf } from '../../shared/commerce/history.ts';
import { byGroup, byHash, dirichlet, itemKinds, type Partition } from '../../shared/datasets/partitions.ts';
import type { Dataset } from '../../shared/datasets/dataset.ts';
import { createPopulation, type Population, type RealShoppers } from '../../shared/simulation/population.ts';
import { scenarioSchema, type Scenario, type ScenarioInput } from '../../shared/simulation/scenario.ts';
import { codeOf } from '../datasets/code-of.ts';

const kindNames = ['bag', 'lamp', 'mug', 'sign'];
/** Out of 10 shoppers: five Britons, three Germans, one from Japan and one from a place nobody knows. */
const countries = ['United Kingdom', 'Germany', 'United Kingdom', 'Japan', 'United Kingdom', 'Germany', 'United Kingdom', 'Germany', 'United Kingdom', 'Atlantis'];
/** Out of 8 shoppers: four buy bags. */
const tastes = [0, 1, 0, 2, 0, 1, 0, 3];
const realCount = 400;

const catalogue = createCatalogue(kindNames.map((kind) => ({ id: kind, title: kind, category: kind })));
const dataset: Dataset = {
  name: 'market',
  catalogue,
  shoppers: Array.from({ length: realCount }, (_, index) => ({ id: `shopper ${index}`, history: historyOf([{ time: 0, items: [tastes[index % 8]] }]), group: countries[index % 10], degree: 3 as const })),
  report: { lines: 0, used: 0, complaints: [] },
};
const real: RealShoppers = {
  ids: dataset.shoppers.map(({ id }) => id),
  groups: dataset.shoppers.map(({ group }) => group),
  histories: dataset.shoppers.map(({ history }) => history),
  kinds: itemKinds(catalogue.products),
};
const kindOf = (index: number): string => kindNames[tastes[index % 8]];
const countryOf = (index: number): string => countries[index % 10];

const configOf = (input: ScenarioInput['population']): Scenario['population'] => scenarioSchema.parse({ population: input }).population;
const populationOf = (input: ScenarioInput['population'], seed = 7): Population => createPopulation(configOf(input), real, seed);
const range = (count: number, first = 0): number[] => Array.from({ length: count }, (_, index) => first + index);
const shoppersOf = (population: Population, shop: number): number[] => range(population.sizeOf(shop), population.firstOf(shop)).map((shopper) => population.realOf(shopper));
const shares = (values: readonly string[]): Map<string, number> => {
  const found = new Map<string, number>();
  for (const value of values) found.set(value, (found.get(value) ?? 0) + 1 / values.length);
  return found;
};
const expectShare = (found: number | undefined, share: number, draws: number): void => expect(Math.abs((found ?? 0) - share)).toBeLessThan(5 * Math.sqrt((share * (1 - share)) / draws));
const partitions = ['hash', 'country', { dirichlet: 0.5 }] as const;

describe.each([...partitions.map((partition) => ({ shoppers: null, partition })), ...partitions.map((partition) => ({ shoppers: 3000, partition, sizes: 'zipf' as const }))])('a population $shoppers by $partition', (input) => {
  it('has neighbours in a shop, and every shopper in the shop that holds its index', () => {
    for (const shops of [1, 3, 4, 25]) {
      const population = populationOf({ ...input, shops });
      let next = 0;
      for (const shop of range(shops)) {
        expect(population.firstOf(shop)).toBe(next);
        for (const shopper of range(population.sizeOf(shop), next)) if (population.shopOf(shopper) !== shop) expect.unreachable();
        next += population.sizeOf(shop);
      }
      expect(next).toBe(population.shoppers);
      expect(next).toBe(input.shoppers ?? realCount);
    }
  });

  it('is a function of the seed', () => {
    const drawn = (seed: number): number[] => {
      const population = populationOf({ ...input, shops: 25 }, seed);
      return [...range(population.shoppers).flatMap((shopper) => [population.shopOf(shopper), population.realOf(shopper)]), ...range(realCount).map((index) => population.shopOfReal(index)), ...range(25).map((shop) => population.utcOffsetHours(shop))];
    };
    expect(drawn(7)).toEqual(drawn(7));
    expect(drawn(7)).not.toEqual(drawn(8));
  });

  it('does not depend on the order it is asked in', () => {
    const [forwards, backwards] = [populationOf({ ...input, shops: 25 }), populationOf({ ...input, shops: 25 })];
    const all = range(forwards.shoppers);
    const seen = new Map(all.toReversed().map((shopper) => [shopper, backwards.realOf(shopper)]));
    expect(all.map((shopper) => forwards.realOf(shopper))).toEqual(all.map((shopper) => seen.get(shopper)));
  });
});

describe('a population of the real shoppers', () => {
  it.each<[string, Scenario['population']['partition'], Partition]>([['hash', 'hash', byHash(6)], ['taste', { dirichlet: 0.5 }, dirichlet(0.5, 6)]])('is dealt by %s as the data set would be', (_, partition, asDealt) => {
    const population = populationOf({ shops: 6, partition });
    expect(range(6).map((shop) => shoppersOf(population, shop).map((index) => real.ids[index]))).toEqual(asDealt(dataset, 7).map((shop) => shop.map(({ id }) => id)));
  });

  it('is dealt by country as the data set would be, where there are as many shops', () => {
    const population = populationOf({ shops: 4, partition: 'country' });
    const byName = (shops: string[][]): string[][] => shops.toSorted((a, b) => (a[0] < b[0] ? -1 : 1));
    expect(byName(range(4).map((shop) => shoppersOf(population, shop).map((index) => real.ids[index])))).toEqual(byName(byGroup()(dataset, 7).map((shop) => shop.map(({ id }) => id))));
  });

  it('has each of them once, in the shop that shows them its shelves', () => {
    for (const partition of partitions) {
      const population = populationOf({ shops: 25, partition });
      expect(range(realCount).map((shopper) => population.realOf(shopper)).sort((a, b) => a - b)).toEqual(range(realCount));
      for (const shopper of range(realCount)) expect(population.shopOfReal(population.realOf(shopper))).toBe(population.shopOf(shopper));
    }
  });
});

describe('the sizes of virtual shops', () => {
  it('are about equal, or those of ranks, and never nothing', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 0, max: 100_000 }), fc.constantFrom('equal' as const, 'zipf' as const), (shops, more, sizes) => {
      const population = populationOf({ shoppers: shops + more, shops, sizes });
      const harmonic = range(shops).reduce((sum, shop) => sum + 1 / (shop + 1), 0);
      expect(population.shoppers).toBe(shops + more);
      for (const shop of range(shops)) {
        const wanted = 1 + more * (sizes === 'equal' ? 1 / shops : 1 / (shop + 1) / harmonic);
        // Two ends are rounded.
        expect(Math.abs(population.sizeOf(shop) - wanted)).toBeLessThanOrEqual(1.001);
        expect(population.sizeOf(shop)).toBeGreaterThanOrEqual(1);
      }
    }));
  });

  it('are refused where shoppers are fewer than shops', () => {
    expect(codeOf(() => populationOf({ shoppers: 19, shops: 20 }))).toBe('config.invalid');
    expect(populationOf({ shoppers: 20, shops: 20 }).sizeOf(19)).toBe(1);
  });
});

describe('virtual shoppers', () => {
  it('are by hash each real shopper equally often', () => {
    const shoppers = 100_000;
    const population = populationOf({ shoppers, shops: 50 });
    const counts = new Float64Array(realCount);
    for (const shopper of range(shoppers)) counts[population.realOf(shopper)] += 1;
    for (const count of counts) expectShare(count / shoppers, 1 / realCount, shoppers);
  });

  it('are by country of the country of their shop', () => {
    const population = populationOf({ shoppers: 5000, shops: 40, partition: 'country' });
    for (const shop of range(40)) {
      const found = new Set(shoppersOf(population, shop).map(countryOf));
      expect(found.size).toBe(1);
    }
    for (const index of range(realCount)) expect(countryOf(population.realOf(population.firstOf(population.shopOfReal(index))))).toBe(countryOf(index));
  });

  it.each(['equal', 'zipf'] as const)('keep the shares of the countries in shops of %s sizes', (sizes) => {
    const [shoppers, shops] = [20_000, 400];
    const population = populationOf({ shoppers, shops, sizes, partition: 'country' });
    const found = shares(range(shoppers).map((shopper) => countryOf(population.realOf(shopper))));
    // Dealt as long as a country lacks shoppers: the error is a shop, one of the smaller ones where the largest does not exceed a share.
    for (const [country, share] of shares(real.groups)) expect(Math.abs(found.get(country)! - share)).toBeLessThan(0.01);
  });

  it('have a shop in every country once there are shops enough, and share one where there are not', () => {
    const countriesOf = (shops: number): string[][] => {
      const population = populationOf({ shoppers: 2000, shops, partition: 'country' });
      return range(shops).map((shop) => [...new Set(shoppersOf(population, shop).map(countryOf))].sort());
    };
    expect(countriesOf(4)).toEqual([['United Kingdom'], ['Germany'], ['Atlantis'], ['Japan']]);
    expect(countriesOf(3)).toEqual([['United Kingdom'], ['Germany'], ['Atlantis', 'Japan']]);
    expect(countriesOf(1)).toEqual([['Atlantis', 'Germany', 'Japan', 'United Kingdom']]);
    expect(new Set(countriesOf(5).flat()).size).toBe(4);
  });
});

describe('virtual shops of different tastes', () => {
  const largest = (population: Population): number => range(population.shops).reduce((sum, shop) => sum + Math.max(...shares(shoppersOf(population, shop).map(kindOf)).values()), 0) / population.shops;
  const apart = (alpha: number): Population => populationOf({ shoppers: 40_000, shops: 400, partition: { dirichlet: alpha } });

  it('are alike for a large alpha and apart for a small one', () => {
    // Half of the real shoppers buy bags; a hundred shoppers a shop tell that to a standard error of 5 %.
    expect(largest(apart(1e4))).toBeLessThan(0.55);
    expect(largest(apart(0.01))).toBeGreaterThan(0.95);
    expect(largest(apart(1))).toBeGreaterThan(largest(apart(100)));
    expect(largest(apart(1))).toBeLessThan(largest(apart(0.01)));
  });

  it.each([0.1, 1, 100])('keep the shares of the tastes over all, with an alpha of %d', (alpha) => {
    const population = apart(alpha);
    const found = shares(range(population.shoppers).map((shopper) => kindOf(population.realOf(shopper))));
    for (const [kind, share] of shares(range(realCount).map(kindOf))) {
      // Dirichlet(alpha p): a shop's share has variance p (1 - p) / (alpha + 1), and so has their mean over 400 shops.
      const variance = (share * (1 - share)) / (alpha + 1) / population.shops + (share * (1 - share)) / population.shoppers;
      expect(Math.abs((found.get(kind) ?? 0) - share)).toBeLessThan(5 * Math.sqrt(variance));
    }
  });

  it('show their shelves to real shoppers of tastes they have', () => {
    const population = apart(0.01);
    const shelf = range(realCount).map((index) => shares(shoppersOf(population, population.shopOfReal(index)).map(kindOf)).get(kindOf(index)) ?? 0);
    // By chance it would be the share of the taste among all: 0.34 on average.
    expect(shelf.reduce((sum, share) => sum + share, 0) / realCount).toBeGreaterThan(0.9);
    expect(new Set(range(realCount).map((index) => population.shopOfReal(index))).size).toBeGreaterThan(100);
  });

  it('go to some shop where no shop has the taste', () => {
    const population = populationOf({ shoppers: 100, shops: 1, partition: { dirichlet: 1e-5 } });
    expect(new Set(range(8).map((index) => population.shopOfReal(index)))).toEqual(new Set([0]));
  });
});

describe('the hours of shops', () => {
  it('are those of their country', () => {
    const population = populationOf({ shops: 4, partition: 'country' });
    expect(range(4).map((shop) => population.utcOffsetHours(shop))).toEqual([0, 1, 0, 9]);
  });

  it('are drawn where a shop can be anywhere, most of them in few zones', () => {
    const population = populationOf({ shoppers: 20_000, shops: 10_000 });
    const found = shares(range(10_000).map((shop) => String(population.utcOffsetHours(shop))));
    expectShare(found.get('1'), 0.5, 10_000);
    expectShare(found.get('0'), 0.2, 10_000);
    expectShare(found.get('-5'), 0.1, 10_000);
    expect([...found.values()].reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 10);
  });
});

describe('a population is refused', () => {
  it('without real shoppers, countries or kinds where it is made of them', () => {
    expect(codeOf(() => createPopulation(configOf({}), { ids: [], groups: [], histories: [] }, 7))).toBe('data.empty');
    const plain: RealShoppers = { ids: real.ids, groups: real.groups.map(() => ''), histories: real.histories };
    for (const shoppers of [null, 1000]) {
      expect(codeOf(() => createPopulation(configOf({ shoppers, partition: 'country' }), plain, 7))).toBe('config.invalid');
      expect(codeOf(() => createPopulation(configOf({ shoppers, partition: { dirichlet: 1 } }), plain, 7))).toBe('config.invalid');
      expect(codeOf(() => createPopulation(configOf({ shoppers, partition: { dirichlet: 1e-9 } }), real, 7))).toBe('config.invalid');
      expect(codeOf(() => createPopulation(configOf({ shoppers }), plain, 7))).toBe('none');
    }
  });
});
