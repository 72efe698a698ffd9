/**
 * Shops with little data: a few shoppers, each with few orders. Who they are follows from ids and orders alone, whatever the seed:
 * runs with different seeds have the same ones, and can be compared shopper by shopper.
 */
import { seededRandom } from '../numerics/random.ts';
import { CestaError } from '../protocol/errors.ts';
import type { RealShoppers } from './population.ts';
import type { Scenario } from './scenario.ts';

/** A shopper with more would make a shop of little data by themselves. */
const mostEventsOfAShopper = 20;

/**
 * As many shops as can be filled: shoppers with 1 to 20 events, in an order of hashes of their ids, each shop filled up to
 * `mostEvents`. Indexes of the shoppers, one list a shop.
 */
export function smallShops({ ids, histories }: Pick<RealShoppers, 'ids' | 'histories'>, mostEvents: number): number[][] {
  const eventsOf = (shopper: number): number => histories[shopper].items.length;
  const fitting = [...ids.keys()].filter((shopper) => eventsOf(shopper) > 0 && eventsOf(shopper) <= Math.min(mostEvents, mostEventsOfAShopper));
  const places = new Map(fitting.map((shopper) => [shopper, seededRandom(0, `small shop of ${ids[shopper]}`).nextUint32()]));
  const shops: number[][] = [];
  let left = 0;
  for (const shopper of fitting.sort((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0))) {
    if (shops.length === 0 || eventsOf(shopper) > left) {
      shops.push([]);
      left = mostEvents;
    }
    shops[shops.length - 1].push(shopper);
    left -= eventsOf(shopper);
  }
  return shops;
}

/** The last ones of a population are. */
export function isColdShop({ shops, cold }: Scenario['population'], shop: number): boolean {
  return cold !== undefined && shop >= shops - cold.shops;
}

/**
 * Takes the shoppers of cold shops from where they were dealt to.
 * @param shopOfReal changed in place; those who stay are in shops `0 .. config.shops - cold.shops - 1`
 * @throws CestaError `config.invalid` where the data do not fill so many
 */
export function dealCold({ shops, cold }: Scenario['population'], real: RealShoppers, shopOfReal: Int32Array): void {
  if (cold === undefined) return;
  const found = smallShops(real, cold.events);
  if (found.length < cold.shops) throw new CestaError('config.invalid', `population.cold.shops: expected at most ${found.length}, which is what shoppers with few orders fill with ${cold.events} events each, got ${cold.shops}`);
  found.slice(0, cold.shops).forEach((members, place) => {
    for (const shopper of members) shopOfReal[shopper] = shops - cold.shops + place;
  });
}

/** @throws CestaError `config.invalid` for what cold shops do not go with */
export function requireCold({ shoppers, shops, partition, cold }: Scenario['population']): void {
  if (cold === undefined) return;
  if (shoppers !== null) throw new CestaError('config.invalid', `population.cold: expected none with virtual shoppers, whose shops have as many as they like, got ${shoppers} shoppers`);
  if (partition === 'country') throw new CestaError('config.invalid', 'population.cold: expected none with shops of one country each, got partition country');
  if (cold.shops >= shops) throw new CestaError('config.invalid', `population.cold.shops: expected fewer than the ${shops} shops, got ${cold.shops}`);
}
