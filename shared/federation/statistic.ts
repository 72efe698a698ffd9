/**
 * A shop's statistic on its way to the wire: contribution -> row cap -> clip -> integer grid -> sum -> noise
 * -> mask. Every shopper is put on the grid before the sum, so the sensitivity is exact and everything after
 * it is integer arithmetic in the ring Z_2^32. Where the unit is the shop, shop-change.ts makes the one contribution.
 */
import type { ShopperHistory } from '../commerce/history.ts';
import { createSparseVector, type SparseVector } from '../numerics/sparse-vector.ts';
import { uniform53, type RandomWords } from '../numerics/random.ts';
import { addClipped, clipBounds, emptySum } from '../privacy/clip.ts';
import { addDense } from '../privacy/dense.ts';
import { addNoiseBlock, withoutNoise, type NoiseBlock } from '../privacy/noise.ts';
import type { Clipped, Masked, Noised } from '../privacy/vectors.ts';
import { localTrainerOf, type AnyStatistic } from '../recommender/federated-model.ts';
import { CestaError } from '../protocol/errors.ts';
import { contributionLength, modelNorm, slotsOf, type Bounds, type Plan } from './plan.ts';

/** Sums one shop's shoppers, one call a shopper, so that a caller can yield between them. */
export interface StatisticBuilder {
  /** @throws CestaError `privacy.infeasible` when the shop has more shoppers than the plan's ring was sized for. */
  add(history: ShopperHistory): void;
  readonly shoppers: number;
  /** The sum. The builder must not be used afterwards. */
  finish(): Clipped;
}

/** Of one participant after the other, into one sum that outlives them: what a simulation of many saves memory with. */
export interface ParticipantSums {
  /** @param random of this participant alone, so that the sum is the same whoever else is in it */
  participant(random: RandomWords): Pick<StatisticBuilder, 'add' | 'shoppers'>;
  /** Contributions so far that the clip norm shortened: nothing that a real participant tells. */
  readonly shortened: number;
}

/**
 * Starts a sum of contributions under the bounds of a plan. Each shopper's joint vector (model part and slots) has L2
 * norm at most `clipNorm`; on the grid it moves the sum by at most `planSensitivity`.
 * @param random decides the rounding of the rotated encoding; the sparse one rounds toward zero.
 * @throws CestaError `plan.invalid` when model and plan disagree about the length.
 */
export function startStatistic(model: AnyStatistic, params: unknown, plan: Plan, random: RandomWords): StatisticBuilder {
  const sum = emptySum(plan.statisticLength);
  const builder = participantSums(sum, model, params, plan).participant(random);
  return {
    add: (history) => builder.add(history),
    get shoppers() {
      return builder.shoppers;
    },
    finish: () => sum,
  };
}

/**
 * The same into a sum that is there already.
 * @throws CestaError as {@link startStatistic}
 */
export function participantSums(sum: Clipped, model: AnyStatistic, params: unknown, plan: Plan): ParticipantSums {
  const { bounds } = plan;
  if (plan.unit === 'shop') throw new CestaError('plan.invalid', 'unit: expected shopper where contributions of shoppers are summed, got shop');
  let words: RandomWords | undefined;
  const encode = contributionEncoder(sum, model, plan, { nextUint32: () => words!.nextUint32() });
  const contribution = createSparseVector();
  let shortened = 0;
  return {
    participant(random) {
      let shoppers = 0;
      return {
        add(history) {
          if (shoppers === bounds.maxShoppersPerShop) {
            throw new CestaError('privacy.infeasible', `shoppers: expected at most ${bounds.maxShoppersPerShop} in one shop, got more; split the shop or raise maxShoppersPerShop of the task`);
          }
          words = random;
          contribution.clear();
          model.contribute(params, history, contribution);
          const within = encode(contribution, contributionWeight(plan, history.items.length));
          if (!within && isLonger(contribution, modelNorm(bounds))) shortened += 1;
          shoppers += 1;
        },
        get shoppers() {
          return shoppers;
        },
      };
    },
    get shortened() {
      return shortened;
    },
  };
}

/** By more than rounding: models whose contributions all have one norm are made to be at the clip norm. */
function isLonger(contribution: SparseVector, clipNorm: number): boolean {
  let square = 0;
  for (let i = 0; i < contribution.size; i += 1) square += contribution.valueAt(i) ** 2;
  return Math.sqrt(square) > clipNorm * (1 + 1e-9);
}

/** Weight of a contribution that was made of so many events. */
export function contributionWeight({ weightedUpTo }: Pick<Plan, 'weightedUpTo'>, events: number): number {
  return weightedUpTo === undefined ? 1 : Math.min(Math.max(events, 1), weightedUpTo) / weightedUpTo;
}

/** Adds one contribution, clipped and on the grid, to a sum; whether its norm was within the clip norm. */
export type ContributionEncoder = (contribution: SparseVector, weight: number) => boolean;

/**
 * Sensitivity: the joint vector (v, slots) of a contribution has L2 norm at most `clipNorm` after clipping. A weight w in
 * (0, 1] multiplies v and the slots alike, after clipping, so w times it has norm at most w clipNorm: adding or removing a
 * contribution moves the sum by no more than without weights, whatever its weight, which is as private as the rest of it.
 * On the sparse grid w is rounded to whole steps of the count slot first, so that vector and count have the very same.
 * @throws CestaError `plan.invalid` when model and plan disagree about the length.
 */
