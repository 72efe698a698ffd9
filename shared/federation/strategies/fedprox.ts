/**
 * FedProx: every shop minimises its loss plus mu / 2 |w - w_t|^2, so that it does not drift far on data unlike the
 * others'. Paper: Li et al. 2020, "Federated optimization in heterogeneous networks", equation 2 and algorithm 2. The
 * term is in the training of the shop ({@link proximalWeight}); the server averages, as in FedAvg.
 */
import { fedAvg } from './fedavg.ts';
import type { Strategy, StrategyOf, StrategySpec } from './strategy.ts';

export function fedProx({ learningRate }: Omit<StrategyOf<'fedprox'>, 'kind'>): Strategy {
  return fedAvg({ learningRate });
}

/** mu; 0 under any other strategy. */
export function proximalWeight(strategy: StrategySpec | undefined): number {
  return strategy?.kind === 'fedprox' ? strategy.mu : 0;
}
