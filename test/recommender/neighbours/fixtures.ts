/** A small gift shop, sums of its shoppers, and items to put beside each other without a catalogue. */
import { createCatalogue, type Catalogue } from '../../../shared/commerce/catalogue.ts';
import { historyOf, type ShopperHistory } from '../../../shared/commerce/history.ts';
import { seededRandom } from '../../../shared/numerics/random.ts';
import { createSparseVector } from '../../../shared/numerics/sparse-vector.ts';
import type { Aggregate, FederatedModel } from '../../../shared/recommender/federated-model.ts';
import { createPairs, type ItemPairs } from '../../../shared/recommender/item-pairs.ts';
import { createGraph } from '../../../shared/recommender/neighbours/item-graph.ts';
import { createNeighbours, neighboursHyperParameters } from '../../../shared/recommender/neighbours/model.ts';
import { usualPriceGap, type PublicPart } from '../../../shared/recommender/neighbours/public-part.ts';
import type { NeighboursParams } from '../../../shared/recommender/neighbours/release.ts';

export const daySeconds = 86_400;
export const today = 20_000 * daySeconds;

const colours = ['red', 'blue', 'green', 'white'];
const things = ['tea cup', 'tea pot', 'cake stand', 'garden gnome', 'paper lantern'];

/** 20 products; item `c + 4 t` has colour c and is thing t. */
export const giftShop: Catalogue = createCatalogue(things.flatMap((thing, t) => colours.map((colour, c) => ({
  id: String(10 + 4 * t + c),
  title: `${colour} ${thing}`,
  price: 1 + t,
}))));

export function neighboursOf(catalogue: Catalogue, hyperParameters: object = {}): FederatedModel<NeighboursParams> {
  return createNeighbours(catalogue, neighboursHyperParameters.parse(hyperParameters));
}

/** Shoppers who each like one colour, seeded; visits over the last 200 days. */
export function shoppersOf(count: number, seed = 1): ShopperHistory[] {
  const random = seededRandom(seed, 'gift shop');
  return Array.from({ length: count }, () => {
    const colour = random.nextBelow(4);
    const visits = Array.from({ length: 1 + random.nextBelow(3) }, () => ({
      time: today - random.nextBelow(200) * daySeconds - 1,
      items: things.map((_, t) => t).filter(() => random.nextBelow(2) === 0).map((t) => 4 * t + (random.nextBelow(4) === 0 ? random.nextBelow(4) : colour)),
    }));
    return historyOf(visits);
  });
}

/** What one shopper adds, as a dense vector. */
export function contributionOf<Params>(model: FederatedModel<Params>, history: ShopperHistory): Float64Array {
  return sumOf(model, [history]);
}

export function sumOf<Params>(model: FederatedModel<Params>, histories: readonly ShopperHistory[]): Float64Array {
  const sum = new Float64Array(model.statisticLength());
  const contribution = createSparseVector();
  const params = model.initial();
  for (const history of histories) {
    contribution.clear();
    model.contribute(params, history, contribution);
    for (let entry = 0; entry < contribution.size; entry += 1) sum[contribution.indexAt(entry)] += contribution.valueAt(entry);
  }
  return sum;
}

/** The sum of the shoppers with noise of this standard deviation, seeded. */
export function noisyAggregate<Params>(model: FederatedModel<Params>, histories: readonly ShopperHistory[], noiseStd: number, seed = 1): Aggregate {
  const random = seededRandom(seed, 'noise');
  // The sum of twelve uniform numbers is normal enough, with variance 1.
  const noise = (): number => Array.from({ length: 12 }, () => random.nextFloat()).reduce((sum, value) => sum + value, -6);
  return { sum: sumOf(model, histories).map((value) => value + noiseStd * noise()), shoppers: Math.max(1, histories.length), noiseStd };
}

export function scoresOf(model: FederatedModel<NeighboursParams>, params: NeighboursParams, history: ShopperHistory, items: number): Float32Array {
  const scores = new Float32Array(items);
  model.score(params, history, scores);
  return scores;
}

export const basket = (...items: number[]): ShopperHistory => historyOf([{ time: today, items }]);
export const nobody = historyOf([]);

/** A public part without a catalogue: pairs [lower, higher, similarity], all at the usual price gap, linked by similarity. */
export function publicPartOf(items: number, pairs: readonly (readonly [number, number, number])[]): PublicPart {
  const layout: ItemPairs = createPairs(items, pairs.map(([low]) => low), pairs.map(([, high]) => high), pairs.map(([, , similarity]) => similarity));
  const lower = Int32Array.from(pairs, ([low]) => low).sort();
  return {
    pairs: layout,
    lower,
    higher: layout.partners,
    priceGaps: new Float64Array(lower.length).fill(usualPriceGap),
    graph: createGraph(items, lower, layout.partners, Float64Array.from(layout.similarity)),
  };
}

export const aggregate = (values: readonly number[], noiseStd: number, shoppers = 1000): Aggregate => ({ sum: Float64Array.from(values), shoppers, noiseStd });
