/**
 * Virtual shoppers of virtual shops, none of which exists until it is asked for: the cost of a round is that of its cohort. A
 * virtual shopper is a bootstrap draw of a real one: as many as one likes, and no taste that was not there before.
 */
import type { ShopperHistory } from '../commerce/history.ts';
import { shopByHash, shopByTaste } from '../datasets/partitions.ts';
import { hashedBelow } from '../numerics/hashed-random.ts';
import { hashName } from '../numerics/random.ts';
import { CestaError, requireNumber } from '../protocol/errors.ts';
import { dealCold, requireCold } from './cold-shops.ts';
import { countryDraws, dealCountries, shopsByCountry, type CountryDeal } from './countries.ts';
import type { Scenario } from './scenario.ts';
import { tasteDraws, tastesOf } from './tastes.ts';
import { hoursAnywhere, hoursInCountry } from './time-zones.ts';

export interface Population {
  readonly shoppers: number;
  readonly shops: number;
  /** The shop of a shopper, 0..shops-1. */
  shopOf(shopper: number): number;
  /** Shoppers of a shop are `first .. first + size - 1`. */
  firstOf(shop: number): number;
  sizeOf(shop: number): number;
  /** Index of the real shopper that a virtual one is a draw of. */
  realOf(shopper: number): number;
  /** Hours to add to UTC where this shop is. */
  utcOffsetHours(shop: number): number;
  /** The shop whose shelves a real shopper sees, for figures by shop. */
  shopOfReal(real: number): number;
}

/** What a population needs to know of the real shoppers, in the order of the data set. */
export interface RealShoppers {
  readonly ids: readonly string[];
  /** Country, in the embedded data. */
  readonly groups: readonly string[];
  readonly histories: readonly ShopperHistory[];
  /** Kind of each item of the catalogue, as `itemKinds` says it: what shops of different tastes are made by. */
  readonly kinds?: readonly string[];
}

/** Which shoppers are whose: those of a shop are neighbours. */
export type Layout = Pick<Population, 'shoppers' | 'shops' | 'shopOf' | 'firstOf' | 'sizeOf'>;
/** Which real shoppers the virtual ones of a shop are. */
export type VirtualDraws = Pick<Population, 'realOf' | 'shopOfReal'>;

/**
 * Real shoppers, each once, or any number of virtual ones; a function of the configuration, the data and the seed.
 *
 * | partition | real shoppers | a virtual shopper is a draw of | `shopOfReal` of virtual shops |
 * |---|---|---|---|
 * | `hash` | dealt as `byHash` does | all real ones alike | any, by hash |
 * | `country` | by hash among the shops of their country | all of the shop's country alike | any of that country, by hash |
 * | `dirichlet` | dealt as `dirichlet` does | a taste by the shop's mix, then all of that taste alike | by the shares of that taste in the shops |
 *
 * Cold shops are the last ones; whoever is not in them is dealt to the others. A shop of real shoppers may be empty; a virtual one
 * never is. Indexes out of range have no meaning and are not checked.
 * @throws CestaError `data.empty` without real shoppers; `config.invalid` for fewer virtual shoppers than shops, `country`
 * without groups, `dirichlet` without kinds, and cold shops that the data or the rest of the configuration do not allow
 * @example
 * const population = createPopulation(parseScenario({ population: { shoppers: 1_000_000 } }).population, real, 7);
 * real.histories[population.realOf(123_456)];
 */
export function createPopulation(config: Scenario['population'], real: RealShoppers, seed: number): Population {
  if (real.ids.length === 0) throw new CestaError('data.empty', 'shoppers: expected at least one, got none');
  if (typeof config.partition === 'object') requireNumber('population.partition.dirichlet', config.partition.dirichlet, 1e-6, 1e6);
  requireCold(config);
  return config.shoppers === null ? realPopulation(config, real, seed) : virtualPopulation({ ...config, shoppers: config.shoppers }, real, seed);
}

