/**
 * A shop's statistic on its way to the wire: contribution -> row cap -> clip -> integer grid -> sum -> noise
 * -> mask. Every shopper is put on the grid before the sum, so the sensitivity is exact and everything after
 * it is integer arithmetic in the ring Z_2^32.
 */
import type { ShopperHistory } from '../commerce/history.ts';
import { createSparseVector, type SparseVector } from '../numerics/sparse-vector.ts';
import type { RandomWords } from '../numerics/random.ts';
import { addClipped, clipBounds, emptySum } from '../privacy/clip.ts';
import { addDense } from '../privacy/dense.ts';
import { addNoiseBlock, withoutNoise, type NoiseBlock } from '../privacy/noise.ts';
import type { Clipped, Masked, Noised } from '../privacy/vectors.ts';
import type { AnyStatistic } from '../recommender/federated-model.ts';
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

/**
 * Starts a sum of contributions under the bounds of a plan. Each shopper's joint vector (model part and slots) has L2
 * norm at most `clipNorm`; on the grid it moves the sum by at most `planSensitivity`.
 * @param random decides the rounding of the rotated encoding; the sparse one rounds toward zero.
 * @throws CestaError `plan.invalid` when model and plan disagree about the length.
 */
export function startStatistic(model: AnyStatistic, params: unknown, plan: Plan, random: RandomWords): StatisticBuilder {
  const { bounds } = plan;
  const modelLength = model.statisticLength();
  if (modelLength + slotsOf(bounds) !== contributionLength(plan)) {
    throw new CestaError('plan.invalid', `statisticLength: expected ${modelLength + slotsOf(bounds)} for this model and catalogue, got ${contributionLength(plan)}`);
  }
  const sum = emptySum(plan.statisticLength);
  const encode = bounds.encoding.kind === 'rotated' ? rotatedEncoder(sum, plan, random) : sparseEncoder(sum, plan);
  const contribution = createSparseVector();
  let shoppers = 0;
  return {
    add(history) {
      if (shoppers === bounds.maxShoppersPerShop) {
        throw new CestaError('privacy.infeasible', `shoppers: expected at most ${bounds.maxShoppersPerShop} in one shop, got more; split the shop or raise maxShoppersPerShop of the task`);
      }
      contribution.clear();
      model.contribute(params, history, contribution);
      encode(contribution);
      shoppers += 1;
    },
    get shoppers() {
      return shoppers;
    },
    finish: () => sum,
  };
}

/** Entry by entry: what a shopper does not touch stays untouched. */
function sparseEncoder(sum: Clipped, plan: Plan): (contribution: SparseVector) => void {
  const { bounds } = plan;
  const { gridScale, rowCap } = bounds;
  const clip = clipBounds({ clipNorm: modelNorm(bounds), rowCap, gridScale });
  const countSlot = plan.statisticLength - slotsOf(bounds);
  const countSteps = countStepsOf(bounds);
  const bitSteps = bitStepsOf(bounds);
  return (contribution) => {
    const within = addClipped(sum, contribution, clip);
    sum[countSlot] += countSteps;
    if (bitSteps > 0) sum[countSlot + 1] += within ? bitSteps : -bitSteps;
  };
}

/** The whole vector, rotated and rounded at random: for models whose contributions are dense. */
function rotatedEncoder(sum: Clipped, plan: Plan, random: RandomWords): (contribution: SparseVector) => void {
  const { bounds } = plan;
  const { clipNorm, rowCap, gridScale, countValue, clipBit, encoding } = bounds;
  if (encoding.kind !== 'rotated' || clipNorm === null) throw new CestaError('plan.invalid', 'bounds.clipNorm: expected a number with the rotated encoding, got none');
  const { vectorLength, rotationSeed } = encoding;
  const countSlot = vectorLength - slotsOf(bounds);
  const largest = modelNorm(bounds);
  const vector = new Float64Array(vectorLength);
  return (contribution) => {
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
    addDense(sum, vector, { clipNorm, scale: gridScale, rotationSeed }, random);
  };
}

/** Steps that one shopper adds to the count slot of a sparse sum. */
export function countStepsOf({ countValue, gridScale }: Bounds): number {
  return Math.floor(countValue * gridScale);
}

/** Steps that one shopper adds to, or takes from, the bit's slot of a sparse sum; 0 where there is none. */
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
