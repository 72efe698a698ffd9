/**
 * Federated averaging: the parameters move by the mean change. Paper: McMahan et al. 2017, "Communication-efficient
 * learning of deep networks from decentralized data", algorithm 1; with a server rate as in Reddi et al. 2021, algorithm
 * 1 (SERVEROPT = SGD): x_{t+1} = x_t + eta mean. Rate 1 is the first paper's.
 */
import type { Strategy, StrategyOf } from './strategy.ts';

export function fedAvg({ learningRate }: Pick<StrategyOf<'fedavg'>, 'learningRate'>): Strategy {
  return {
    init: () => ({}),
    apply: (state, meanChange) => ({ state, step: meanChange.map((change) => learningRate * change) }),
  };
}
