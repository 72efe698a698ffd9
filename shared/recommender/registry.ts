/** The models by kind, all of them at hand: for who makes more than one, and for plans before there is a model. */
import type { Catalogue } from '../commerce/catalogue.ts';
import type { Json } from '../protocol/canonical-json.ts';
import { CestaError } from '../protocol/errors.ts';
import { modelKinds, type AnyFederatedModel, type ModelKind } from './federated-model.ts';
import * as als from './als/model.ts';
import * as ease from './ease.ts';
import * as itemKnn from './item-knn.ts';
import { makerFrom, type MakeModel } from './load-model.ts';
import * as neighbours from './neighbours/model.ts';
import * as popularity from './popularity.ts';
import * as sequenceSettings from './sequence/hyper-parameters.ts';
import * as sequence from './sequence/model.ts';
import * as slist from './slist.ts';

const makers: Readonly<Record<ModelKind, MakeModel>> = {
  popularity: makerFrom.popularity(popularity),
  neighbours: makerFrom.neighbours(neighbours),
  ease: makerFrom.ease(ease),
  slist: makerFrom.slist(slist),
  als: makerFrom.als(als),
  sequence: makerFrom.sequence(sequence, sequenceSettings),
  'item-knn': makerFrom['item-knn'](itemKnn),
};

/** What a deployment knows when it asks for a model; nothing here is about a shopper. */
export interface Deployment {
  /** Unix seconds, 'today': what counts as recent is reckoned back from here. */
  readonly asOf: number;
  /** From one round to the next; undefined where rounds follow each other over the same orders. */
  readonly everySeconds?: number | undefined;
}

/** From it on a round finds other orders than the one before. */
const daySeconds = 86_400;

/**
 * Chosen on second-to-last baskets (`validation`) of Online Retail: a year in rounds on all orders so far, one epsilon of 3; ndcg@10
 * of the last release, means of five seeds. The first row is `cesta experiment forgetting`; the others, of Gaussian noise in place
 * of Skellam, were as clear.
 *
 * | factor | 0 | .2 | .4 | .5 | .6 | .8 | 1 |
 * |---|---|---|---|---|---|---|---|
 * | 13 rounds, no as-of date | .0903 | .0913 | .0925 | .0921 | .0912 | .0893 | .0883 |
 * | 13 rounds, as of their own day | .0889 | .0910 | .0926 | .0926 | .0912 | .0889 | .0874 |
 * | 52 rounds, no as-of date | .0841 | | .0902 | | .0902 | .0884 | .0874 |
 */
const forgettingFactor = 0.5;

export function isModelKind(kind: unknown): kind is ModelKind {
  return (modelKinds as readonly unknown[]).includes(kind);
}

/**
 * A model's name from a command line or a plan.
 * @throws CestaError `model.unknown`
 */
export function parseModelKind(kind: unknown): ModelKind {
  if (!isModelKind(kind)) throw unknownKind(kind);
  return kind;
}

/**
 * A model of this catalogue: what it counts, how it learns from sums, and how it scores.
 * @param hyperParameters Missing ones take the defaults of the model.
 * @throws CestaError `model.unknown`; `config.invalid` for an unknown key or a value out of range.
 * @example
 * const model = createModel('neighbours', catalogue, deploymentDefaults('neighbours', { asOf: 1_700_000_000, everySeconds: 604_800 }));
 */
export function createModel(kind: ModelKind, catalogue: Catalogue, hyperParameters: unknown): AnyFederatedModel {
  if (!isModelKind(kind)) throw unknownKind(kind);
  return makers[kind](catalogue, hyperParameters);
}

/**
 * The hyper-parameters that a deployment sets and a model cannot know: to be spread before those the operator gives.
 * Public quantities alone, so choosing them spends no budget.
 */
export function deploymentDefaults(kind: ModelKind, { asOf, everySeconds = 0 }: Deployment): Readonly<Record<string, Json>> {
  switch (kind) {
    case 'neighbours':
      return { asOf, ...(everySeconds < daySeconds ? {} : { forgettingFactor }) };
    case 'sequence':
      return { asOf };
    case 'popularity':
    case 'ease':
    case 'slist':
    case 'als':
    case 'item-knn':
      return {};
    default:
      throw unknownKind(kind satisfies never);
  }
}

function unknownKind(kind: unknown): CestaError {
  return new CestaError('model.unknown', `model: expected one of ${modelKinds.join(', ')}, got ${JSON.stringify(kind)}`);
}
