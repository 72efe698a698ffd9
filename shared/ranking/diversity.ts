/**
 * Variety on a shelf: maximal marginal relevance (Carbonell and Goldstein 1998), relevance being the rank in the pool, so that
 * models of any unit are treated alike. MMR by itself promises nothing: a greedier weight on novelty may end in a list that is
 * less varied. Here a degree of diversity chooses the most varied of all lists up to it, so that raising it never makes a
 * shelf less varied.
 */
import type { Likeness } from './item-likeness.ts';

/** Weights on novelty that are tried, evenly spaced up to 1; weight 0 is the pool's own order. */
const levels = 10;

/** Candidates beyond the shelf itself that a varied one is chosen from. */
export function poolSizeFor(limit: number, diversity: number): number {
  return diversity === 0 ? limit : Math.max(limit, Math.min(200, Math.max(40, 4 * limit)));
}

/**
 * @param pool Distinct items, best first.
 * @param pinned So many of its first items stay where they are.
 * @param diversity 0..1; 0 is the head of the pool.
 * @returns `limit` items, or the pool if it is shorter
 */
export function diversify(pool: readonly number[], limit: number, diversity: number, likeness: Likeness, pinned = 0): readonly number[] {
  let best = pool.slice(0, limit);
  if (pool.length <= limit || diversity === 0) return best;
  const remembered = remember(pool, likeness);
  let bestDistance = intraListDistance(best.map((_, at) => at), remembered);
  for (let level = 1; level <= Math.round(diversity * levels); level += 1) {
    const chosen = marginal(pool.length, limit, level / levels, remembered, pinned);
    const distance = intraListDistance(chosen, remembered);
    // Strictly: an equally varied list of a smaller weight has the better items.
    if (distance > bestDistance) [best, bestDistance] = [chosen.map((at) => pool[at]), distance];
  }
  return best;
}

/** Mean of 1 - likeness over all pairs; 0 for fewer than two items. */
export function intraListDistance(items: readonly number[], likeness: Likeness): number {
  let sum = 0;
  for (let first = 0; first < items.length; first += 1) {
    for (let second = first + 1; second < items.length; second += 1) sum += 1 - likeness(items[first], items[second]);
  }
  return items.length < 2 ? 0 : sum / ((items.length * (items.length - 1)) / 2);
}

/** Likeness by position in the pool, each pair asked for once. */
function remember(pool: readonly number[], likeness: Likeness): Likeness {
  const known = new Float64Array(pool.length ** 2).fill(NaN);
  return (a, b) => {
    const at = Math.min(a, b) * pool.length + Math.max(a, b);
    if (Number.isNaN(known[at])) known[at] = likeness(pool[a], pool[b]);
    return known[at];
  };
}

/** Positions in the pool: each next one has the most of (1 - weight) relevance - weight (likeness to the nearest chosen). */
function marginal(size: number, limit: number, weight: number, likeness: Likeness, pinned: number): number[] {
  const chosen: number[] = [];
  const nearest = new Float64Array(size);
  const isChosen = new Uint8Array(size);
  while (chosen.length < limit) {
    let next = chosen.length;
    if (chosen.length >= Math.max(1, pinned)) {
      let most = -Infinity;
      for (let at = 0; at < size; at += 1) {
        const value = (1 - weight) * (1 - at / size) - weight * nearest[at];
        if (isChosen[at] === 0 && value > most) [next, most] = [at, value];
      }
    }
    chosen.push(next);
    isChosen[next] = 1;
    for (let at = 0; at < size; at += 1) if (isChosen[at] === 0) nearest[at] = Math.max(nearest[at], likeness(at, next));
  }
  return chosen;
}
