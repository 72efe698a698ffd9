/**
 * A model trained on histories in one place, in plain floating point: what the integer grid and the ring of a real
 * round must agree with up to rounding.
 */
import type { ShopperHistory } from '../../shared/commerce/history.ts';
import { createSparseVector, type SparseVector } from '../../shared/numerics/sparse-vector.ts';
import type { FederatedModel } from '../../shared/recommender/federated-model.ts';

export interface CentralTrainingOptions {
  /** Contributions of a larger L2 norm are scaled down to it; the model's own bound by default. */
  readonly clipNorm?: number;
  /** Adds noise to the sum in place. */
  readonly perturb?: (sum: Float64Array) => void;
  /** Standard deviation of what `perturb` adds to each coordinate. */
  readonly noiseStd?: number;
  /** Where a further round starts from; the model's initial parameters by default. */
  readonly params?: unknown;
}

/**
 * One round over the given histories; empty ones, which a split keeps for shoppers it holds out, are nobody.
 * @example const params = trainCentrally(model, split.training);
 */
export function trainCentrally<Params>(model: FederatedModel<Params>, histories: readonly ShopperHistory[], options: CentralTrainingOptions = {}): Params {
  const params = options.params === undefined ? model.initial() : (options.params as Params);
  const sum = sumContributions(model, params, histories, options.clipNorm ?? model.normBound);
  options.perturb?.(sum);
  return model.update(params, { sum, shoppers: Math.max(1, histories.filter(({ items }) => items.length > 0).length), noiseStd: options.noiseStd ?? 0 });
}

/** Streams the contributions into one sum: a list of them would not fit in memory. */
export function sumContributions<Params>(model: FederatedModel<Params>, params: Params, histories: Iterable<ShopperHistory>, clipNorm: number): Float64Array {
  const sum = new Float64Array(model.statisticLength());
  const contribution = createSparseVector();
  for (const history of histories) {
    contribution.clear();
    model.contribute(params, history, contribution);
    const norm = normOf(contribution);
    const factor = norm > clipNorm ? clipNorm / norm : 1;
    for (let entry = 0; entry < contribution.size; entry += 1) sum[contribution.indexAt(entry)] += factor * contribution.valueAt(entry);
  }
  return sum;
}

function normOf(vector: SparseVector): number {
  let squares = 0;
  for (let entry = 0; entry < vector.size; entry += 1) squares += vector.valueAt(entry) ** 2;
  return Math.sqrt(squares);
}
