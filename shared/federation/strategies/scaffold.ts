/**
 * SCAFFOLD: gradients of a shop are corrected by c - c_i, the control variate of all minus its own, so that local steps go
 * where those of all shops together would. Paper: Karimireddy et al. 2020, "SCAFFOLD: stochastic controlled averaging for
 * federated learning", algorithm 1, option II: c_i+ = c_i - c + (x - y_i) / (K eta_l).
 *
 * The paper has shops report two vectors, the changes of y_i and of c_i. Here they report one. All take the same number K
 * of plain gradient steps at the same rate eta_l, so c_i+ - c_i = -c - change_i / (K eta_l), which is linear in the change,
 * with c public; the mean over shops follows from the mean change alone, c+ = c - |S| / N (c + mean / (K eta_l)).
 * Nothing is reported twice: sensitivity, noise and bytes are those of plain averaging.
 *
 * c comes from clipped changes and carries their noise; a shop computes c_i from its own change, unclipped. What clipping
 * takes off every round, c lacks, so a clip norm that bites makes corrections inexact, never a guarantee weaker.
 */
import type { Strategy, StrategyOf } from './strategy.ts';

/** What the federation agrees on: K, eta_l and N. */
export interface ScaffoldTerms {
  readonly localSteps: number;
  readonly localRate: number;
  readonly shops: number;
}

export function scaffold({ learningRate }: Pick<StrategyOf<'scaffold'>, 'learningRate'>, { localSteps, localRate, shops }: ScaffoldTerms): Strategy {
  return {
    init: (length) => ({ control: new Float32Array(length) }),
    apply({ control }, meanChange, { participants }) {
      const share = Math.min(1, participants / shops);
      const moved = Float32Array.from(control, (c, i) => c - share * (c + meanChange[i] / (localSteps * localRate)));
      return { state: { control: moved }, step: meanChange.map((change) => learningRate * change) };
    },
  };
}

/** c - c_i: what a shop adds to every gradient. */
export function correctionOf(control: Float32Array, own: Float32Array): Float32Array {
  return control.map((c, i) => c - own[i]);
}

/** c_i+ of a shop whose weights changed by `change`. */
export function nextOwnControl(control: Float32Array, own: Float32Array, { change, steps, learningRate }: { readonly change: Float32Array; readonly steps: number; readonly learningRate: number }): Float32Array {
  return own.map((c, i) => c - control[i] - change[i] / (steps * learningRate));
}
