/**
 * The models by kind, each loaded when it is asked for: a storefront has one release, and a page needs the code of no other
 * model. Hyper-parameters are checked, since a plan's settings come from outside.
 */
import * as z from 'zod/mini';
import type { Catalogue } from '../commerce/catalogue.ts';
import { CestaError } from '../protocol/errors.ts';
import type { AnyFederatedModel, FederatedModel, ModelKind } from './federated-model.ts';
import type * as Als from './als/model.ts';
import type * as Ease from './ease.ts';
import type * as ItemKnn from './item-knn.ts';
import type * as Neighbours from './neighbours/model.ts';
import type * as Popularity from './popularity.ts';
import type * as SequenceSettings from './sequence/hyper-parameters.ts';
import type * as Sequence from './sequence/model.ts';
import type * as Slist from './slist.ts';

/**
 * @param hyperParameters Missing ones take the defaults of the model.
 * @throws CestaError `config.invalid` for an unknown key or a value out of range.
 */
export type MakeModel = (catalogue: Catalogue, hyperParameters: unknown) => AnyFederatedModel;

/** How each is made from what its module exports. */
export const makerFrom = {
  popularity: (of: typeof Popularity) => maker('popularity', of.popularityHyperParameters, of.createPopularity),
  neighbours: (of: typeof Neighbours) => maker('neighbours', of.neighboursHyperParameters, of.createNeighbours),
  ease: (of: typeof Ease) => maker('ease', of.easeHyperParameters, of.createEase),
  slist: (of: typeof Slist) => maker('slist', of.slistHyperParameters, of.createSlist),
  als: (of: typeof Als) => maker('als', of.alsHyperParameters, of.createAls),
  sequence: (of: typeof Sequence, settings: typeof SequenceSettings) => maker('sequence', settings.sequenceHyperParameters, of.createSequence),
  'item-knn': (of: typeof ItemKnn) => maker('item-knn', of.itemKnnHyperParameters, of.createItemKnn),
};

const makers: Readonly<Record<ModelKind, () => Promise<MakeModel>>> = {
  popularity: () => import('./popularity.ts').then(makerFrom.popularity),
  neighbours: () => import('./neighbours/model.ts').then(makerFrom.neighbours),
  ease: () => import('./ease.ts').then(makerFrom.ease),
  slist: () => import('./slist.ts').then(makerFrom.slist),
  als: () => import('./als/model.ts').then(makerFrom.als),
  sequence: () => Promise.all([import('./sequence/model.ts'), import('./sequence/hyper-parameters.ts')]).then((modules) => makerFrom.sequence(...modules)),
  'item-knn': () => import('./item-knn.ts').then(makerFrom['item-knn']),
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
