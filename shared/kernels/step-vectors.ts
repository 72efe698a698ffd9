/**
 * Weights, their gradients and an optimiser's moments, side by side in the memory of the SIMD kernels where there are any:
 * a step copies nothing. Plain twins of the same bits elsewhere.
 */
import { adagrad, adam, sgd, type AdamTerms } from './plain/optimisers.ts';
import { ownSimdKernels } from './simd.ts';

/** Steps change the entries from `from` to below `to`. Rates, shares and epsilons are rounded to 32 bits. */
export interface StepVectors {
  /** Zeros at first, as all four are. */
  readonly weights: Float32Array;
  readonly gradients: Float32Array;
  readonly means: Float32Array;
  readonly squares: Float32Array;
  sgd(from: number, to: number, rate: number): void;
  /** Adagrad, Duchi, Hazan and Singer 2011. */
  adagrad(from: number, to: number, terms: Pick<AdamTerms, 'rate' | 'epsilon'>): void;
  /** Adam, Kingma and Ba 2015. */
  adam(from: number, to: number, terms: AdamTerms): void;
}

/** @param length of each of the four vectors */
export function createStepVectors(length: number): StepVectors {
  const owned = ownSimdKernels(4 * length * 4);
  if (owned === null) return plainStepVectors(length);
  const { kernels, memory: { buffer } } = owned;
  const [weights, gradients, means, squares] = [0, 1, 2, 3].map((vector) => new Float32Array(buffer, vector * length * 4, length));
  const at = ({ byteOffset }: Float32Array, from: number): number => byteOffset + from * 4;
  return {
    weights, gradients, means, squares,
    sgd: (from, to, rate) => kernels.sgd(at(weights, from), at(gradients, from), to - from, rate),
    adagrad: (from, to, { rate, epsilon }) => kernels.adagrad(at(weights, from), at(squares, from), at(gradients, from), to - from, rate, epsilon),
    adam: (from, to, { rate, epsilon, shareMean, shareSquare }) => kernels.adam(at(weights, from), at(means, from), at(squares, from), at(gradients, from), to - from, rate, shareMean, shareSquare, epsilon),
  };
}

/** The vectors without WebAssembly. */
export function plainStepVectors(length: number): StepVectors {
  const [weights, gradients, means, squares] = Array.from({ length: 4 }, () => new Float32Array(length));
  const rounded = (terms: AdamTerms): AdamTerms => ({ rate: Math.fround(terms.rate), epsilon: Math.fround(terms.epsilon), shareMean: Math.fround(terms.shareMean), shareSquare: Math.fround(terms.shareSquare) });
  return {
    weights, gradients, means, squares,
    sgd: (from, to, rate) => sgd(weights.subarray(from, to), gradients.subarray(from, to), Math.fround(rate)),
    adagrad: (from, to, { rate, epsilon }) => adagrad(weights.subarray(from, to), squares.subarray(from, to), gradients.subarray(from, to), { rate: Math.fround(rate), epsilon: Math.fround(epsilon) }),
    adam: (from, to, terms) => adam(weights.subarray(from, to), means.subarray(from, to), squares.subarray(from, to), gradients.subarray(from, to), rounded(terms)),
  };
}
