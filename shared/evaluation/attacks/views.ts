/**
 * What a coordinator receives, under each protection: one upload, one upload under a mask, or a sum of several, with
 * or without noise. One shopper is one participant, as a browser is: a shop that sums its own shoppers first gives
 * away less. Contributions are those of the real pipeline: model, row cap, clip and grid of a plan.
 */
import type { ShopperHistory } from '../../commerce/history.ts';
import { modelNorm, type Plan } from '../../federation/plan.ts';
import { createSparseVector } from '../../numerics/sparse-vector.ts';
import { seededRandom } from '../../numerics/random.ts';
import { addClipped, clipBounds, emptySum } from '../../privacy/clip.ts';
import { skellamSampler } from '../../privacy/skellam-sampler.ts';
import { CestaError } from '../../protocol/errors.ts';
import type { AnyFederatedModel } from '../../recommender/federated-model.ts';

/** One shopper's contribution on the grid, without the slots behind the model's vector. */
export interface GridVector {
  readonly indexes: Int32Array;
  readonly steps: Int32Array;
}

/**
 * What each shopper adds to a shop's sum: `startStatistic` without the slots behind the model's vector.
 * @throws CestaError `privacy.invalid` for the rotated encoding, whose entries speak of no item by themselves.
 */
export function gridVectors(plan: Plan, model: AnyFederatedModel, histories: readonly ShopperHistory[]): GridVector[] {
  if (plan.bounds.encoding.kind !== 'sparse') throw new CestaError('privacy.invalid', `encoding: expected sparse, got ${plan.bounds.encoding.kind}`);
  const { rowCap, gridScale } = plan.bounds;
  const clip = clipBounds({ clipNorm: modelNorm(plan.bounds), rowCap, gridScale });
  const params = model.initial();
  const contribution = createSparseVector();
  // One vector serves all: a shop's sum of each shopper alone would be a long vector of zeros every time.
  const sum = emptySum(model.statisticLength());
  return histories.map((history) => {
    contribution.clear();
    model.contribute(params, history, contribution);
    addClipped(sum, contribution, clip);
    const indexes = Int32Array.from({ length: contribution.size }, (_, entry) => contribution.indexAt(entry)).filter((index) => sum[index] !== 0);
    const steps = indexes.map((index) => sum[index]);
    for (const index of indexes) sum[index] = 0;
    return { indexes, steps };
  });
}

/** Adds a uniformly random word to every coordinate, modulo 2^32: an upload under secure aggregation. */
export type Masker = (upload: Int32Array, stream: number) => void;

export interface Channel {
  readonly length: number;
  readonly gridScale: number;
  /** Standard deviation of the noise in a view, in contribution units. */
  readonly noiseStd: number;
  /** The view of these participants together, in grid steps; another `stream` has other noise and other masks. */
  receive(participants: readonly GridVector[], stream: number): Int32Array;
}

export interface ChannelOptions {
  /** Whose grid and noise it is. */
  readonly plan: Plan;
  readonly length: number;
  /** Of the plan's noise; 0 leaves it out. */
  readonly noiseFactor: number;
  readonly mask?: Masker | undefined;
  readonly seed: number;
}

/**
 * Noise is seeded, so that figures can be repeated: it protects nobody. In a sum it is the plan's noise once, the law
 * of the participants' shares together, since Skellam noise is closed under sums.
 */
export function createChannel({ plan, length, noiseFactor, mask, seed }: ChannelOptions): Channel {
  const { privacy, bounds: { gridScale } } = plan;
  const noiseStd = privacy.mode === 'none' ? 0 : privacy.noiseStd * noiseFactor;
  const sampler = noiseStd === 0 ? null : skellamSampler({ variance: (noiseStd * gridScale) ** 2, kind: 'fast' });
  return {
    length,
    gridScale,
    noiseStd,
    receive(participants, stream) {
      const view = new Int32Array(length);
      sampler?.fill(view, seededRandom(seed, `attack noise ${stream}`));
      for (const { indexes, steps } of participants) for (let entry = 0; entry < indexes.length; entry += 1) view[indexes[entry]] += steps[entry];
      mask?.(view, stream);
      return view;
    },
  };
}

/** What an attacker knows of shoppers in general: mean and variance of every coordinate of one contribution, in grid steps. */
export interface Population {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

export function populationOf(vectors: readonly GridVector[], length: number): Population {
  const mean = new Float64Array(length);
  const variance = new Float64Array(length);
  for (const { indexes, steps } of vectors) {
    for (let entry = 0; entry < indexes.length; entry += 1) {
      mean[indexes[entry]] += steps[entry] / vectors.length;
      variance[indexes[entry]] += steps[entry] ** 2 / vectors.length;
    }
  }
  for (let index = 0; index < length; index += 1) variance[index] = Math.max(0, variance[index] - mean[index] ** 2);
  return { mean, variance };
}

/** How a view looks to somebody who expects the other participants to be ordinary shoppers. All in grid steps. */
export interface Expectation {
  readonly mean: Float64Array;
  /** One over the variance of the others and the noise; at most 1: a step of rounding is always in doubt. */
  readonly precision: Float64Array;
}

/** @param others participants beside the one that is attacked */
export function expectOthers({ mean, variance }: Population, others: number, { noiseStd, gridScale }: Pick<Channel, 'noiseStd' | 'gridScale'>): Expectation {
  const noise = 1 + (noiseStd * gridScale) ** 2;
  return { mean: mean.map((value) => others * value), precision: variance.map((value) => 1 / (others * value + noise)) };
}
