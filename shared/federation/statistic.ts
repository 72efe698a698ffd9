/**
 * A shop's statistic on its way to the wire: contribution -> row cap -> clip -> integer grid -> sum -> noise
 * -> mask. Every shopper is put on the grid before the sum, so the sensitivity is exact and everything after
 * it is integer arithmetic in the ring Z_2^32.
 */
import type { ShopperHistory } from '../commerce/history.ts';
import { createSparseVector } from '../numerics/sparse-vector.ts';
import type { SecureRandom } from '../numerics/random.ts';
import { addClipped, clipBounds, emptySum } from '../privacy/clip.ts';
import { addNoise, withoutNoise } from '../privacy/noise.ts';
import { skellamSampler, type SkellamSampler } from '../privacy/skellam-sampler.ts';
import type { Clipped, Masked, Noised } from '../privacy/vectors.ts';
import type { AnyFederatedModel } from '../recommender/federated-model.ts';
import { CestaError } from '../protocol/errors.ts';
import type { Plan } from './plan.ts';

/** Sums one shop's shoppers, one call a shopper, so that a caller can yield between them. */
export interface StatisticBuilder {
  /** @throws CestaError `privacy.infeasible` when the shop has more shoppers than the plan's ring was sized for. */
  add(history: ShopperHistory): void;
  readonly shoppers: number;
  /** The sum. The builder must not be used afterwards. */
  finish(): Clipped;
}

/**
 * Starts a sum of contributions under the bounds of a plan. Each shopper's joint vector (model part and count
 * slot) has L2 norm at most `clipNorm`, hence at most `gridScale * clipNorm` on the grid: the sensitivity of
 * the sum to adding or removing one shopper.
 */
export function startStatistic(model: AnyFederatedModel, params: unknown, plan: Plan): StatisticBuilder {
  const countSlot = model.statisticLength();
  if (countSlot + 1 !== plan.statisticLength) {
    throw new CestaError('plan.invalid', `statisticLength: expected ${countSlot + 1} for this model and catalogue, got ${plan.statisticLength}`);
  }
  const { clipNorm, countValue, rowCap, gridScale, maxShoppersPerShop } = plan.bounds;
  const sum = emptySum(plan.statisticLength);
  const countSteps = Math.floor(countValue * gridScale);
  // The root may round up; four units in the last place keep the joint norm within the clip norm for certain.
  const modelNorm = clipNorm === null ? Infinity : Math.sqrt(clipNorm ** 2 - countValue ** 2) * (1 - 2 ** -50);
  const bounds = clipBounds({ clipNorm: modelNorm, rowCap, gridScale });
  const contribution = createSparseVector();
  let shoppers = 0;
  return {
    add(history) {
      if (shoppers === maxShoppersPerShop) {
        throw new CestaError('privacy.infeasible', `shoppers: expected at most ${maxShoppersPerShop} in one shop, got more; split the shop or raise maxShoppersPerShop of the task`);
      }
      contribution.clear();
      model.contribute(params, history, contribution);
      addClipped(sum, contribution, bounds);
      sum[countSlot] += countSteps;
      shoppers += 1;
    },
    get shoppers() {
      return shoppers;
    },
    finish: () => sum,
  };
}

/** Adds this participant's noise: all of the plan's sigma in mode `local`, nothing in mode `none`. */
export function noiseStatistic(sum: Clipped, plan: Plan, random: SecureRandom): Noised {
  const { privacy, bounds } = plan;
  switch (privacy.mode) {
    case 'none':
      // No promise is made in this mode, and the plan, the release and the budget all say so.
      return withoutNoise(sum);
    case 'local': {
      const variance = (privacy.noiseStd * bounds.gridScale) ** 2;
      return addNoise(sum, samplerOf(variance), random);
    }
    default:
      return privacy satisfies never;
  }
}

/** Tables of the last variances: building one takes longer than drawing a statistic, and rounds of a task share it. */
const samplers = new Map<number, SkellamSampler>();
const keptSamplers = 4;

function samplerOf(variance: number): SkellamSampler {
  const kept = samplers.get(variance);
  if (kept !== undefined) return kept;
  const sampler = skellamSampler({ variance, kind: 'strict' });
  const oldest = samplers.keys().next();
  if (samplers.size === keptSamplers && oldest.done !== true) samplers.delete(oldest.value);
  samplers.set(variance, sampler);
  return sampler;
}

/**
 * The seam for secure aggregation, between noise and wire. Both modes of today report in the clear: `local`
 * because its noise protects against the coordinator by itself, `none` because it protects nothing.
 */
export function maskStatistic(noised: Noised, plan: Plan): Masked {
  switch (plan.privacy.mode) {
    case 'none':
    case 'local':
      return noised as unknown as Masked;
    default:
      return plan.privacy satisfies never;
  }
}
