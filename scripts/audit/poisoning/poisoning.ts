/**
 * Malicious shoppers and malicious shops that push one unpopular item, against each defence: how many test shoppers see
 * it, what the defence costs, and whether the canary would have held the release back. One round of training, exact
 * figures for simulated attackers: other attacks may be stronger.
 */
import { readDataset, type ReadOptions } from '../../../client/shop/read-data.ts';
import { byHash } from '../../../shared/datasets/partitions.ts';
import { excludedFor } from '../../../shared/evaluation/evaluate-model.ts';
import { canaryProbes, canarySchema, exposures, jumps, type CanarySpec } from '../../../shared/evaluation/exposure-canary.ts';
import { average, ndcg } from '../../../shared/evaluation/metrics.ts';
import { maxCoordinate } from '../../../shared/federation/accumulator.ts';
import type { ShopperHistory } from '../../../shared/commerce/history.ts';
import type { Plan } from '../../../shared/federation/plan.ts';
import { seededRandom, shuffle } from '../../../shared/numerics/random.ts';
import { topK } from '../../../shared/ranking/top-k.ts';
import { createModel, deploymentDefaults, parseModelKind } from '../../../shared/recommender/registry.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';
import { addWords } from '../../../shared/secagg/ring.ts';
import { simulatedToday, splitDataset } from '../../evaluate.ts';
import { fakeHistories, recipesFor, targetCoordinates, type Knowledge, type Recipe } from './fake-histories.ts';
import { attackers, defencesFor, type Attacker, type Defence } from './settings.ts';
import { honestSums, sumOf, train, type Stage } from './stage.ts';

export interface PoisoningOptions {
  readonly data: string;
  readonly read?: ReadOptions;
  readonly models: readonly string[];
  readonly shops: number;
  readonly epsilon: number;
  readonly delta: number;
  /** Shops that rules are made to withstand. */
  readonly byzantine: number;
  /** Unpopular items to push, one after the other. */
  readonly targets: number;
  /** What one shop may claim. */
  readonly maxShoppers: number;
  readonly seed: number;
  readonly onProgress?: (what: string) => void;
}

/** Means over the targets. */
export interface PoisoningCell {
  readonly attacker: string;
  /** Share of test shoppers who have the pushed item on their first 20. */
  readonly exposure: number;
  readonly ndcg10: number;
  /** The largest jump that the canary saw, by more than its factor. */
  readonly jump: number;
  /** Share of the pushes that the canary held back. */
  readonly held: number;
  /** The coordinator did not take the shop's report. */
  readonly isRefused: boolean;
}

export interface PoisoningRow {
  readonly defence: string;
  readonly cells: readonly PoisoningCell[];
  /** The largest jump of an item, by more than the factor, between two honest rounds, each of half of every shop's shoppers, with noise of its own. */
  readonly honestJump: number;
}

export interface PoisoningTable {
  readonly model: string;
  readonly testShoppers: number;
  readonly shoppers: number;
  readonly items: number;
  /** What was pushed, and what the attacker found to push most. */
  readonly pushes: readonly { readonly item: string; readonly shoppers: number; readonly recipe: string }[];
  readonly rows: readonly PoisoningRow[];
}

export interface PoisoningReport {
  readonly shops: number;
  readonly byzantine: number;
  readonly maxShoppers: number;
  readonly seed: number;
  readonly canary: CanarySpec;
  readonly tables: readonly PoisoningTable[];
}

/** Parts of what the bounds allow that a shop tries against a rule, and takes the one that pushes most: too much is an outlier. */
const scales = [1, 0.1, 0.01, 0.001];
const ranks = 20;
const noPause = (): Promise<void> => Promise.resolve();

/** @throws CestaError `model.unknown`, `config.invalid` and whatever reading the data may */
export async function auditPoisoning(options: PoisoningOptions): Promise<PoisoningReport> {
  const { shops, byzantine, maxShoppers, seed } = options;
  const dataset = await readDataset(options.data, options.read);
  const canary = canarySchema.parse({});
  const tables: PoisoningTable[] = [];
  for (const model of options.models) tables.push(await auditModel(options, model, dataset, canary));
  return { shops, byzantine, maxShoppers, seed, canary, tables };
}

interface Push {
  readonly target: number;
  readonly recipe: Recipe;
  readonly coordinates: readonly number[];
  readonly seed: number;
}

