/**
 * Central simulation of a model on a data set: the code of a real round without sockets, then full-ranking metrics.
 * Noise is seeded, so figures can be repeated.
 */
import { readDataset, type ReadOptions } from '../client/shop/read-data.ts';
import type { Catalogue } from '../shared/commerce/catalogue.ts';
import type { ShopperHistory } from '../shared/commerce/history.ts';
import { byHash } from '../shared/datasets/partitions.ts';
import type { Dataset } from '../shared/datasets/dataset.ts';
import { evaluateModel, type Evaluation } from '../shared/evaluation/evaluate-model.ts';
import { bootstrapInterval } from '../shared/evaluation/intervals.ts';
import { average } from '../shared/evaluation/metrics.ts';
import { simulateRound } from '../shared/evaluation/simulated-round.ts';
import { splitHistories, type Protocol, type Split } from '../shared/evaluation/splits.ts';
import type { Plan } from '../shared/federation/plan.ts';
import { makePlan, parseTaskSpec } from '../shared/federation/task.ts';
import { CestaError } from '../shared/protocol/errors.ts';
import type { AnyFederatedModel, ModelKind } from '../shared/recommender/federated-model.ts';
import { createModel, deploymentDefaults, parseModelKind } from '../shared/recommender/registry.ts';

/**
 * `central`: one party holds all orders and adds the noise once. `local`: each of `shops` shops adds all of it.
 * `none`: no noise.
 */
export const simulationModes = ['none', 'central', 'local'] as const;
export type SimulationMode = (typeof simulationModes)[number];

export interface EvaluateOptions {
  readonly data: string;
  readonly read?: ReadOptions;
  readonly model: string;
  /** Instead of the model's defaults and of what a deployment sets on the day training ends. */
  readonly hyperParameters?: unknown;
  /** Absent: no noise. */
  readonly epsilon?: number;
  readonly delta?: number;
  readonly mode?: SimulationMode;
  /** Shops of mode `local`. */
  readonly shops?: number;
  readonly clipNorm?: number;
  /** Noise seeds to average over; without noise one is enough. */
  readonly seeds?: number;
  readonly protocol?: Protocol;
}

/** Means over shoppers and noise seeds. */
export interface EvaluationSummary {
  readonly ndcg10: number;
  /** 95 % bootstrap interval over shoppers, each averaged over the noise seeds first. */
  readonly ndcg10Interval: readonly [low: number, high: number];
  readonly recall20: number;
  readonly hr10: number;
  readonly coverage20: number;
  readonly gini20: number;
}

export interface EvaluationResult extends EvaluationSummary {
  readonly model: string;
  readonly epsilon: number | null;
  readonly delta: number | null;
  readonly mode: SimulationMode;
  readonly protocol: Protocol;
  readonly seeds: number;
  readonly testShoppers: number;
  readonly shoppers: number;
  readonly items: number;
  readonly seconds: number;
}

/** @throws CestaError `model.unknown`, `privacy.invalid` and whatever reading the data may */
export async function evaluate(options: EvaluateOptions): Promise<EvaluationResult> {
  const started = performance.now();
  const { protocol = 'last-basket' } = options;
  const kind = parseModelKind(options.model);
  const privacy = privacyOf(options);
  const dataset = await readDataset(options.data, options.read);
  const parts = splitDataset(dataset, protocol);
  const model = createModel(kind, dataset.catalogue, hyperParametersOf(kind, options.hyperParameters, parts));
  const seeds = privacy.mode === 'none' ? 1 : (options.seeds ?? 5);
  const evaluations = trainings(dataset, parts, model, privacy, seeds).map((params) => evaluateModel(model, params, parts));
  return {
    model: kind,
    epsilon: privacy.epsilon ?? null,
    delta: privacy.delta ?? null,
    mode: privacy.mode,
    protocol,
    seeds,
    ...summarise(evaluations),
    testShoppers: parts.tests.length,
    shoppers: dataset.shoppers.length,
    items: parts.rankable.reduce((sum, flag) => sum + flag, 0),
    seconds: (performance.now() - started) / 1000,
  };
}

const daySeconds = 86_400;

/** 'Today' of a simulated deployment: the UTC midnight after the last visit that trains. It knows nothing later. */
export function simulatedToday({ training }: Split): number {
  const latest = training.reduce((time, { visitTimes }) => visitTimes.reduce((a, b) => Math.max(a, b), time), 0);
  return (Math.floor(latest / daySeconds) + 1) * daySeconds;
}

