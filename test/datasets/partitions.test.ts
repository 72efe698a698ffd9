import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { historyOf } from '../../shared/commerce/history.ts';
import type { Dataset, Shopper } from '../../shared/datasets/dataset.ts';
import { dirichletShares, logGamma } from '../../shared/datasets/dirichlet.ts';
import { byGroup, byHash, dirichlet, itemKinds, tasteOf as tasteIn } from '../../shared/datasets/partitions.ts';
import { seededRandom } from '../../shared/numerics/random.ts';
import { codeOf } from './code-of.ts';

const kinds = ['bag', 'lamp', 'mug', 'sign'];
const groups = ['ES', 'PL', ''];

/** Shoppers who mostly buy one kind each. */
function market(shopperCount: number): Dataset {
  const catalogue = createCatalogue(kinds.flatMap((kind, index) => [0, 1, 2].map((number) => ({ id: `${index}-${number}`, title: `Item ${number}`, category: `${kind} > ${number}` }))));
  const shoppers = Array.from({ length: shopperCount }, (_, index): Shopper => {
    const kind = index % kinds.length;
    return { id: `shopper ${index}`, history: historyOf([{ time: 0, items: [3 * kind, 3 * kind + 1, (3 * kind + 5) % 12] }]), group: groups[index % 3], degree: 3 };
  });
  return { name: 'market', catalogue, shoppers, report: { lines: 0, used: 0, complaints: [] } };
}

const dataset = market(4000);
const tasteOf = (shopper: Shopper): string => kinds[Number(shopper.id.split(' ')[1]) % kinds.length];
const idsOf = (shops: Shopper[][]): string[][] => shops.map((shop) => shop.map(({ id }) => id));
const partitions = { 'by hash': byHash(20), 'by group': byGroup(), dirichlet: dirichlet(0.5, 20) };

describe.each(Object.entries(partitions))('a partition %s', (_, partition) => {
  it('puts every shopper into exactly one shop, in the order of the data', () => {
    const shops = idsOf(partition(dataset, 7));
    const all = dataset.shoppers.map(({ id }) => id);
    expect(shops.flat().sort()).toEqual([...all].sort());
    const position = new Map(all.map((id, index) => [id, index]));
    for (const shop of shops) expect(shop).toEqual([...shop].sort((a, b) => position.get(a)! - position.get(b)!));
  });

  it('is the same for the same seed', () => {
    expect(idsOf(partition(dataset, 7))).toEqual(idsOf(partition(dataset, 7)));
  });

  it('leaves a shopper where they are when others leave', () => {
    const shops = idsOf(partition(dataset, 7)).map((shop) => new Set(shop));
    const fewer = idsOf(partition({ ...dataset, shoppers: dataset.shoppers.filter((_unused, index) => index % 5 > 0) }, 7));
    expect(fewer.flat().length).toBe(3200);
    fewer.forEach((shop, index) => expect(shop.filter((id) => !shops[index].has(id))).toEqual([]));
  });

  it('takes a data set without shoppers', () => {
    expect(partition({ ...dataset, shoppers: [] }, 7).flat()).toEqual([]);
  });
});

describe('byHash', () => {
  it('makes shops whose sizes differ no more than those of a fair draw', () => {
    for (const seed of [1, 2, 3]) {
      const sizes = byHash(20)(dataset, seed).map((shop) => shop.length);
      // Binomial: mean 200, standard deviation 13.8; five of them leave one false alarm in some 30,000 runs of 60 shops.
      for (const size of sizes) expect(Math.abs(size - 200)).toBeLessThan(5 * Math.sqrt(4000 * (1 / 20) * (19 / 20)));
      expect(new Set(sizes).size).toBeGreaterThan(1);
    }
  });

  it('draws anew for another seed', () => {
    const first = idsOf(byHash(20)(dataset, 1));
    const second = idsOf(byHash(20)(dataset, 2)).map((shop) => new Set(shop));
    const stayed = first.flatMap((shop, index) => shop.filter((id) => second[index].has(id))).length;
    expect(Math.abs(stayed - 200)).toBeLessThan(5 * Math.sqrt(4000 * (1 / 20) * (19 / 20)));
  });

  it.each([0, -1, 2.5, NaN, 65_536])('refuses %d shops', (count) => {
    expect(codeOf(() => byHash(count))).toBe('config.invalid');
    expect(codeOf(() => dirichlet(1, count))).toBe('config.invalid');
  });
});

describe('byGroup', () => {
  it('makes one shop per group, by name, the unknown group first', () => {
    expect(byGroup()(dataset, 0).map((shop) => [...new Set(shop.map(({ group }) => group))])).toEqual([[''], ['ES'], ['PL']]);
  });
});

