/**
 * The narrow waist: a recommender that can be trained from private sums. Everything before the waist knows
 * shoppers; everything after it knows one flat vector and one count. Models own the layout of the vector;
 * privacy, masking, transport, aggregation and strategies never look inside.
 */
import type { ShopperHistory } from '../commerce/history.ts';
import type { RandomWords } from '../numerics/random.ts';
import type { SparseVector } from '../numerics/sparse-vector.ts';
import type { Json } from '../protocol/canonical-json.ts';
import type { NamedTensors } from '../protocol/tensors.ts';
import type { RowTables } from './quantised-rows.ts';

export const modelKinds = ['popularity', 'neighbours', 'ease', 'slist', 'als', 'sequence', 'item-knn'] as const;
export type ModelKind = (typeof modelKinds)[number];

/** What a round may sum: what a model trains from, or how well releases rank. The second is never a release itself. */
export const statisticKinds = [...modelKinds, 'evaluation'] as const;
export type StatisticKind = (typeof statisticKinds)[number];

/** Numbers that a plan can hold, slots behind the model's vector included. */
export const longestStatistic = 2 ** 28;

/** One decoded aggregate: what a round yields. */
export interface Aggregate {
  /** Sum over shoppers plus noise, in the units of `contribute`; length `statisticLength()`. */
  readonly sum: Float64Array;
  /**
   * Contributions summed, as released: shoppers, or shops where these are the unit (noisy under privacy; at least 1). Where
   * contributions are weighted, the sum of their weights, which may be below 1.
   */
  readonly shoppers: number;
  /** Standard deviation of the noise in each coordinate of `sum`; 0 without noise. */
  readonly noiseStd: number;
}

/** Why an item is on a shelf: the share of its score that an item of the history explains. */
export interface Reason {
  /** Item index of the history. */
  readonly item: number;
  /** Share of the candidate's personal score, in the model's own units; larger is stronger. */
  readonly weight: number;
}

/** The side of the waist that knows shoppers: what each of them adds to a sum. Pure: no I/O, clock or ambient randomness. */
export interface Statistic<Params> {
  readonly kind: StatisticKind;
  /** The resolved hyper-parameters, as they stand in the plan and the release. */
  readonly hyperParameters: Readonly<Record<string, Json>>;
  /** Length of the statistic for this catalogue and these hyper-parameters. */
  statisticLength(): number;
  /**
   * Upper bound of |entry| of any one contribution: the default row cap of a plan. Contributions of honest
   * shoppers never exceed it.
   */
  readonly entryBound: number;
  /** Upper bound of the L2 norm of any one contribution, or Infinity: the default clip norm when finite. */
  readonly normBound: number;
  /** Adds one shopper's contribution, unclipped, as sparse entries of distinct indexes: bounds are the privacy layer's job. */
  contribute(params: Params, history: ShopperHistory, into: SparseVector): void;
  /**
   * Loads what `contribute` and `local` compute with and a module cannot hold, such as a tensor backend. To be awaited
   * before the first of them; absent where there is nothing to load.
   */
  prepare?(): Promise<void>;
}

/** Terms of one training on the data of one participant. */
export interface LocalTraining {
  /** Orders shoppers and draws what training draws; noise never comes from it. */
  readonly random: RandomWords;
  /** Weight mu of mu / 2 |w - w0|^2 in the loss, with w0 the parameters at the start; 0: no such term. */
  readonly proximal: number;
  /** Added to the gradient of every step, in the layout of the statistic; null: nothing is. */
  readonly correction: Float32Array | null;
  /** Steps to take, whatever the number of shoppers; null: as many as the model's own epochs make. */
  readonly steps: number | null;
  /** Gives others their turn; awaited between steps. Rejects when training is to stop. */
  pause(): Promise<void>;
}

export interface LocalChange {
  /** Weights at the end minus weights at the start; length `statisticLength()`. */
  readonly change: Float32Array;
  readonly steps: number;
  readonly learningRate: number;
}

/** Training on all shoppers of a participant together: what tasks of unit `shop` report. */
export interface LocalTrainer<Params> {
  /** Rate of plain gradient steps, the same in all of them; absent where steps adapt. Control variates need it. */
  readonly learningRate?: number;
  train(params: Params, histories: readonly ShopperHistory[], training: LocalTraining): Promise<LocalChange>;
}

/** Pure, both sides of the waist. One file per model. */
export interface FederatedModel<Params> extends Statistic<Params> {
  readonly kind: ModelKind;
  /**
   * Present on models whose statistic is a change of weights: then `update` adds the mean change, and a strategy may take
   * another step instead.
   */
  readonly local?: LocalTrainer<Params>;
  /** Parameters before any round, from the public catalogue alone. */
  initial(): Params;
  /** Folds one decoded aggregate into new parameters. */
  update(params: Params, aggregate: Aggregate): Params;
  /** Writes the score of every item for a history; higher is better. The storefront runs exactly this. */
  score(params: Params, history: ShopperHistory, scores: Float32Array): void;
  /** The items of the history that speak for `item`, strongest first, at most `limit`; empty when nothing personal does. */
  explain(params: Params, history: ShopperHistory, item: number, limit: number): Reason[];
  /** What `encode` writes that is a table of item rows: served with 8-bit numbers, too, and `decode` reads either. */
  readonly rowTables?: RowTables;
  /** The parameters as tensors of a release, and back. `decode` checks shapes and ranges. */
  encode(params: Params): NamedTensors;
  /** @throws CestaError `release.untrusted` when a tensor is missing, of a wrong shape, not finite or out of range. */
  decode(tensors: NamedTensors): Params;
}

/** Those whose parameter type is their own business: what the round, releases and the storefront hold. */
export type AnyStatistic = Statistic<unknown>;
export type AnyFederatedModel = FederatedModel<unknown>;

/** Null for statistics that are no change of weights. */
export function localTrainerOf(statistic: AnyStatistic): LocalTrainer<unknown> | null {
  return (statistic as Partial<Pick<AnyFederatedModel, 'local'>>).local ?? null;
}