async function auditModel(options: PoisoningOptions, modelName: string, dataset: Awaited<ReturnType<typeof readDataset>>, canary: CanarySpec): Promise<PoisoningTable> {
  const { shops, epsilon, delta, maxShoppers, byzantine, seed, targets } = options;
  const kind = parseModelKind(modelName);
  const { catalogue } = dataset;
  const parts = splitDataset(dataset, 'last-basket');
  const today = simulatedToday(parts);
  const positions = new Map(dataset.shoppers.map((shopper, index) => [shopper, index]));
  const stage: Stage = {
    model: createModel(kind, catalogue, deploymentDefaults(kind, { asOf: today })), catalogue, parts, epsilon, delta, maxShoppers, honest: new Map(), noise: new Map(),
    shops: byHash(shops)(dataset, seed).map((group) => group.map((shopper) => parts.training[positions.get(shopper) ?? 0])),
  };
  const counts = shoppersOf(stage.shops.flat(), catalogue.products.length);
  const knowledge: Knowledge = { model: stage.model, params: stage.model.initial(), popular: mostPopular(counts) };
  const pushes = pickTargets(counts, parts.rankable, targets, seed).map((target, index) => strongestPush(stage, knowledge, target, today - 1, seed + index));
  const rows: PoisoningRow[] = [];
  for (const defence of defencesFor(shops, epsilon, byzantine)) {
    options.onProgress?.(`${kind}: ${defence.name}`);
    rows.push(await auditDefence(stage, defence, pushes, today - 1, canary));
  }
  return {
    model: kind, testShoppers: parts.tests.length, shoppers: dataset.shoppers.length, items: parts.rankable.reduce((sum, flag) => sum + flag, 0), rows,
    pushes: pushes.map(({ target, recipe }) => ({ item: catalogue.products[target].id, shoppers: counts[target], recipe: recipe.name })),
  };
}

/** Shoppers who have each item. */
export function shoppersOf(histories: readonly ShopperHistory[], items: number): Int32Array {
  const counts = new Int32Array(items);
  for (const history of histories) for (const item of new Set(history.items)) counts[item] += 1;
  return counts;
}

export function mostPopular(counts: Int32Array): number[] {
  return Array.from(counts.keys()).sort((a, b) => counts[b] - counts[a] || a - b);
}

/** From the less popular half of what anybody bought. @throws CestaError `config.invalid` */
export function pickTargets(counts: Int32Array, rankable: Uint8Array, targets: number, seed: number): number[] {
  const bought = Array.from(counts.keys()).filter((item) => rankable[item] === 1).sort((a, b) => counts[a] - counts[b] || a - b);
  if (bought.length < 2 * targets) throw new CestaError('config.invalid', `targets: expected at most half of the ${bought.length} items that anybody bought, got ${targets}`);
  return shuffle(bought.slice(0, bought.length >> 1), seededRandom(seed, 'targets')).slice(0, targets);
}

/** Tried where nothing defends, with one shopper in twenty. */
function strongestPush(stage: Stage, knowledge: Knowledge, target: number, time: number, seed: number): Push {
  const undefended: Defence = { name: 'none', terms: 'plain' };
  const tried = recipesFor(target, knowledge).map((recipe): readonly [Push, number] => {
    const push = { target, recipe, coordinates: targetCoordinates(target, recipe, knowledge), seed };
    const [reports] = attackedReports(stage, undefended, { name: '', kind: 'shoppers', share: 0.05 }, push, time);
    return [push, look(stage, train(stage, honestSums(stage, undefended).plan, undefended, reports, seed), target).exposure];
  });
  return tried.reduce((best, next) => (next[1] > best[1] ? next : best))[0];
}

/** The reports of a round, one set for each strength that the attacker tries. */
function attackedReports(stage: Stage, defence: Defence, { kind, share }: Attacker, { recipe, coordinates }: Push, time: number): Int32Array[][] {
  const { plan, sums } = honestSums(stage, defence);
  switch (kind) {
    case 'none':
      return [[...sums]];
    case 'shoppers': {
      const fakes = fakeHistories(recipe, Math.round(share * stage.shops.flat().length), time);
      return [sums.map((sum, shop) => {
        const spoilt = sum.slice();
        addWords(spoilt, sumOf(stage, plan, fakes.filter((_, fake) => fake % sums.length === shop)), 1);
        return spoilt;
      })];
    }
    case 'shop':
      return (defence.robust === undefined ? [1] : scales).map((scale) => [spoiltShop(sums[0], coordinates, Math.floor(scale * largestClaim(plan))), ...sums.slice(1)]);
    case 'shop-beyond':
      // Seen and refused, unless it is masked: then it is in the sum.
      return isSeen(defence) ? [sums.slice(1)] : [[spoiltShop(sums[0], coordinates, Math.min(10 * largestClaim(plan), 2 ** 29)), ...sums.slice(1)]];
    default:
      return kind satisfies never;
  }
}

