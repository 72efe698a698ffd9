/**
 * Canaries: made-up shoppers whose contributions are as large as a plan allows and orthogonal to each other, each put
 * into a sum by a fair coin. An attacker who knows everything else guesses who is in. Papers: Steinke, Nasr and
 * Jagielski 2023 (one-run audit); Andrew et al. 2023 (canaries in federated training). A smoke alarm, not a proof: the
 * bound it gives is a third to a half of the truth. More canaries do not always prove more: their number also
 * multiplies delta in the bound, see {@link provableEpsilon}.
 */
import type { SparseVector } from '../numerics/sparse-vector.ts';
import { gaussianEpsilon } from './accounting/gaussian.ts';
import { oneRunEpsilonLowerBound } from './audit.ts';
import { invalid, requireInteger, requirePositive } from './checks.ts';

export interface Canaries {
  readonly count: number;
  /** Coordinates of each canary, all of them at the row cap. */
  readonly width: number;
  /**
   * L2 norm of a canary before the clip over the clip norm: at 1 the row cap alone bounds it, and a clip that does
   * nothing would not show; at 4 such a clip shows like a quarter of the noise.
   */
  readonly overshoot: number;
  /** Writes canary `index` as a contribution, which the norm clip is to shrink. */
  contribute(index: number, into: SparseVector): void;
  /** What each canary shows in a sum from which everything known was taken away: about 1 when it is in, 0 when not. */
  scores(unexplained: Float64Array): Float64Array;
}

/** What {@link Canaries.overshoot} is where the statistic has room for it. */
const wantedOvershoot = 4;

/**
 * @param length coordinates of the model's part of the statistic
 * @throws CestaError `privacy.invalid` when so many do not fit beside each other.
 */
export function makeCanaries({ count, length, norm, rowCap }: { count: number; length: number; norm: number; rowCap: number }): Canaries {
  requireInteger('canaries', count);
  requirePositive('norm', norm);
  requirePositive('rowCap', rowCap);
  const widthAt = (overshoot: number): number => Math.ceil(((overshoot * norm) / rowCap) ** 2 - 1e-9);
  // Narrower ones would not reach the clip norm, and prove less than they could.
  const narrowest = widthAt(1);
  if (count * narrowest > length) throw invalid('canaries', `at most ${Math.floor(length / narrowest)} for a statistic of ${length} coordinates`, count);
  const width = Math.min(widthAt(wantedOvershoot), Math.floor(length / count));
  const clippedEntry = norm / Math.sqrt(width);
  return {
    count,
    width,
    overshoot: (rowCap * Math.sqrt(width)) / norm,
    contribute(index, into) {
      for (let k = 0; k < width; k += 1) into.add(index * width + k, rowCap);
    },
    scores(unexplained) {
      return Float64Array.from({ length: count }, (_, index) => {
        let sum = 0;
        for (let k = 0; k < width; k += 1) sum += unexplained[index * width + k];
        return sum / (width * clippedEntry);
      });
    },
  };
}

/** Shares of the canaries that the attacker guesses on, the surest ones at both ends; one bound for each. */
const guessedShares = [0.02, 0.05, 0.1, 0.2, 0.4, 1];
const significance = 0.05 / guessedShares.length;

export interface CanaryFindings {
  /** With 95 % confidence the mechanism is not (less than this, delta)-DP. */
  readonly epsilonLowerBound: number;
  readonly guesses: number;
  readonly correct: number;
  /** Epsilon of a Gaussian with the canaries' mean shift and spread: an estimate, not a bound. */
  readonly epsilonEstimate: number;
}

/**
 * The most that so many canaries can prove: the bound when every guess on every one of them is right. At delta 1e-5 it
 * peaks at 6.4 near 8,000 canaries and falls beyond, since 2 canaries delta is then most of the significance: a claim
 * of 8 cannot be refuted there by any number of them.
 */
export function provableEpsilon(canaries: number, delta: number): number {
  return oneRunEpsilonLowerBound({ canaries, guesses: canaries, correct: canaries, delta }, significance);
}

/** What the attacker gets out of the scores: the best of several numbers of guesses, each at its share of 5 % (Bonferroni). */
export function findCanaries(scores: Float64Array, included: readonly boolean[], delta: number): CanaryFindings {
  const ranked = Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a]);
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
