/**
 * Central simulation of a model on a data set: the code of a real round without sockets, then full-ranking metrics.
 * Noise is seeded, so figures can be repeated.
 */
import { readDataset, type ReadOptions } from '../client/shop/read-data.ts';
import type { Dataset } from '../shared/datasets/dataset.ts';
import { evaluateModel, type Evaluation } from '../shared/evaluation/evaluate-model.ts';
import { bootstrapInterval } from '../shared/evaluation/intervals.ts';
import { average } from '../shared/evaluation/metrics.ts';
import type { NoiseKind } from '../shared/evaluation/simulated-noise.ts';
import { shopperMeans } from '../shared/evaluation/significance.ts';
import { shelfVariety, type ShelfVariety } from '../shared/evaluation/shelf-variety.ts';
import { splitHistories, type Protocol, type Split } from '../shared/evaluation/splits.ts';
import type { StageModel } from '../shared/federation/stages.ts';
import type { AskedLocalTerms } from '../shared/federation/local-terms.ts';
import type { RobustSpec } from '../shared/federation/robust/rule.ts';
import { servedParams } from '../shared/federation/serving-form.ts';
import { CestaError } from '../shared/protocol/errors.ts';
import type { ModelKind } from '../shared/recommender/federated-model.ts';
import type { Precision } from '../shared/recommender/quantised-rows.ts';
import { deploymentDefaults, parseModelKind } from '../shared/recommender/registry.ts';
import { trainings, type SimulatedPrivacy, type SimulationMode } from './simulated-training.ts';

export interface EvaluateOptions {
  readonly data: string;
  readonly read?: ReadOptions;
  readonly model: string;
  /** Instead of the model's defaults and of what a deployment sets on the day training ends. */
  readonly hyperParameters?: StageModel['hyperParameters'];
  /** Absent: no noise. */
  readonly epsilon?: number;
  readonly delta?: number;
  readonly mode?: SimulationMode;
  /** Shops of modes `distributed` and `local`, 20 by default; without noise, of a model that trains locally, 1 by default. */
  readonly shops?: number;
  readonly clipNorm?: number;
  /** Rounds that together spend epsilon, or of local training; 1 by default. */
  readonly rounds?: number;
  /** Rate at which every shop samples its shoppers in secret; 1 by default. */
  readonly sampling?: number;
  readonly encoding?: 'sparse' | 'rotated';
  /** Shoppers expected in a sum, to make the clip norm follow the median of the norms. */
  readonly adaptiveClip?: number;
  /** Of models that train locally. */
  readonly local?: AskedLocalTerms;
  /** Modes `local` and `distributed`: the rule that combines reports, or sums of groups of shops. */
  readonly robust?: RobustSpec;
  /** Mode `central` only, but for `skellam`. */
  readonly noise?: NoiseKind;
  /** Noise seeds to average over; without noise one is enough. */
  readonly seeds?: number;
  readonly protocol?: Protocol;
  /** `int8`: ranks with what a storefront gets at that precision. Training keeps float32. */
  readonly precision?: Precision;
  /** The relevant items are ranked among so many others, drawn at random, instead of among all. */
  readonly sampledNegatives?: number;
  /** 0..1: fills a storefront's shelves at this diversity, too. */
  readonly diversity?: number;
}

/** Means over shoppers and noise seeds. */
export interface EvaluationSummary {
  readonly ndcg10: number;
  /** 95 % bootstrap interval over shoppers, each averaged over the noise seeds first. */
  readonly ndcg10Interval: readonly [low: number, high: number];
  readonly recall20: number;
  readonly hr10: number;
  readonly coverage10: number;
  readonly gini10: number;
  readonly coverage20: number;
  readonly gini20: number;
}

export interface EvaluationResult extends EvaluationSummary {
  readonly model: string;
  readonly epsilon: number | null;
  readonly delta: number | null;
  /** What the simulation's fast sampler adds to delta; a shop's sampler is exact. */
  readonly samplerDelta: number;
  readonly mode: SimulationMode;
  readonly local: AskedLocalTerms;
  readonly protocol: Protocol;
  readonly precision: Precision;
  readonly seeds: number;
  /** Of the first noise seed; null where no diversity was asked for. */
  readonly shelves: ShelfVariety | null;
  readonly testShoppers: number;
  readonly shoppers: number;
  readonly items: number;
  readonly seconds: number;
}

/** A result, and what paired comparisons need. */
export interface DetailedEvaluation {
  readonly result: EvaluationResult;
  /** ndcg@10 of every test shopper, mean over the noise seeds. */
  readonly ndcg10: Float64Array;
}

/**
 * Trains a model on the training part of a data set and ranks what its shoppers did afterwards: what `cesta evaluate` prints.
 * @throws CestaError `model.unknown`, `privacy.invalid` and whatever reading the data may
 * @example
 * const { ndcg10, ndcg10Interval } = await evaluate({ data: 'online-retail', model: 'neighbours', epsilon: 3, seeds: 1 });
 */
export async function evaluate(options: EvaluateOptions): Promise<EvaluationResult> {
  return (await evaluateInDetail(options)).result;
}