/** What a plan allows a shop in one coordinate; under masks nobody sees more than that, and the noise of one is no bound. */
export function largestClaim(plan: Plan): number {
  return maxCoordinate(plan.privacy.mode === 'distributed' ? { ...plan, privacy: { mode: 'none' } } : plan);
}

function isSeen({ terms }: Defence): boolean {
  return terms !== 'masked' && terms !== 'grouped';
}

/** Its honest sum, with so much in every coordinate that speaks for the target, and not a shopper more in its count. */
export function spoiltShop(sum: Int32Array, coordinates: readonly number[], value: number): Int32Array {
  const spoilt = sum.slice();
  for (const coordinate of coordinates) spoilt[coordinate] = value;
  return spoilt;
}

/** How test shoppers fare: those who have the target on their first 20, and how well they are served. */
export function look({ model, parts: { tests, rankable } }: Pick<Stage, 'model' | 'parts'>, params: unknown, target: number): { readonly exposure: number; readonly ndcg10: number } {
  const scores = new Float32Array(rankable.length);
  const seen = new Float64Array(tests.length);
  const gains = tests.map(({ history, relevant }, test) => {
    model.score(params, history, scores);
    const ranked = topK(scores, ranks, excludedFor(history, rankable));
    seen[test] = ranked.includes(target) ? 1 : 0;
    return ndcg(ranked, new Set(relevant), 10);
  });
  return { exposure: average(seen), ndcg10: average(gains) };
}

async function auditDefence(stage: Stage, defence: Defence, pushes: readonly Push[], time: number, canary: CanarySpec): Promise<PoisoningRow> {
  const { plan, sums } = honestSums(stage, defence);
  const { model, catalogue: { products: { length: items } } } = stage;
  const found = attackers.map((attacker) => ({ attacker, isRefused: attacker.kind === 'shop-beyond' && isSeen(defence), exposure: [] as number[], ndcg10: [] as number[], jump: [] as number[] }));
  for (const push of pushes) {
    // What is served was made by an honest round with noise of its own.
    const served = { model, params: train(stage, plan, defence, sums, push.seed + 1000) };
    const probes = canaryProbes(served, items, push.seed);
    const before = await exposures(served, probes, items, noPause);
    for (const { attacker, exposure, ndcg10, jump } of found) {
      const tried = attackedReports(stage, defence, attacker, push, time).map((reports) => train(stage, plan, defence, reports, push.seed)).map((params) => ({ params, ...look(stage, params, push.target) }));
      const best = tried.reduce((a, b) => (b.exposure > a.exposure ? b : a));
      exposure.push(best.exposure);
      ndcg10.push(best.ndcg10);
      jump.push(largestJump(before, await exposures({ model, params: best.params }, probes, items, noPause), canary));
    }
  }
  return {
    defence: defence.name,
    cells: found.map(({ attacker, isRefused, ...values }) => ({ attacker: attacker.name, isRefused, exposure: average(values.exposure), ndcg10: average(values.ndcg10), jump: average(values.jump), held: average(values.jump.map((jump) => (jump > canary.share ? 1 : 0))) })),
    honestJump: await honestJump(stage, defence, canary),
  };
}

/** Of two honest rounds that have no shopper and no noise in common. */
async function honestJump(stage: Stage, defence: Defence, canary: CanarySpec): Promise<number> {
  const { plan, halves } = honestSums(stage, defence);
  const { model, catalogue: { products: { length: items } } } = stage;
  const [one, other] = halves.map((sums, half) => train(stage, plan, defence, sums, half));
  const probes = canaryProbes({ model, params: one }, items, 1);
  const [before, after] = [await exposures({ model, params: one }, probes, items, noPause), await exposures({ model, params: other }, probes, items, noPause)];
  return largestJump(before, after, canary);
}

function largestJump(before: Float64Array, after: Float64Array, { factor }: CanarySpec): number {
  return jumps(before, after, { factor, share: 0 }).reduce((most, { served, candidate }) => Math.max(most, candidate - served), 0);
}
