/** FedAdagrad: v_t = v_{t-1} + d_t^2, and no momentum (beta1 = 0). Paper: Reddi et al. 2021, algorithm 2. */
import { adaptiveStrategy } from './adaptive-step.ts';
import type { Strategy, StrategyOf } from './strategy.ts';

export function fedAdagrad({ learningRate, tau }: Omit<StrategyOf<'fedadagrad'>, 'kind'>): Strategy {
  return adaptiveStrategy({ learningRate, tau, beta1: 0 }, (secondMoment, square) => secondMoment + square);
}
