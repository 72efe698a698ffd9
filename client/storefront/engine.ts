/** What a page loads after the facade: the verified release, and everything that ranks with it. Ranking asks no network. */
import { CestaError } from '../../shared/protocol/errors.ts';
import { parseShelfRules } from '../../shared/ranking/rules.ts';
import type { Cesta, CestaOptions, ReleaseInfo } from './api.ts';
import { holdRelease, type HeldRelease } from './release-holder.ts';
import { createReleaseSource, precisionOf } from './release-source.ts';
import { createShelves, type Shelves } from './shelves.ts';
import type { Shopper } from './shopper.ts';
import { memoryStorage } from './storage.ts';

export type Engine = Pick<Cesta, 'ready' | 'release' | 'lastError' | 'kernels' | 'refresh'> & Shelves;

/** @throws CestaError `usage.invalid` for rules that are none */
export function startEngine(options: CestaOptions, shopper: Shopper, onRelease: () => void): Engine {
  const { url, task = null, precision = 'int8', publicKey = null, storage = memoryStorage(), sensitive = [] } = options;
  const fetch = options.fetch ?? ((address, init) => globalThis.fetch(address, init));
  const rules = parseShelfRules(options.rules ?? {});
  const holder = holdRelease((onCacheError) => createReleaseSource({ url, task, precision, publicKey, storage, fetch, onCacheError }), onRelease);
  let made: { readonly of: string; readonly shelves: Shelves } | null = null;

  /** Made once a release: a shelf holds what it computed of the catalogue. */
  function shelves(): Shelves {
    const { held } = holder;
    if (held === null) throw new CestaError('release.not-found', 'release: expected one to rank with, got none yet; await cesta.ready');
    if (made?.of !== held.sha256) made = { of: held.sha256, shelves: createShelves(held, shopper, { rules, sensitive }) };
    return made.shelves;
  }

  return {
    ready: holder.ready,
    get release() {
      return holder.held === null ? null : describe(holder.held);
    },
    get lastError() {
      return holder.lastError;
    },
    get kernels() {
      return holder.held?.kernels ?? null;
    },
    refresh: () => holder.refresh(),
    isSensitive: (itemId) => shelves().isSensitive(itemId),
    recommend: (request) => shelves().recommend(request),
    similar: (itemId, terms) => shelves().similar(itemId, terms),
    trending: (terms) => shelves().trending(terms),
    boughtTogether: (itemIds, terms) => shelves().boughtTogether(itemIds, terms),
    recentlyViewed: (terms) => shelves().recentlyViewed(terms),
  };
}

function describe({ manifest, sha256, from }: HeldRelease): ReleaseInfo {
  const { task, version, createdAt, shoppers, cohort, privacy, metrics, model } = manifest;
  return { task, version, createdAt, shoppers, cohort, privacy, metrics, kind: model.kind, sha256, precision: precisionOf(manifest), from };
}
