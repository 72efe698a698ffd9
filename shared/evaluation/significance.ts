/**
 * Whether one model ranks better than another, or was lucky. Two kinds of luck are kept apart. Over shoppers: other test shoppers
 * of the same kind; the interval and the test of a comparison speak of this, with the seeds that were run. Over seeds: other noise
 * and draws; the interval of Student's t speaks of this, with the test shoppers there are. Neither speaks of another data set.
 */
import { bracketedRoot } from '../numerics/quadrature.ts';
import { seededRandom, type RandomWords } from '../numerics/random.ts';
import { incompleteBeta, normalCdf } from '../numerics/special.ts';
import { pairedBootstrapInterval, type BootstrapOptions, type Interval } from './intervals.ts';
import { average } from './metrics.ts';

/** One value a shopper: the mean over runs with different seeds on the same test shoppers, in the same order. */
export function shopperMeans(runs: readonly Float64Array[]): Float64Array {
  const odd = runs.find(({ length }) => length !== runs[0].length);
  if (odd !== undefined) throw new RangeError(`runs: expected ${runs[0].length} shoppers, got ${odd.length}`);
  return runs[0].map((_, shopper) => average(runs.map((values) => values[shopper])));
}

export interface Comparison extends Interval {
  /** First less second, mean over the shoppers of the means over the seeds; `low` and `high` are its bootstrap interval over shoppers. */
  readonly difference: number;
  /** Two-sided, of the null hypothesis that it does not matter which of the two a shopper gets; not adjusted for other comparisons. */
  readonly p: number;
  /**
   * Student's t interval of the difference over the seeds, with the test shoppers there are: seeds that both have are paired, one
   * without others stands against all of them. Null where neither has several, or numbers of seeds differ otherwise.
   */
  readonly overSeeds: Interval | null;
}

export interface ComparisonOptions extends BootstrapOptions {
  readonly permutations?: number;
}

/**
 * Compares two sets of runs on the same test shoppers. The sets may have different numbers of seeds. Interval and p cover the luck
 * of the shoppers only: noise that all of them share is one draw, however many they are, and `overSeeds` speaks of that.
 * @throws RangeError for different numbers of shoppers
 * @example compareRuns([ndcgOfSeed1, ndcgOfSeed2], [ndcgOfBaseline]).p;
 */
export function compareRuns(first: readonly Float64Array[], second: readonly Float64Array[], options: ComparisonOptions = {}): Comparison {
  const [a, b] = [shopperMeans(first), shopperMeans(second)];
  return { ...pairedBootstrapInterval(a, b, options), p: randomisationTest(a, b, options), overSeeds: differenceOverSeeds(first.map(average), second.map(average)) };
}

/** Whether seeds leave no doubt of the sign of a difference; of one seed alone nothing is known, and nothing said against it. */
export function doSeedsAgree({ overSeeds: interval }: Pick<Comparison, 'overSeeds'>): boolean {
  return interval === null || interval.low > 0 || interval.high < 0;
}

function differenceOverSeeds(first: readonly number[], second: readonly number[]): Interval | null {
  const seeds = Math.max(first.length, second.length);
  const at = (means: readonly number[], seed: number): number => means[means.length === 1 ? 0 : seed];
  if ([first, second].some(({ length }) => length !== 1 && length !== seeds)) return null;
  return overSeeds(Array.from({ length: seeds }, (_, seed) => at(first, seed) - at(second, seed))).interval;
}

/**
 * Paired randomisation test of the mean difference, two-sided (Fisher 1935; for rankings Smucker, Allan and Carterette 2007). Under
 * the null hypothesis each shopper's difference may as well have the other sign. With `permutations` random assignments of signs,
 * of which k are as far from zero as what was seen, p = (k + 1) / (permutations + 1): never 0, and valid for any number of them
 * (Phipson and Smyth 2010). Where k is 0, a bound of what all assignments would say takes over if it is smaller, so that what is
 * clear stays clear among hundreds of comparisons. A level of 1 / (permutations + 1) or more is reached as often as without it, and a
 * lower one by the bound alone, which is never below the p of all assignments: p stays valid at every level. 1 where no shopper differs.
 */
