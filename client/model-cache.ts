/**
 * Catalogues and models shared by the participants of one process: a model's public part (text similarity, candidate
 * pairs) takes seconds and memory, and is the same for every shop of a federation.
 */
import type { Catalogue } from '../shared/commerce/catalogue.ts';
import type { Manifest } from '../shared/federation/release.ts';
import { canonicalJson } from '../shared/protocol/canonical-json.ts';
import type { AnyFederatedModel } from '../shared/recommender/federated-model.ts';
import { loadModel } from '../shared/recommender/load-model.ts';

export interface ModelCache {
  /** The catalogue of this hash; `load` is called only if no other node has it, and vouches for the hash. */
  catalogue(hash: string, load: () => Promise<Catalogue>): Promise<Catalogue>;
  /** @throws CestaError `config.invalid` or `model.unusable` */
  model(model: Manifest['model'], catalogue: Catalogue): Promise<AnyFederatedModel>;
}

/** Entries kept: the open round's, and a few behind it. */
const capacity = 4;

/**
 * Models and public parts that several shop nodes of one process use in turn: each is made once, and the last few are kept.
 * @example
 * const modelCache = createModelCache();
 * const nodes = shops.map((shop) => startShopNode({ ...shop, modelCache }));
 */
export function createModelCache(): ModelCache {
  const catalogues = new Map<string, Promise<Catalogue>>();
  const models = new Map<string, AnyFederatedModel>();
  return {
    catalogue(hash, load) {
      const known = catalogues.get(hash);
      if (known !== undefined) return known;
      const loading = load();
      keep(catalogues, hash, loading);
      // A failure is not remembered: the next node, or the next round, tries again.
      loading.catch(() => catalogues.get(hash) === loading && catalogues.delete(hash));
      return loading;
    },
    async model({ kind, hyperParameters }, catalogue) {
      const makeModel = await loadModel(kind);
      const id = `${catalogue.hash} ${canonicalJson({ kind, hyperParameters })}`;
      const model = models.get(id) ?? makeModel(catalogue, hyperParameters);
      keep(models, id, model);
      return model;
    },
  };
}

/** The newest stand last; beyond the capacity the oldest goes. */
function keep<T>(map: Map<string, T>, id: string, value: T): void {
  map.delete(id);
  map.set(id, value);
  for (const oldest of map.keys()) {
    if (map.size <= capacity) return;
    map.delete(oldest);
  }
}
