/**
 * The models by kind, each loaded when it is asked for: a storefront has one release, and a page needs the code of no other
 * model. Hyper-parameters are checked, since a plan's settings come from outside.
 */
import * as z from 'zod/mini';
import type { Catalogue } from '../commerce/catalogue.ts';
import { CestaError } from '../protocol/errors.ts';
import type { AnyFederatedModel, FederatedModel, ModelKind } from './federated-model.ts';

/**
 * @param hyperParameters Missing ones take the defaults of the model.
 * @throws CestaError `config.invalid` for an unknown key or a value out of range.
 */
export type MakeModel = (catalogue: Catalogue, hyperParameters: unknown) => AnyFederatedModel;

const makers: Readonly<Record<ModelKind, () => Promise<MakeModel>>> = {
  popularity: () => import('./popularity.ts').then((of) => maker('popularity', of.popularityHyperParameters, of.createPopularity)),
  neighbours: () => import('./neighbours/model.ts').then((of) => maker('neighbours', of.neighboursHyperParameters, of.createNeighbours)),
  ease: () => import('./ease.ts').then((of) => maker('ease', of.easeHyperParameters, of.createEase)),
  slist: () => import('./slist.ts').then((of) => maker('slist', of.slistHyperParameters, of.createSlist)),
  als: () => import('./als/model.ts').then((of) => maker('als', of.alsHyperParameters, of.createAls)),
  sequence: () => Promise.all([import('./sequence/hyper-parameters.ts'), import('./sequence/model.ts')]).then(([settings, of]) => maker('sequence', settings.sequenceHyperParameters, of.createSequence)),
  'item-knn': () => import('./item-knn.ts').then((of) => maker('item-knn', of.itemKnnHyperParameters, of.createItemKnn)),
};

/**
 * @example
 * const makeModel = await loadModel('neighbours');
 * const model = makeModel(catalogue, {});
 */
export function loadModel(kind: ModelKind): Promise<MakeModel> {
  return makers[kind]();
}

function maker<Settings, Params>(kind: ModelKind, schema: z.ZodMiniType<Settings>, create: (catalogue: Catalogue, settings: Settings) => FederatedModel<Params>): MakeModel {
  return (catalogue, hyperParameters) => {
    const parsed = schema.safeParse(hyperParameters);
    if (!parsed.success) throw new CestaError('config.invalid', `${kind}: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
    return create(catalogue, parsed.data);
  };
}
