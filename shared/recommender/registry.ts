/** The models by kind, with their hyper-parameters checked: a plan's settings come from outside. */
import * as z from 'zod';
import type { Catalogue } from '../commerce/catalogue.ts';
import type { Json } from '../protocol/canonical-json.ts';
import { CestaError } from '../protocol/errors.ts';
import { alsHyperParameters, createAls } from './als/model.ts';
import { createEase, easeHyperParameters } from './ease.ts';
import { modelKinds, type AnyFederatedModel, type ModelKind } from './federated-model.ts';
import { createItemKnn, itemKnnHyperParameters } from './item-knn.ts';
import { createNeighbours, neighboursHyperParameters } from './neighbours/model.ts';
import { createPopularity, popularityHyperParameters } from './popularity.ts';
import { sequenceHyperParameters } from './sequence/hyper-parameters.ts';
import { createSequence } from './sequence/model.ts';
import { createSlist, slistHyperParameters } from './slist.ts';

/** What a deployment knows when it asks for a model; nothing here is about a shopper. */
export interface Deployment {
  /** Unix seconds, 'today': what counts as recent is reckoned back from here. */
  readonly asOf: number;
}

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
 * @param hyperParameters Missing ones take the defaults of the model.
 * @throws CestaError `model.unknown`; `config.invalid` for an unknown key or a value out of range.
 * @example
 * const model = createModel('neighbours', catalogue, deploymentDefaults('neighbours', { asOf: 1_700_000_000 }));
 */
export function createModel(kind: ModelKind, catalogue: Catalogue, hyperParameters: unknown): AnyFederatedModel {
  switch (kind) {
    case 'popularity':
      parse(kind, popularityHyperParameters, hyperParameters);
      return createPopularity(catalogue);
    case 'neighbours':
      return createNeighbours(catalogue, parse(kind, neighboursHyperParameters, hyperParameters));
    case 'ease':
      return createEase(catalogue, parse(kind, easeHyperParameters, hyperParameters));
    case 'slist':
      return createSlist(catalogue, parse(kind, slistHyperParameters, hyperParameters));
    case 'als':
      return createAls(catalogue, parse(kind, alsHyperParameters, hyperParameters));
    case 'sequence':
      return createSequence(catalogue, parse(kind, sequenceHyperParameters, hyperParameters));
    case 'item-knn':
      return createItemKnn(catalogue, parse(kind, itemKnnHyperParameters, hyperParameters));
    default:
      throw unknownKind(kind satisfies never);
  }
}

/**
 * The hyper-parameters that a deployment sets and a model cannot know: to be spread before those the operator gives.
 * Public quantities alone, so choosing them spends no budget.
 */
export function deploymentDefaults(kind: ModelKind, { asOf }: Deployment): Readonly<Record<string, Json>> {
  switch (kind) {
    case 'neighbours':
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

function parse<T>(kind: ModelKind, schema: z.ZodType<T>, hyperParameters: unknown): T {
  const parsed = schema.safeParse(hyperParameters);
  if (!parsed.success) throw new CestaError('config.invalid', `${kind}: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}
