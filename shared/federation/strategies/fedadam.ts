/**
 * FedAdam: v_t = beta2 v_{t-1} + (1 - beta2) d_t^2. Paper: Reddi et al. 2021, algorithm 2, which has no correction of the
 * moments' start, unlike Adam itself.
 */
import { adaptiveStrategy } from './adaptive-step.ts';
import type { Strategy, StrategyOf } from './strategy.ts';

export function fedAdam({ beta2, ...terms }: Omit<StrategyOf<'fedadam'>, 'kind'>): Strategy {
  return adaptiveStrategy(terms, (secondMoment, square) => beta2 * secondMoment + (1 - beta2) * square);
}
