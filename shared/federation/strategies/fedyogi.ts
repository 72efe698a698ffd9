/**
 * FedYogi: v_t = v_{t-1} - (1 - beta2) d_t^2 sign(v_{t-1} - d_t^2), which forgets large changes more slowly than FedAdam
 * does. Paper: Reddi et al. 2021, algorithm 2.
 */
import { adaptiveStrategy } from './adaptive-step.ts';
import type { Strategy, StrategyOf } from './strategy.ts';

export function fedYogi({ beta2, ...terms }: Omit<StrategyOf<'fedyogi'>, 'kind'>): Strategy {
  return adaptiveStrategy(terms, (secondMoment, square) => secondMoment - (1 - beta2) * square * Math.sign(secondMoment - square));
}
