/** How well a trained model ranks what shoppers went on to touch: all rankable items not in the history, no sampling. */
import type { ShopperHistory } from '../commerce/history.ts';
import type { FederatedModel } from '../recommender/federated-model.ts';
import { seededRandom, type SeededRandom } from '../numerics/random.ts';
import { topK } from '../ranking/top-k.ts';
import { average, coverage, gini, hitRate, ndcg, recall } from './metrics.ts';
import type { Split, TestCase } from './splits.ts';

export interface Evaluation {
  readonly ndcg10: number;
  readonly recall20: number;
  readonly hr10: number;
  /** Share of rankable items on any shopper's first 10, and how unequally often they are there. */
  readonly coverage10: number;
  readonly gini10: number;
  /** Share of rankable items on any shopper's first 20. */
  readonly coverage20: number;
  /** Inequality of how often rankable items are on the first 20. */
  readonly gini20: number;
  /** One entry a test case, in the order of the split: what intervals and paired comparisons need. */
  readonly perShopper: { readonly ndcg10: Float64Array; readonly recall20: Float64Array; readonly hr10: Float64Array };
}

export interface EvaluationOptions {
  /**
   * Ranks the relevant items among so many others that the shopper never touched, drawn at random. Only for a
   * comparison with published tables that do so: such figures do not order models as full ranking does (Krichene and
   * Rendle 2020).
   */
  readonly sampledNegatives?: { readonly count: number; readonly seed: number };
}

/** Writes the score of every item for this test case. */
export type TestScorer = (test: TestCase, scores: Float32Array) => void;

/** Places of a ranked shelf: the deepest cut of any metric. */
const shelfPlaces = 20;

/**
 * Ranks all rankable items for every test case of a split, and says how well.
 * @example
 * const split = splitHistories('last-basket', histories, items);
 * evaluateModel(model, params, split).ndcg10;
 */
export function evaluateModel<Params>(model: FederatedModel<Params>, params: Params, split: Split, options: EvaluationOptions = {}): Evaluation {
  return evaluateShelves(rankTests(split, (test, scores) => model.score(params, test.history, scores), options), split);
}

/** The first {@link shelfPlaces} items of every test case, best first, in the order of the split; fewer where fewer are rankable. */
export function rankTests({ tests, rankable }: Split, score: TestScorer, options: EvaluationOptions = {}): readonly Int32Array[] {
  const scores = new Float32Array(rankable.length);
  const random = options.sampledNegatives === undefined ? undefined : seededRandom(options.sampledNegatives.seed, 'negatives');
  return tests.map((test) => {
    score(test, scores);
    const excluded = excludedFor(test.history, rankable);
    if (random !== undefined && options.sampledNegatives !== undefined) keepSampled(excluded, test, options.sampledNegatives.count, random);
    return topK(scores, shelfPlaces, excluded);
  });
}

/** @param shelves Of {@link rankTests} on the same split. */
export function evaluateShelves(shelves: readonly Int32Array[], { tests, rankable }: Split): Evaluation {
  const [shown, shown10] = [new Float64Array(rankable.length), new Float64Array(rankable.length)];
  const [ndcg10, recall20, hr10] = Array.from({ length: 3 }, () => new Float64Array(tests.length));
  shelves.forEach((ranked, index) => {
    const relevant = new Set(tests[index].relevant);
    ndcg10[index] = ndcg(ranked, relevant, 10);
    recall20[index] = recall(ranked, relevant, 20);
    hr10[index] = hitRate(ranked, relevant, 10);
    for (const item of ranked) shown[item] += 1;
    for (const item of ranked.subarray(0, 10)) shown10[item] += 1;
  });
  return {
    ndcg10: average(ndcg10),
    recall20: average(recall20),
    hr10: average(hr10),
    coverage10: coverage(shown10, rankable),
    gini10: gini(shown10, rankable),
    coverage20: coverage(shown, rankable),
    gini20: gini(shown, rankable),
    perShopper: { ndcg10, recall20, hr10 },
  };
}

/** What a ranking for this history leaves out: items the shopper had, and what is not rankable. One entry an item. */
export function excludedFor(history: ShopperHistory, rankable: Uint8Array): Uint8Array {
  const excluded = rankable.map((flag) => 1 - flag);
  for (const item of history.items) excluded[item] = 1;
  return excluded;
}

/** Excludes all but the relevant items and `count` of the others that are still open. */
function keepSampled(excluded: Uint8Array, test: TestCase, count: number, random: SeededRandom): void {
  for (const item of test.relevant) excluded[item] = 1;
  const open = Array.from(excluded.keys()).filter((item) => excluded[item] === 0);
  excluded.fill(1);
  for (const item of test.relevant) excluded[item] = 0;
  for (let drawn = 0; drawn < Math.min(count, open.length); drawn += 1) {
    const swap = drawn + random.nextBelow(open.length - drawn);
    [open[drawn], open[swap]] = [open[swap], open[drawn]];
    excluded[open[drawn]] = 0;
  }
}