describe('dirichlet', () => {
  /** Mean over shops of the share of their most common taste, by number of shoppers: 0.25 when alike, 1 when apart. */
  const purity = (alpha: number): number => {
    const shops = dirichlet(alpha, 10)(dataset, 3);
    const largest = shops.map((shop) => Math.max(0, ...kinds.map((kind) => shop.filter((shopper) => tasteOf(shopper) === kind).length)));
    return largest.reduce((sum, count) => sum + count, 0) / dataset.shoppers.length;
  };

  it('makes shops alike for a large alpha and apart for a small one', () => {
    expect(purity(1e4)).toBeLessThan(0.35);
    expect(purity(0.01)).toBeGreaterThan(0.75);
    expect(purity(1)).toBeGreaterThan(purity(1e4));
    expect(purity(1)).toBeLessThan(purity(0.01));
  });

  it.each([0, -1, NaN, Infinity])('refuses an alpha of %d', (alpha) => {
    expect(codeOf(() => dirichlet(alpha, 5))).toBe('config.invalid');
  });
});

describe('the kinds of items', () => {
  it('are the top level of their category', () => {
    expect(itemKinds([{ id: '1', title: 'x', category: 'Home > Light' }, { id: '2', title: 'x', category: 'Drama|War' }, { id: '3', title: 'x' }])).toEqual(['Home', 'Drama', '']);
  });

  it('are the most frequent last words of titles where there are no categories', () => {
    const titles = Array.from({ length: 20 }, (_, index) => ['first', 'second'].map((which) => `${which} ${String.fromCharCode(97 + index).repeat(3)} 10`)).flat();
    const products = [...titles, 'RED BAG', 'SET OF 6 MUGS', ''].map((title, index) => ({ id: String(index), title }));
    expect(itemKinds(products).slice(-5)).toEqual(['ttt', 'ttt', '', '', '']);
    expect(new Set(itemKinds(products)).size).toBe(21);
  });
});

describe('the taste of a shopper', () => {
  const taste = (...items: number[]): string => tasteIn(historyOf([{ time: 0, items }]), ['', '', '', 'mug', 'mug', 'bag']);

  it('is the kind of most of their items, and the rest of the catalogue only where they have nothing else', () => {
    expect(taste(0, 1, 3, 4, 5)).toBe('mug');
    expect(taste(0, 1, 2, 5)).toBe('bag');
    expect(taste(3, 5)).toBe('bag');
    expect(taste(0, 1)).toBe('');
    expect(taste()).toBe('');
  });
});

describe('Dirichlet and gamma draws', () => {
  const draws = 20_000;

  it.each([0.3, 1, 2.5, 40])('of shape %d have the mean and the variance of a gamma variable', (shape) => {
    const random = seededRandom(11, `gamma ${shape}`);
    const values = Float64Array.from({ length: draws }, () => Math.exp(logGamma(shape, random)));
    const mean = values.reduce((sum, value) => sum + value, 0) / draws;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (draws - 1);
    // Mean and variance are both the shape; the fourth central moment is 3 shape^2 + 6 shape.
    expect(Math.abs(mean - shape)).toBeLessThan(5 * Math.sqrt(shape / draws));
    expect(Math.abs(variance - shape)).toBeLessThan(5 * Math.sqrt((2 * shape ** 2 + 6 * shape) / draws));
  });

  it('are shares that sum to 1, however small the alpha', () => {
    fc.assert(fc.property(fc.constantFrom(1e-6, 1e-3, 0.1, 1, 100, 1e6), fc.integer({ min: 1, max: 50 }), fc.integer(), (alpha, count, seed) => {
      const shares = dirichletShares(alpha, count, seededRandom(seed));
      expect(shares.length).toBe(count);
      expect(shares.every((share) => share >= 0 && share <= 1)).toBe(true);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 10);
    }));
  });

  it('give each of four parts a quarter on average, with the variance of the distribution', () => {
    const [alpha, parts, trials] = [0.5, 4, 5000];
    const random = seededRandom(5);
    const first = Float64Array.from({ length: trials }, () => dirichletShares(alpha, parts, random)[0]);
    const variance = ((1 / parts) * (1 - 1 / parts)) / (parts * alpha + 1);
    const mean = first.reduce((sum, share) => sum + share, 0) / trials;
    const spread = first.reduce((sum, share) => sum + (share - mean) ** 2, 0) / trials;
    expect(Math.abs(mean - 1 / parts)).toBeLessThan(5 * Math.sqrt(variance / trials));
    // Shares are in [0, 1], so the fourth central moment is at most the variance.
    expect(Math.abs(spread - variance)).toBeLessThan(5 * Math.sqrt(variance / trials));
  });
});
