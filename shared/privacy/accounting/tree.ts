/**
 * Tree aggregation: sums of every prefix of the rounds, from noisy sums of dyadic blocks, with no assumption about
 * sampling. Papers: Dwork, Naor, Pitassi and Rothblum 2010; Kairouz et al. 2021 ("Practical and private deep learning
 * without sampling or shuffling"). Sensitivity is in units of one contribution's L2 norm.
 */
import { invalid, requireInteger, requirePositive } from '../checks.ts';

/** What limits one shopper's part in a tree. */
export interface Participation {
  /** Rounds of the tree, in order. */
  readonly rounds: number;
  /** Rounds one shopper takes part in, at most. */
  readonly maxParticipations: number;
  /** Rounds between two participations of one shopper, at least: 0 allows consecutive rounds. */
  readonly minSeparation: number;
}

/**
 * Squared L2 sensitivity of a tree that is never restarted: the most that sum over its blocks of (participations in
 * the block)^2 can be. Exact, by dynamic programming over blocks; the distances of the first and last participation
 * from the block's ends carry the separation across blocks.
 * @throws CestaError `privacy.invalid`
 */
export function treeSensitivitySquared({ rounds, maxParticipations, minSeparation }: Participation): number {
  requireInteger('rounds', rounds, 1, 1 << 17);
  requireInteger('maxParticipations', maxParticipations);
  requireInteger('minSeparation', minSeparation, 0);
  const gap = minSeparation + 1;
  const most = Math.min(maxParticipations, Math.ceil(rounds / gap));
  const search = blockSearch(gap, most);
  let best = 0;
  for (let count = 1; count <= most; count += 1) best = Math.max(best, search(rounds, count, 0, 0));
  return best;
}

/** f(size, count, before, after): the best sum with no participation in the first `before` or last `after` rounds. */
function blockSearch(gap: number, most: number): (size: number, count: number, before: number, after: number) => number {
  const known = new Map<number, number>();
  const search = (size: number, count: number, before: number, after: number): number => {
    const free = size - before - after;
    if (count === 0) return 0;
    if (free < 1 + (count - 1) * gap) return -Infinity;
    // before and after stay below the gap, and count at or below size / gap: below size^3, exact in a double.
    const key = ((size * (most + 1) + count) * gap + before) * gap + after;
    const found = known.get(key);
    if (found !== undefined) return found;
    const value = isPowerOfTwo(size) ? count * count + split(size, size / 2, count, before, after) : split(size, largestPower(size), count, before, after);
    known.set(key, value);
    return value;
  };
  const split = (size: number, left: number, count: number, before: number, after: number): number => {
    if (size === 1) return 0;
    const right = size - left;
    let best = -Infinity;
    for (let inLeft = 0; inLeft <= count; inLeft += 1) {
      best = Math.max(best, inLeft === 0 || inLeft === count
        ? oneSided(left, right, inLeft, count - inLeft, before, after)
        : bothSides(left, right, inLeft, count - inLeft, before, after));
    }
    return best;
  };
  const oneSided = (left: number, right: number, inLeft: number, inRight: number, before: number, after: number): number =>
    inRight === 0
      ? search(left, inLeft, Math.min(before, left), Math.max(0, after - right))
      : search(right, inRight, Math.max(0, before - left), Math.min(after, right));
  const bothSides = (left: number, right: number, inLeft: number, inRight: number, before: number, after: number): number => {
    let best = -Infinity;
    // The last one on the left is `slack` from the border; the first on the right makes up the rest of the gap.
    for (let slack = 0; slack < gap && slack < left; slack += 1) {
      const leftBest = search(left, inLeft, before, slack);
      if (leftBest === -Infinity) break;
      best = Math.max(best, leftBest + search(right, inRight, gap - 1 - slack, after));
    }
    return best;
  };
  return search;
}

function isPowerOfTwo(size: number): boolean {
  return (size & (size - 1)) === 0;
}

/** The largest power of two below a size that is not one. */
function largestPower(size: number): number {
  return 2 ** Math.floor(Math.log2(size));
}

/**
 * zCDP of a tree that is never restarted: rho = sensitivity^2 / (2 sigma^2), with `sigma` the noise of one block over
 * the clip norm. The release is Gaussian, so `zcdpGaussianEpsilon` is exact for it.
 */
export function treeRho(participation: Participation, sigma: number): number {
  return treeSensitivitySquared(participation) / (2 * requirePositive('sigma', sigma) ** 2);
}

/** zCDP of a tree restarted every epoch, where one shopper takes part once an epoch: sum (floor(log2 T) + 1) / (2 sigma^2). */
export function restartedTreeRho(epochRounds: readonly number[], sigma: number): number {
  requirePositive('sigma', sigma);
  if (epochRounds.length === 0) throw invalid('epochRounds', 'at least one epoch', 'none');
  const levels = epochRounds.reduce((sum, rounds) => sum + Math.floor(Math.log2(requireInteger('epochRounds', rounds))) + 1, 0);
  return levels / (2 * sigma * sigma);
}
