/**
 * Federated averaging with momentum at the server. Paper: Hsu, Qi and Brown 2019, "Measuring the effects of non-identical
 * data distribution for federated visual classification", section 3: v_t = beta v_{t-1} + mean, x_{t+1} = x_t + eta v_t.
 * In the long run a constant change counts 1 / (1 - beta) times. Momentum 0 is {@link fedAvg}.
 */
import type { Strategy, StrategyOf } from './strategy.ts';

export function fedAvgM({ learningRate, momentum: beta }: Omit<StrategyOf<'fedavgm'>, 'kind'>): Strategy {
  return {
    init: (length) => ({ momentum: new Float32Array(length) }),
    apply({ momentum }, meanChange) {
      const moved = meanChange.map((change, i) => beta * momentum[i] + change);
      return { state: { momentum: Float32Array.from(moved) }, step: moved.map((value) => learningRate * value) };
    },
  };
}
