/**
 * Shops of one country each. With as many shops as countries or more, every country has a shop, and shops beyond that go to the
 * countries that have most shoppers for those they have: shoppers by country come as near to the real shares as the number and
 * the sizes of the shops allow. (Hardly more shops than countries, all of one size, give small countries more virtual shoppers
 * than is their share.) With fewer shops than countries, the countries with the fewest shoppers share the last one.
 */
import { hashedBelow } from '../numerics/hashed-random.ts';
import { hashName } from '../numerics/random.ts';
import { shopByHash } from '../datasets/partitions.ts';
import { CestaError } from '../protocol/errors.ts';
import { listBy, type ShopperLists } from './shopper-lists.ts';
import type { Layout, RealShoppers, VirtualDraws } from './population.ts';

export interface CountryDeal {
  readonly countries: ShopperLists;
  /** Which of the countries a shop is in. */
  readonly countryOf: Int32Array;
  /** Ascending, one list a country. */
  readonly shopsOf: readonly (readonly number[])[];
}

/**
 * @param sizeOf shoppers of a shop, or what is in proportion to them; largest first
 * @throws CestaError `config.invalid` where the data know no countries
 */
export function dealCountries({ groups }: RealShoppers, shops: number, sizeOf: (shop: number) => number): CountryDeal {
  if (groups.every((group) => group === '')) throw new CestaError('config.invalid', 'population.partition: expected data with groups to divide by country, got none');
  const countries = listBy(groups, shops);
  const countryOf = new Int32Array(shops);
  const shopsOf = countries.members.map((): number[] => []);
  const dealt = new Float64Array(shopsOf.length);
  let without = shopsOf.length;
  for (let shop = 0; shop < shops; shop += 1) {
    const mustBeNew = shops - shop === without;
    let best = -1;
    for (let country = 0; country < dealt.length; country += 1) {
      if (mustBeNew && dealt[country] > 0) continue;
      // Shoppers there are for each that is dealt: the highest averages of D'Hondt, with shops of any size.
      const { length } = countries.members[country];
      if (best === -1 || length * (dealt[best] + sizeOf(shop)) > countries.members[best].length * (dealt[country] + sizeOf(shop))) best = country;
    }
    if (dealt[best] === 0) without -= 1;
    dealt[best] += sizeOf(shop);
    countryOf[shop] = best;
    shopsOf[best].push(shop);
  }
  return { countries, countryOf, shopsOf };
}

/** The shop of each real shopper: one of their country's, by hash. */
export function shopsByCountry({ countries, shopsOf }: CountryDeal, { ids }: RealShoppers, seed: number): Int32Array {
  return Int32Array.from(ids, (id, real) => {
    const own = shopsOf[countries.listOf[real]];
    return own[shopByHash(id, own.length, seed)];
  });
}

/** Virtual shoppers: all real ones of the shop's country alike. */
export function countryDraws({ countries, countryOf, shopsOf }: CountryDeal, { shopOf }: Layout, seed: number): VirtualDraws {
  const drawKey = hashName(seed, 'virtual shoppers');
  const shopKey = hashName(seed, 'shops of real shoppers');
  return {
    realOf(shopper) {
      const members = countries.members[countryOf[shopOf(shopper)]];
      return members[hashedBelow(drawKey, shopper, members.length)];
    },
    shopOfReal(real) {
      const own = shopsOf[countries.listOf[real]];
      return own[hashedBelow(shopKey, real, own.length)];
    },
  };
}
