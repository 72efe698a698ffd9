/** The models by kind, all of them at hand: for who makes more than one, and for plans before there is a model. */
import type { Catalogue } from '../commerce/catalogue.ts';
import type { Json } from '../protocol/canonical-json.ts';
import { CestaError } from '../protocol/errors.ts';
import { modelKinds, type AnyFederatedModel, type ModelKind } from './federated-model.ts';
import { loadModel, type MakeModel } from './load-model.ts';

/** Loaded before anybody has this module: what `loadModel` gives later is needed at once here. */
const makers: ReadonlyMap<unknown, MakeModel> = new Map(await Promise.all(modelKinds.map(async (kind) => [kind, await loadModel(kind)] as const)));

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
  const make = makers.get(kind);
  if (make === undefined) throw unknownKind(kind);
  return make(catalogue, hyperParameters);
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
