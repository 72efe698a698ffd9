/**
 * k-ary randomised response (Warner 1965 for k = 2; Kairouz, Bonawitz and Ramage 2016, arXiv:1602.07387): a device reports one
 * of k values, the true one with probability e^epsilon / (e^epsilon + k - 1), else another one, all alike.
 *
 * Guarantee: epsilon-local differential privacy. Unit: one device's report about one experiment. Adjacency: any two values; so
 * there is no sensitivity to bound, a report is one of k values whatever the device saw. Whoever sees the report can
 * distinguish two true values by a likelihood ratio of e^epsilon at most. A second report about the same value would cost
 * epsilon again: repeat the first one instead.
 *
 * | case | what |
 * |---|---|
 * | epsilon 0 | all values alike: nothing is learnt, and nothing can be estimated |
 * | epsilon below 0, infinite or not a number | error |
 * | value outside of 0..k-1 | error |
 */
import { uniformBelow, type SecureRandom } from '../numerics/random.ts';
import { requireNumber } from '../protocol/errors.ts';

export interface ResponseTerms {
  /** Number of values, at least 2. */
  readonly values: number;
  readonly epsilon: number;
}

/** Largest epsilon of a report: beyond it a report is nearly the value itself. */
export const largestReportEpsilon = 8;

/**
 * The report and what it costs.
 * @throws CestaError `privacy.invalid`
 * @example
 * const { value, epsilon } = respond(2, { values: 4, epsilon: 1 }, systemRandom());
 */
export function respond(truth: number, { values, epsilon }: ResponseTerms, random: SecureRandom): { readonly value: number; readonly epsilon: number } {
  requireTerms({ values, epsilon });
  requireNumber('value', truth, 0, values - 1, 'privacy.invalid');
  // Exact to 2^-53: the probability of keeping the truth is rounded down, so epsilon is never more than promised.
  const threshold = Math.floor(keepProbability({ values, epsilon }) * 2 ** 53);
  const keeps = (random.nextUint32() >>> 5) * 2 ** 26 + (random.nextUint32() >>> 6) < threshold;
  if (keeps) return { value: truth, epsilon };
  const other = uniformBelow(random, values - 1);
  return { value: other < truth ? other : other + 1, epsilon };
}

/** Probability of the truth. */
export function keepProbability({ values, epsilon }: ResponseTerms): number {
  return Math.exp(epsilon) / (Math.exp(epsilon) + values - 1);
}

/**
 * How the share of reports in a set of `size` values depends on the share of true values in it: share of reports =
 * `offset` + `slope` * true share. Slope 0 where nothing can be estimated.
 */
export function linearResponse(terms: ResponseTerms, size: number): { readonly offset: number; readonly slope: number } {
  requireTerms(terms);
  const other = (1 - keepProbability(terms)) / (terms.values - 1);
  const inside = keepProbability(terms) + (size - 1) * other;
  return { offset: size * other, slope: inside - size * other };
}

/**
 * The unbiased estimate of a true share, and its variance from both the draw of devices and the noise: with y the share of
 * `reports` reports in the set, (y - offset) / slope and y (1 - y) / (reports slope^2).
 */
export function estimateShare(terms: ResponseTerms, size: number, { inSet, reports }: { readonly inSet: number; readonly reports: number }): { readonly share: number; readonly variance: number } {
  const { offset, slope } = linearResponse(terms, size);
  const observed = inSet / reports;
  return { share: (observed - offset) / slope, variance: (observed * (1 - observed)) / (reports * slope * slope) };
}

function requireTerms({ values, epsilon }: ResponseTerms): void {
  requireNumber('values', values, 2, 1_000, 'privacy.invalid');
  requireNumber('epsilon', epsilon, 0, largestReportEpsilon, 'privacy.invalid');
}
