/**
 * An attacker that practised: it simulates views of shoppers it knows, learns how the evidence of touched and of
 * untouched items is distributed, and scores the victim's items by Bayes' rule from its prior. Shadow training is
 * Shokri et al. 2017 ("Membership inference attacks against machine learning models"); naive Bayes over histograms
 * makes no assumption about the law of a view, whether it is mostly exact zeros or mostly noise.
 */
import { fitLogistic } from './logistic-fit.ts';
import type { Evidence } from './item-evidence.ts';

export interface Shadow {
  readonly evidence: Evidence;
  /** Items the practised-on shopper touched. */
  readonly touched: Int32Array;
}

/** What is known of every item before any view. */
export interface ItemPrior {
  readonly logOdds: Float64Array;
  /** Which group of like popularity each item is in, and how many groups there are. */
  readonly strata: Int32Array;
  readonly strataCount: number;
}

export interface ItemScores {
  /** Log-likelihood ratio of "touched" from the view alone, as if its features were independent. */
  readonly likelihood: Float64Array;
  /** With what was known before, each weighed by what it proved to be worth. */
  readonly posterior: Float64Array;
}

export interface ShadowAttack {
  score(evidence: Evidence): ItemScores;
}

/** Bins are narrow where few untouched items are, because that is where touched ones stand out. */
const binQuantiles = [0, 0.02, 0.1, 0.3, 0.5, 0.7, 0.85, 0.93, 0.97, 0.985, 0.993, 0.997, 0.999, 0.9997];
/** A stratum's histogram starts as so many items distributed as over all strata. */
const priorWeight = 20;

/**
 * Histograms are learned on every other shadow. The rest decide how far prior and features are believed (stacking,
 * Wolpert 1992): features that say the same thing twice do not count twice, and a view of noise leaves the prior.
 * @param shadows Two or more.
 */
export function trainShadowAttack(shadows: readonly Shadow[], prior: ItemPrior): ShadowAttack {
  const [learning, weighing] = [0, 1].map((parity) => shadows.filter((_, index) => index % 2 === parity));
  const features = learning[0].evidence.map((_, feature) => learnFeature(learning, feature, prior));
  const ratiosOf = (evidence: Evidence): Float64Array[] => features.map((learned, feature) => ratiosOfFeature(learned, evidence[feature], prior.strata));
  const samples = weighing.map(({ evidence, touched }) => ({ columns: [prior.logOdds, ...ratiosOf(evidence)], positives: touched }));
  const [priorWeightLearned, ...weights] = fitLogistic(samples, [1, ...features.map(() => 0)]);
  return {
    score(evidence) {
      const likelihood = new Float64Array(prior.strata.length);
      const posterior = prior.logOdds.map((value) => priorWeightLearned * value);
      ratiosOf(evidence).forEach((ratios, feature) => {
        for (let item = 0; item < likelihood.length; item += 1) {
          likelihood[item] += ratios[item];
          posterior[item] += weights[feature] * ratios[item];
        }
      });
      return { likelihood, posterior };
    },
  };
}

function ratiosOfFeature({ edges, ratios }: LearnedFeature, values: Float64Array, strata: Int32Array): Float64Array {
  return values.map((value, item) => ratios[strata[item] * (edges.length + 1) + binOf(edges, value)]);
}

interface LearnedFeature {
  readonly edges: Float64Array;
  /** Log-likelihood ratio by stratum and bin. */
  readonly ratios: Float64Array;
}

function learnFeature(shadows: readonly Shadow[], feature: number, { strata, strataCount }: ItemPrior): LearnedFeature {
  const isTouched = shadows.map(({ touched }) => new Set(touched));
  const edges = edgesOf(shadows.map(({ evidence }) => evidence[feature]), isTouched);
  const bins = edges.length + 1;
  const counts = [new Float64Array(strataCount * bins), new Float64Array(strataCount * bins)];
  shadows.forEach(({ evidence }, shadow) => {
    evidence[feature].forEach((value, item) => {
      counts[isTouched[shadow].has(item) ? 1 : 0][strata[item] * bins + binOf(edges, value)] += 1;
    });
  });
  const [untouched, touched] = counts.map((count) => smoothed(count, strataCount, bins));
  return { edges, ratios: touched.map((share, at) => Math.log(share / untouched[at])) };
}

/** Values at fixed shares of all items, and of the touched ones, without repetition. */
function edgesOf(values: readonly Float64Array[], isTouched: readonly ReadonlySet<number>[]): Float64Array {
  const all = Float64Array.from(values.flatMap((of) => Array.from(of))).sort();
  const touched = Float64Array.from(values.flatMap((of, shadow) => Array.from(isTouched[shadow], (item) => of[item]))).sort();
  const edges = new Set<number>();
  for (const quantile of binQuantiles) {
    for (const ascending of [all, touched]) if (ascending.length > 0) edges.add(ascending[Math.floor(quantile * (ascending.length - 1))]);
  }
  return Float64Array.from(edges).sort();
}

function binOf(edges: Float64Array, value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Shares of the bins in each stratum, drawn towards those of all strata together. */
function smoothed(counts: Float64Array, strataCount: number, bins: number): Float64Array {
  const pooled = new Float64Array(bins).fill(1 / bins);
  counts.forEach((count, at) => (pooled[at % bins] += count));
  const total = pooled.reduce((sum, value) => sum + value, 0);
  const shares = new Float64Array(counts.length);
  for (let stratum = 0; stratum < strataCount; stratum += 1) {
    const own = counts.subarray(stratum * bins, (stratum + 1) * bins);
    const size = own.reduce((sum, value) => sum + value, 0);
    own.forEach((count, bin) => (shares[stratum * bins + bin] = (count + (priorWeight * pooled[bin]) / total) / (size + priorWeight)));
  }
  return shares;
}