/** @throws CestaError as {@link evaluate} */
export async function evaluateInDetail(options: EvaluateOptions): Promise<DetailedEvaluation> {
  const started = performance.now();
  const { protocol = 'last-basket', precision = 'float32' } = options;
  const kind = parseModelKind(options.model);
  const privacy = privacyOf(options);
  const dataset = await readDataset(options.data, options.read);
  const parts = splitDataset(dataset, protocol);
  const stage = { kind, hyperParameters: hyperParametersOf(kind, options.hyperParameters, parts) };
  const { local = {} } = options;
  const seeds = privacy.mode === 'none' ? 1 : (options.seeds ?? 5);
  const trained = await trainings(dataset, parts, { stage, privacy, local, seeds });
  const sampled = options.sampledNegatives === undefined ? {} : { sampledNegatives: { count: options.sampledNegatives, seed: 1 } };
  const evaluations = trained.map(({ model, params }) => evaluateModel(model, servedParams(model, params, precision), parts, sampled));
  const result: EvaluationResult = {
    model: kind,
    epsilon: privacy.epsilon ?? null,
    delta: privacy.delta ?? null,
    samplerDelta: trained[0].samplerDelta,
    mode: privacy.mode,
    local,
    protocol,
    precision,
    seeds,
    ...summarise(evaluations),
    shelves: options.diversity === undefined ? null : shelfVariety(trained[0].model, servedParams(trained[0].model, trained[0].params, precision), dataset.catalogue, parts, options.diversity),
    testShoppers: parts.tests.length,
    shoppers: dataset.shoppers.length,
    items: parts.rankable.reduce((sum, flag) => sum + flag, 0),
    seconds: (performance.now() - started) / 1000,
  };
  return { result, ndcg10: ndcg10Means(evaluations) };
}

const daySeconds = 86_400;

/** 'Today' of a simulated deployment: the UTC midnight after the last visit that trains. It knows nothing later. */
export function simulatedToday({ training }: Split): number {
  const latest = training.reduce((time, { visitTimes }) => visitTimes.reduce((a, b) => Math.max(a, b), time), 0);
  return (Math.floor(latest / daySeconds) + 1) * daySeconds;
}

/** What a deployment of that day would set, then what was asked for; the model refuses what it does not know. */
function hyperParametersOf(kind: ModelKind, given: EvaluateOptions['hyperParameters'], parts: Split): StageModel['hyperParameters'] {
  return { ...deploymentDefaults(kind, { asOf: simulatedToday(parts) }), ...given };
}

/** @throws CestaError `data.empty` when nobody can be tested */
export function splitDataset({ shoppers, catalogue }: Dataset, protocol: Protocol): Split {
  const parts = splitHistories(protocol, shoppers.map(({ history }) => history), catalogue.products.length);
  if (parts.tests.length === 0) throw new CestaError('data.empty', `evaluation: expected shoppers that ${protocol} can test (two visits, or baskets of two items), got none of ${shoppers.length}`);
  return parts;
}

/** ndcg@10 of every test shopper, mean over the noise seeds. */
function ndcg10Means(evaluations: readonly Evaluation[]): Float64Array {
  return shopperMeans(evaluations.map(({ perShopper }) => perShopper.ndcg10));
}

/** One summary of the evaluations of several noise seeds on the same split. */
export function summarise(evaluations: readonly Evaluation[]): EvaluationSummary {
  const over = (value: (evaluation: Evaluation) => number): number => average(evaluations.map(value));
  const { low, high } = bootstrapInterval(ndcg10Means(evaluations));
  return {
    ndcg10: over(({ ndcg10 }) => ndcg10),
    ndcg10Interval: [low, high],
    recall20: over(({ recall20 }) => recall20),
    hr10: over(({ hr10 }) => hr10),
    coverage10: over(({ coverage10 }) => coverage10),
    gini10: over(({ gini10 }) => gini10),
    coverage20: over(({ coverage20 }) => coverage20),
    gini20: over(({ gini20 }) => gini20),
  };
}

function privacyOf(options: EvaluateOptions): SimulatedPrivacy {
  const isShop = options.local?.unit === 'shop';
  const { epsilon, delta = 1e-5, mode = epsilon === undefined ? 'none' : isShop ? 'distributed' : 'central', shops = mode === 'none' && !isShop ? 1 : 20, clipNorm, rounds = 1, sampling, encoding = isShop && mode !== 'none' ? 'rotated' : undefined, adaptiveClip, robust, noise = 'skellam' } = options;
  if (robust !== undefined && (mode === 'none' || mode === 'central')) throw new CestaError('plan.invalid', `robust: expected mode local or distributed, where shops report, got ${mode}`);
  if (mode === 'none') {
    const stray = Object.entries({ epsilon, clipNorm, sampling, adaptiveClip, noise: options.noise, encoding: encoding === 'rotated' ? encoding : undefined }).find(([, value]) => value !== undefined);
    if (stray !== undefined) throw new CestaError('privacy.invalid', `${stray[0]}: expected none in mode none, got ${stray[1]}, which nothing would enforce`);
    return { mode, shops, rounds, noise: 'skellam' };
  }
  if (epsilon === undefined) throw new CestaError('privacy.invalid', `epsilon: expected a number above 0 in mode ${mode}, got none`);
  if (mode === 'central' && isShop) throw new CestaError('privacy.invalid', 'mode: expected none, local or distributed with unit shop, since in mode central all orders are one shop\'s, got central');
  if (mode !== 'central' && noise !== 'skellam') throw new CestaError('privacy.invalid', `noise: expected skellam in mode ${mode}, since ${noise} needs one party that holds all sums, got ${noise}`);
  if (noise === 'correlated' && sampling !== undefined) throw new CestaError('privacy.invalid', 'sampling: expected none with correlated noise, whose shoppers take part once, got a rate');
  return {
    mode, epsilon, delta, rounds, noise,
    shops: mode === 'central' ? 1 : shops,
    ...(clipNorm === undefined ? {} : { clipNorm }),
    ...(sampling === undefined ? {} : { sampling }),
    ...(encoding === undefined ? {} : { encoding }),
    ...(adaptiveClip === undefined ? {} : { adaptiveClip }),
    ...(robust === undefined ? {} : { robust }),
  };
}
