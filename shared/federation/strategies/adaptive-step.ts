/**
 * What FedAdagrad, FedAdam and FedYogi have in common. Paper: Reddi et al. 2021, "Adaptive federated optimization",
 * algorithm 2, with v_{-1} = tau^2:
 *   d_t = beta1 d_{t-1} + (1 - beta1) mean_t;   v_t by the strategy;   x_{t+1} = x_t + eta d_t / (sqrt(v_t) + tau).
 * The step of an entry hardly depends on the scale of the changes, so `learningRate` is in the units of the parameters.
 * Noise does enter v_t: where it is larger than the changes, steps shrink to what plain averaging would make of them.
 */
import type { Strategy } from './strategy.ts';

export interface AdaptiveTerms {
  readonly learningRate: number;
  readonly beta1: number;
  readonly tau: number;
}

/**
 * The moments are kept in single precision, as in the release that they are read back from: a coordinator that was
 * restarted makes the same step as one that was not.
 * @param nextSecondMoment v_t from v_{t-1} and d_t^2
 */
export function adaptiveStrategy({ learningRate, beta1, tau }: AdaptiveTerms, nextSecondMoment: (secondMoment: number, square: number) => number): Strategy {
  return {
    init: (length) => ({ momentum: new Float32Array(length), secondMoment: new Float32Array(length).fill(tau ** 2) }),
    apply(state, meanChange) {
      const momentum = Float32Array.from(meanChange, (change, i) => beta1 * state['momentum'][i] + (1 - beta1) * change);
      const secondMoment = Float32Array.from(momentum, (d, i) => nextSecondMoment(state['secondMoment'][i], d * d));
      const step = Float64Array.from(momentum, (d, i) => (learningRate * d) / (Math.sqrt(secondMoment[i]) + tau));
      return { state: { momentum, secondMoment }, step };
    },
  };
}