export function contributionEncoder(sum: Clipped, model: AnyStatistic, plan: Plan, random: RandomWords): ContributionEncoder {
  const { bounds } = plan;
  const length = model.statisticLength() + slotsOf(bounds);
  if (length !== contributionLength(plan)) throw new CestaError('plan.invalid', `statisticLength: expected ${length} for this model and catalogue, got ${contributionLength(plan)}`);
  if (bounds.encoding.kind === 'rotated') return rotatedEncoder(sum, plan, random);
  // Changes of weights are small beside a grid for many shoppers. Without noise there is no sensitivity to keep, and
  // rounding at random keeps their mean.
  return sparseEncoder(sum, plan, bounds.clipNorm === null && localTrainerOf(model) !== null ? random : null);
}

/** Entry by entry: what a shopper does not touch stays untouched. @param dither rounds at random; null: toward zero */
function sparseEncoder(sum: Clipped, plan: Plan, dither: RandomWords | null): ContributionEncoder {
  const { bounds } = plan;
  const { gridScale, rowCap } = bounds;
  const clip = clipBounds({ clipNorm: modelNorm(bounds), rowCap, gridScale });
  const countSlot = plan.statisticLength - slotsOf(bounds);
  const countSteps = countStepsOf(bounds);
  const bitSteps = bitStepsOf(bounds);
  const moved = createSparseVector();
  return (contribution, weight) => {
    // Never more than the plan's count, which is no step at all on a grid that is coarser than it.
    const steps = Math.min(countSteps, Math.max(1, Math.round(weight * countSteps)));
    const share = countSteps === 0 ? weight : steps / countSteps;
    let given = contribution;
    if (share < 1 || dither !== null) {
      moved.clear();
      for (let i = 0; i < contribution.size; i += 1) moved.add(contribution.indexAt(i), dithered(contribution.valueAt(i) * share, gridScale, dither));
      given = moved;
    }
    const within = addClipped(sum, given, share < 1 ? { clipNorm: clip.clipNorm * share, rowCap: rowCap * share, gridScale } : clip);
    sum[countSlot] += steps;
    const bit = Math.floor(bitSteps * share);
    if (bitSteps > 0) sum[countSlot + 1] += within ? bit : -bit;
    return within;
  };
}

/** What rounds toward zero to a neighbouring step with the probabilities that keep the mean. */
function dithered(value: number, gridScale: number, random: RandomWords | null): number {
  return random === null ? value : value + (Math.sign(value) * uniform53(random)) / gridScale;
}

/** The whole vector, rotated and rounded at random: for models whose contributions are dense. */
function rotatedEncoder(sum: Clipped, plan: Plan, random: RandomWords): ContributionEncoder {
  const { bounds } = plan;
  const { clipNorm, rowCap, gridScale, countValue, clipBit, encoding } = bounds;
  if (encoding.kind !== 'rotated' || clipNorm === null) throw new CestaError('plan.invalid', 'bounds.clipNorm: expected a number with the rotated encoding, got none');
  const { vectorLength, rotationSeed } = encoding;
  const countSlot = vectorLength - slotsOf(bounds);
  const largest = modelNorm(bounds);
  const vector = new Float64Array(vectorLength);
  return (contribution, weight) => {
    vector.fill(0);
    let square = 0;
    for (let i = 0; i < contribution.size; i += 1) {
      const value = contribution.valueAt(i);
      // The same rule as for sparse contributions: what is not finite counts as zero.
      const capped = Number.isFinite(value) ? Math.min(rowCap, Math.max(-rowCap, value)) : 0;
      vector[contribution.indexAt(i)] = capped;
      square += capped * capped;
    }
    const norm = Math.sqrt(square);
    const within = norm <= largest;
    if (!within) for (let i = 0; i < countSlot; i += 1) vector[i] *= largest / norm;
    vector[countSlot] = countValue;
    if (clipBit !== null) vector[countSlot + 1] = within ? clipBit.value : -clipBit.value;
    if (weight < 1) for (let i = 0; i < vectorLength; i += 1) vector[i] *= weight;
    addDense(sum, vector, { clipNorm, scale: gridScale, rotationSeed }, random);
    return within;
  };
}

/** Steps that one contribution of weight 1 adds to the count slot of a sparse sum. */
export function countStepsOf({ countValue, gridScale }: Bounds): number {
  return Math.floor(countValue * gridScale);
}

/** Steps that one contribution of weight 1 adds to, or takes from, the bit's slot of a sparse sum; 0 where there is none. */
export function bitStepsOf({ clipBit, gridScale }: Bounds): number {
  return clipBit === null ? 0 : Math.floor(clipBit.value * gridScale);
}

/** Adds what `drawNoise` of noise-shares.ts drew. Null adds nothing: no promise is made then, and plan, release and budget say so. */
export function addDrawnNoise(sum: Clipped, noise: NoiseBlock | null): Noised {
  return noise === null ? withoutNoise(sum) : addNoiseBlock(sum, noise);
}

/**
 * Between noise and wire, where a plan reports in the clear: `local` because its noise protects against the
 * coordinator by itself, `none` because it protects nothing. In mode `distributed` the session of the masked round
 * takes the noised sum, and nothing else may.
 */
export function withoutMask(noised: Noised, plan: Plan): Masked {
  switch (plan.privacy.mode) {
    case 'none':
    case 'local':
      return noised as unknown as Masked;
    case 'distributed':
      throw new CestaError('internal', 'statistic: expected a mask in mode distributed, got a report in the clear');
    default:
      return plan.privacy satisfies never;
  }
}
