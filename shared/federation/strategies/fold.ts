/**
 * From a decoded sum to new parameters, the one way for coordinator and simulation: sum -> mean change -> step of the
 * strategy -> `model.update`. Works on a released sum: post-processing, and free of charge.
 */
import type { NamedTensors } from '../../protocol/tensors.ts';
import type { Aggregate, AnyFederatedModel } from '../../recommender/federated-model.ts';
import type { Plan } from '../plan.ts';
import { serverStrategy } from './server-strategy.ts';
import { decodeState, encodeState } from './state-tensors.ts';

/** Where a round starts: parameters, and the tensors of the strategy beside them in a release. */
export interface FoldBase {
  readonly params: unknown;
  /** Null before the first release. */
  readonly strategy: NamedTensors | null;
}

export interface Folded {
  readonly params: unknown;
  /** To be sealed with the parameters; none without a strategy, or for one that keeps nothing. */
  readonly strategy: NamedTensors;
}

export interface FoldedSum {
  readonly plan: Pick<Plan, 'strategy' | 'cohort'>;
  readonly aggregate: Aggregate;
  /** Reports in the sum. */
  readonly participants: number;
}

/** @throws CestaError `release.untrusted` when the base lacks the strategy's state; whatever the update does */
export function foldSum(model: AnyFederatedModel, base: FoldBase, { plan, aggregate, participants }: FoldedSum): Folded {
  const strategy = serverStrategy(plan, model);
  if (strategy === null) return { params: model.update(base.params, aggregate), strategy: {} };
  const { sum, shoppers } = aggregate;
  const before = base.strategy === null ? strategy.init(sum.length) : decodeState(strategy, base.strategy, sum.length);
  const { state, step } = strategy.apply(before, sum.map((value) => value / shoppers), { participants });
  return { params: model.update(base.params, { ...aggregate, sum: step.map((value) => value * shoppers) }), strategy: encodeState(state) };
}