export function randomisationTest(first: Float64Array, second: Float64Array, { seed = 1, permutations = 9_999 }: ComparisonOptions = {}): number {
  const differences = first.map((value, shopper) => value - second[shopper]).filter((difference) => difference !== 0);
  const random = seededRandom(seed, 'randomisation test');
  // Sums of the same numbers in another order of signs differ by rounding: ties count as reached.
  const slack = 1e-12 * differences.reduce((sum, difference) => sum + Math.abs(difference), 0);
  const seen = Math.abs(differences.reduce((sum, difference) => sum + difference, 0)) - slack;
  let reached = 0;
  for (let permutation = 0; permutation < permutations; permutation += 1) if (Math.abs(randomlySigned(differences, random)) >= seen) reached += 1;
  const p = (reached + 1) / (permutations + 1);
  return reached > 0 ? p : Math.min(p, signedSumTail(differences, seen));
}

/**
 * Bound of the share of all assignments of signs whose sum is as far from zero as `seen`: a tail of the normal law times the smallest
 * constant that will do for any values, 1 / (4 P(Z >= sqrt 2)) = 3.178 (Bentkus and Dzindzalieta 2015, doi:10.3150/14-BEJ603). For
 * thousands of shoppers the share itself is about the tail without the constant.
 */
function signedSumTail(values: Float64Array, seen: number): number {
  const std = Math.sqrt(values.reduce((square, value) => square + value * value, 0));
  // Some 38 standard deviations out the tail is no number any more, and p is never 0.
  return Math.max(Number.MIN_VALUE, (2 * normalCdf(-seen / std)) / (4 * normalCdf(-Math.SQRT2)));
}

/** The sum with a fair sign for each value, 32 signs a word; no branch, since no processor can guess it. */
function randomlySigned(values: Float64Array, random: RandomWords): number {
  let sum = 0;
  let signs = 0;
  for (let index = 0; index < values.length; index += 1) {
    if (index % 32 === 0) signs = random.nextUint32();
    sum += values[index] * (1 - 2 * (signs & 1));
    signs >>>= 1;
  }
  return sum;
}

/**
 * P values of one table, adjusted so that the chance of any false finding in it stays below the level at which they are read
 * (Holm 1979), whatever their dependence. In the order given.
 */
export function holmAdjusted(pValues: readonly number[]): readonly number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => pValues[a] - pValues[b]);
  const adjusted = new Array<number>(pValues.length).fill(1);
  let highest = 0;
  order.forEach((index, rank) => {
    highest = Math.max(highest, Math.min(1, (pValues.length - rank) * pValues[index]));
    adjusted[index] = highest;
  });
  return adjusted;
}

/** Of one figure over the seeds. */
export interface SeedStatistics {
  readonly seeds: number;
  readonly mean: number;
  /** Sample standard deviation; null for one seed. */
  readonly sd: number | null;
  /** Student's t interval of the mean over seeds; null for one seed. */
  readonly interval: Interval | null;
}

/** Covers the luck of the seeds only, and takes figures of different seeds to be normal: with few seeds that cannot be checked. */
export function overSeeds(values: readonly number[], level = 0.95): SeedStatistics {
  const seeds = values.length;
  const mean = average(values);
  if (seeds < 2) return { seeds, mean, sd: null, interval: null };
  const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (seeds - 1));
  const margin = (studentQuantile(1 - (1 - level) / 2, seeds - 1) * sd) / Math.sqrt(seeds);
  return { seeds, mean, sd, interval: { low: mean - margin, high: mean + margin } };
}

/** Quantile of Student's t distribution, for a probability in 0.5..1 (1 excluded) and at least one degree of freedom. */
export function studentQuantile(probability: number, degrees: number): number {
  if (!(probability >= 0.5 && probability < 1)) throw new RangeError(`probability: expected 0.5..1, got ${probability}`);
  if (probability === 0.5) return 0;
  // P(|T| > t) = I_x(degrees / 2, 1 / 2) with x = degrees / (degrees + t^2).
  const x = bracketedRoot((at) => incompleteBeta(at, degrees / 2, 0.5) - 2 * (1 - probability), 0, 1);
  return Math.sqrt(degrees * (1 / x - 1));
}
