/**
 * How well releases rank, as a private sum: every shopper's last basket is hidden from its history, and each release is
 * scored by NDCG@k over all items the shopper had not touched before. What is summed are differences: one shopper moves
 * the difference of two releases by no more than the score of one, so that comparing them takes half of the noise that
 * two scores side by side would need.
 * A release trained on these very baskets is flattered by it. It tells releases that are broken, not small differences.
 */
import * as z from 'zod';
import type { Catalogue } from '../commerce/catalogue.ts';
import { CestaError } from '../protocol/errors.ts';
import { topK } from '../ranking/top-k.ts';
import type { Aggregate, AnyFederatedModel, Statistic } from '../recommender/federated-model.ts';
import { excludedFor } from './evaluate-model.ts';
import { ndcg } from './metrics.ts';
import { lastBasketTest } from './splits.ts';

const digest = z.string().regex(/^[0-9a-f]{64}$/);

/** Releases by the SHA-256 of their files: whoever scores them fetches them, and their manifests say how to read them. */
export const releaseScoresHyperParameters = z.strictObject({
  /** Ranks that count. */
  k: z.number().int().min(1).max(100),
  candidate: digest,
  served: digest,
  /** The release that was served before; null where there is none. */
  previous: digest.nullable(),
}).refine(({ candidate, served, previous }) => new Set([candidate, served, previous]).size === 3, 'expected different releases');

export type ComparedReleases = Readonly<z.infer<typeof releaseScoresHyperParameters>>;

/** @throws CestaError `config.invalid` */
export function parseComparedReleases(hyperParameters: unknown): ComparedReleases {
  const parsed = releaseScoresHyperParameters.safeParse(hyperParameters);
  if (!parsed.success) throw new CestaError('config.invalid', `evaluation: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}

/** A release ready to rank. */
export interface ScoredRelease {
  readonly model: AnyFederatedModel;
  readonly params: unknown;
}

export interface ScoredReleases {
  readonly candidate: ScoredRelease;
  readonly served: ScoredRelease;
  /** Null exactly where the hyper-parameters have none. */
  readonly previous: ScoredRelease | null;
}

/**
 * What a testable shopper adds to the two coordinates that only give the differences a scale: they may be noisier, and
 * a quarter keeps the norm near that of the differences alone. A power of two is exact on the grid.
 */
export const scaleWeight = 0.25;

const [testableAt, servedAt, gainAt, servedGainAt] = [0, 1, 2, 3];

/**
 * The statistic. For scores c, s, p in [0, 1] of candidate, served and previous release, a shopper with at least two
 * baskets and something new in the last adds (w, w s, c - s, s - p) with w = {@link scaleWeight}; anybody else nothing.
 * Norm: the square is convex in (c, s, p), hence largest in a corner: c = p = 0 and s = 1 give 2 w^2 + 1 for each difference.
 * @throws CestaError `config.invalid`
 */
export function createReleaseScores(catalogue: Catalogue, hyperParameters: unknown): Statistic<ScoredReleases> {
  const compared = parseComparedReleases(hyperParameters);
  const items = catalogue.products.length;
  const rankable = new Uint8Array(items).fill(1);
  const scores = new Float32Array(items);
  const differences = compared.previous === null ? 1 : 2;
  return {
    kind: 'evaluation',
    hyperParameters: compared,
    statisticLength: () => gainAt + differences,
    entryBound: 1,
    normBound: Math.sqrt(differences + 2 * scaleWeight ** 2),
    contribute({ candidate, served, previous }, history, into) {
      const test = lastBasketTest(history, rankable);
      if (test === null) return;
      const relevant = new Set(test.relevant);
      const excluded = excludedFor(test.history, rankable);
      const scoreOf = ({ model, params }: ScoredRelease): number => {
        model.score(params, test.history, scores);
        return ndcg(topK(scores, compared.k, excluded), relevant, compared.k);
      };
      const servedScore = scoreOf(served);
      into.add(testableAt, scaleWeight);
      into.add(servedAt, scaleWeight * servedScore);
      into.add(gainAt, scoreOf(candidate) - servedScore);
      if (previous !== null) into.add(servedGainAt, servedScore - scoreOf(previous));
    },
  };
}

/** What a sum says. Every figure carries noise, and may be negative. */
export interface ReleaseScores {
  /** Shoppers who could be tested. */
  readonly testable: number;
  /** Sum of the served release's NDCG over them. */
  readonly served: number;
  /** By how much the candidate's sum is above it. */
  readonly gain: number;
  /** By how much the served release's sum is above that of the one before; null where there is none. */
  readonly servedGain: number | null;
  /** Standard deviation of the noise in each gain; `testable` and `served` have 1 / {@link scaleWeight} times as much. */
  readonly noiseStd: number;
}

export function readReleaseScores({ sum, noiseStd }: Pick<Aggregate, 'sum' | 'noiseStd'>): ReleaseScores {
  return {
    testable: sum[testableAt] / scaleWeight,
    served: sum[servedAt] / scaleWeight,
    gain: sum[gainAt],
    servedGain: sum.length > servedGainAt ? sum[servedGainAt] : null,
    noiseStd,
  };
}
