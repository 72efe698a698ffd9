/**
 * Canaries: made-up shoppers whose contributions are as large as a plan allows and orthogonal to each other, each put
 * into a sum by a fair coin. An attacker who knows everything else guesses who is in. Papers: Steinke, Nasr and
 * Jagielski 2023 (one-run audit); Andrew et al. 2023 (canaries in federated training). A smoke alarm, not a proof: the
 * bound it gives is a third to a half of the truth.
 */
import type { SparseVector } from '../numerics/sparse-vector.ts';
import { gaussianEpsilon } from './accounting/gaussian.ts';
import { oneRunEpsilonLowerBound } from './audit.ts';
import { invalid, requireInteger, requirePositive } from './checks.ts';

export interface Canaries {
  readonly count: number;
  /** Coordinates of each canary: as few as the row cap allows at full norm. */
  readonly width: number;
  /** Entry on each coordinate, in contribution units. */
  readonly value: number;
  /** Writes canary `index` as a contribution. */
  contribute(index: number, into: SparseVector): void;
  /** What each canary shows in a sum from which everything known was taken away: about 1 when it is in, 0 when not. */
  scores(unexplained: Float64Array): Float64Array;
}

/**
 * @param length coordinates of the model's part of the statistic
 * @throws CestaError `privacy.invalid` when so many do not fit beside each other.
 */
export function makeCanaries({ count, length, norm, rowCap }: { count: number; length: number; norm: number; rowCap: number }): Canaries {
  requireInteger('canaries', count);
  requirePositive('norm', norm);
  requirePositive('rowCap', rowCap);
  const width = Math.ceil((norm / rowCap) ** 2 - 1e-9);
  if (count * width > length) throw invalid('canaries', `at most ${Math.floor(length / width)} for a statistic of ${length} coordinates`, count);
  const value = norm / Math.sqrt(width);
  return {
    count,
    width,
    value,
    contribute(index, into) {
      for (let k = 0; k < width; k += 1) into.add(index * width + k, value);
    },
    scores(unexplained) {
      return Float64Array.from({ length: count }, (_, index) => {
        let sum = 0;
        for (let k = 0; k < width; k += 1) sum += unexplained[index * width + k];
        return sum / (width * value);
      });
    },
  };
}

/** Shares of the canaries that the attacker guesses on, the surest ones at both ends; one bound for each. */
const guessedShares = [0.02, 0.05, 0.1, 0.2, 0.4, 1];

export interface CanaryFindings {
  /** With 95 % confidence the mechanism is not (less than this, delta)-DP. */
  readonly epsilonLowerBound: number;
  readonly guesses: number;
  readonly correct: number;
  /** Epsilon of a Gaussian with the canaries' mean shift and spread: an estimate, not a bound. */
  readonly epsilonEstimate: number;
}

/** What the attacker gets out of the scores: the best of several numbers of guesses, each at its share of 5 % (Bonferroni). */
export function findCanaries(scores: Float64Array, included: readonly boolean[], delta: number): CanaryFindings {
  const ranked = Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a]);
  const significance = 0.05 / guessedShares.length;
  let best = { epsilonLowerBound: 0, guesses: 0, correct: 0 };
  for (const share of guessedShares) {
    const half = Math.floor((share * scores.length) / 2);
    if (half === 0) continue;
    const correct = ranked.slice(0, half).filter((index) => included[index]).length + ranked.slice(-half).filter((index) => !included[index]).length;
    const bound = oneRunEpsilonLowerBound({ canaries: scores.length, guesses: 2 * half, correct, delta }, significance);
    if (bound >= best.epsilonLowerBound) best = { epsilonLowerBound: bound, guesses: 2 * half, correct };
  }
  return { ...best, epsilonEstimate: estimate(scores, included, delta) };
}

function estimate(scores: Float64Array, included: readonly boolean[], delta: number): number {
  const [inside, outside] = [true, false].map((isIn) => Array.from(scores).filter((_, index) => included[index] === isIn));
  if (inside.length < 2 || outside.length < 2) return 0;
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const shift = mean(inside) - mean(outside);
  const centre = mean(outside);
  const spread = Math.sqrt(mean(outside.map((value) => (value - centre) ** 2)));
  if (!(shift > 0)) return 0;
  return spread === 0 ? Infinity : gaussianEpsilon({ sigma: Math.max(spread / shift, 1e-3), delta });
}