/** What a deployment of that day would set, then what was asked for. */
function hyperParametersOf(kind: ModelKind, given: unknown, parts: Split): unknown {
  // Anything but an object is the model's to refuse.
  if (given !== undefined && typeof given !== 'object') return given;
  return { ...deploymentDefaults(kind, { asOf: simulatedToday(parts) }), ...given };
}

/** @throws CestaError `data.empty` when nobody can be tested */
export function splitDataset({ shoppers, catalogue }: Dataset, protocol: Protocol): Split {
  const parts = splitHistories(protocol, shoppers.map(({ history }) => history), catalogue.products.length);
  if (parts.tests.length === 0) throw new CestaError('data.empty', `evaluation: expected shoppers that ${protocol} can test (two visits, or baskets of two items), got none of ${shoppers.length}`);
  return parts;
}

/** One summary of the evaluations of several noise seeds on the same split. */
export function summarise(evaluations: readonly Evaluation[]): EvaluationSummary {
  const over = (value: (evaluation: Evaluation) => number): number => average(evaluations.map(value));
  const perShopper = evaluations[0].perShopper.ndcg10.map((_, shopper) => over(({ perShopper: values }) => values.ndcg10[shopper]));
  const { low, high } = bootstrapInterval(perShopper);
  return {
    ndcg10: over(({ ndcg10 }) => ndcg10),
    ndcg10Interval: [low, high],
    recall20: over(({ recall20 }) => recall20),
    hr10: over(({ hr10 }) => hr10),
    coverage20: over(({ coverage20 }) => coverage20),
    gini20: over(({ gini20 }) => gini20),
  };
}

interface SimulatedPrivacy {
  readonly mode: SimulationMode;
  readonly epsilon?: number;
  readonly delta?: number;
  readonly clipNorm?: number;
  readonly shops: number;
}

function privacyOf({ epsilon, delta = 1e-5, mode = epsilon === undefined ? 'none' : 'central', shops = 20, clipNorm }: EvaluateOptions): SimulatedPrivacy {
  if (mode === 'none') {
    if (epsilon !== undefined) throw new CestaError('privacy.invalid', 'epsilon: expected none in mode none, got a value that nothing would enforce');
    return { mode, shops: 1 };
  }
  if (epsilon === undefined) throw new CestaError('privacy.invalid', `epsilon: expected a number above 0 in mode ${mode}, got none`);
  return { mode, epsilon, delta, shops: mode === 'central' ? 1 : shops, ...(clipNorm === undefined ? {} : { clipNorm }) };
}

/** One set of parameters per noise seed. */
function trainings(dataset: Dataset, { training }: Split, model: AnyFederatedModel, privacy: SimulatedPrivacy, seeds: number): unknown[] {
  const positions = new Map(dataset.shoppers.map((shopper, index) => [shopper, index]));
  const shops = byHash(privacy.shops)(dataset, 0).map((group) => group.map((shopper) => training[positions.get(shopper) ?? 0]));
  const round = simulateRound(simulationPlan(model, dataset.catalogue, privacy, shops), model, model.initial(), shops);
  return Array.from({ length: seeds }, (_, seed) => model.update(model.initial(), round.aggregate(seed + 1)));
}

/** Parameters from all histories in one place, without noise. */
export function trainCentrally(model: AnyFederatedModel, catalogue: Catalogue, histories: readonly ShopperHistory[]): unknown {
  const plan = simulationPlan(model, catalogue, { mode: 'none', shops: 1 }, [histories]);
  return model.update(model.initial(), simulateRound(plan, model, model.initial(), [histories]).aggregate(0));
}

function simulationPlan(model: AnyFederatedModel, catalogue: Catalogue, privacy: SimulatedPrivacy, shops: readonly (readonly ShopperHistory[])[]): Plan {
  const { mode, epsilon, delta, clipNorm } = privacy;
  const task = parseTaskSpec({
    name: 'simulation',
    model: { kind: model.kind },
    // Central noise is what one shop that holds all orders would add by itself.
    privacy: mode === 'none' ? { mode } : { mode: 'local', epsilon, delta, ...(clipNorm === undefined ? {} : { clipNorm }) },
    cohort: { minParticipants: 1, targetParticipants: shops.length, overSelection: 1 },
    deadlines: { recruitingMs: 1, trainingMs: 1 },
    maxShoppersPerShop: Math.max(1, ...shops.map(({ length }) => length)),
  });
  return makePlan(task, { model, catalogue, roundNumber: 1, baseRelease: null });
}