function realPopulation(config: Scenario['population'], real: RealShoppers, seed: number): Population {
  const { shops, partition, cold } = config;
  const deal = partition === 'country' ? dealCountries(real, shops, () => 1) : null;
  const shopOfReal = dealt(partition, deal, { real, shops: shops - (cold?.shops ?? 0), seed });
  dealCold(config, real, shopOfReal);
  const offsets = new Uint32Array(shops + 1);
  for (const shop of shopOfReal) offsets[shop + 1] += 1;
  for (let shop = 0; shop < shops; shop += 1) offsets[shop + 1] += offsets[shop];
  const realOf = new Uint32Array(real.ids.length);
  const next = offsets.slice();
  shopOfReal.forEach((shop, index) => (realOf[next[shop]++] = index));
  return { ...layoutOf(offsets), realOf: (shopper) => realOf[shopper], shopOfReal: (index) => shopOfReal[index], utcOffsetHours: hoursOf(deal, seed) };
}

function virtualPopulation(config: Scenario['population'] & { shoppers: number }, real: RealShoppers, seed: number): Population {
  const { shoppers, shops, partition } = config;
  if (shoppers < shops) throw new CestaError('config.invalid', `population.shoppers: expected at least one for each of ${shops} shops, got ${shoppers}`);
  const layout = layoutOf(virtualOffsets(config));
  const deal = partition === 'country' ? dealCountries(real, shops, layout.sizeOf) : null;
  return { ...layout, ...drawsOf(partition, deal, { real, layout, seed }), utcOffsetHours: hoursOf(deal, seed) };
}

/** Where each real shopper is dealt to. */
function dealt(partition: Scenario['population']['partition'], deal: CountryDeal | null, { real, shops, seed }: { real: RealShoppers; shops: number; seed: number }): Int32Array {
  if (deal !== null) return shopsByCountry(deal, real, seed);
  if (typeof partition !== 'object') return Int32Array.from(real.ids, (id) => shopByHash(id, shops, seed));
  const tastes = tastesOf(real);
  const shopOf = shopByTaste(partition.dirichlet, shops, seed);
  return Int32Array.from(real.ids, (id, index) => shopOf(id, tastes[index]));
}

function drawsOf(partition: Scenario['population']['partition'], deal: CountryDeal | null, { real, layout, seed }: { real: RealShoppers; layout: Layout; seed: number }): VirtualDraws {
  if (deal !== null) return countryDraws(deal, layout, seed);
  if (typeof partition === 'object') return tasteDraws({ alpha: partition.dirichlet, real, layout, seed });
  const drawKey = hashName(seed, 'virtual shoppers');
  const shopKey = hashName(seed, 'shops of real shoppers');
  return {
    realOf: (shopper) => hashedBelow(drawKey, shopper, real.ids.length),
    shopOfReal: (index) => hashedBelow(shopKey, index, layout.shops),
  };
}

function hoursOf(deal: CountryDeal | null, seed: number): (shop: number) => number {
  if (deal === null) return (shop) => hoursAnywhere(shop, seed);
  return (shop) => hoursInCountry(deal.countries.names[deal.countryOf[shop]]);
}

/** First shopper of each shop, and their number at the end: one in each shop, the others by the sums of the weights. */
function virtualOffsets({ shoppers, shops, sizes }: { shoppers: number; shops: number; sizes: 'equal' | 'zipf' }): Uint32Array {
  const sums = new Float64Array(shops + 1);
  for (let shop = 0; shop < shops; shop += 1) sums[shop + 1] = sums[shop] + (sizes === 'zipf' ? 1 / (shop + 1) : 1);
  return Uint32Array.from(sums, (sum, shop) => shop + Math.round(((shoppers - shops) * sum) / sums[shops]));
}

function layoutOf(offsets: Uint32Array): Layout {
  const shops = offsets.length - 1;
  return {
    shoppers: offsets[shops],
    shops,
    firstOf: (shop) => offsets[shop],
    sizeOf: (shop) => offsets[shop + 1] - offsets[shop],
    /** The last shop that starts at or before the shopper: those that start there too and end there are empty. */
    shopOf(shopper) {
      let low = 0;
      let high = shops - 1;
      while (low < high) {
        const middle = (low + high + 1) >>> 1;
        if (offsets[middle] <= shopper) low = middle;
        else high = middle - 1;
      }
      return low;
    },
  };
}
