/**
 * The storefront SDK: ranks in the shopper's browser, with what the shopper let this page know. This is what a page loads at
 * once: options, consent and events. Everything that reads a release or ranks is `engine.ts`, loaded right after.
 */
import { CestaError, toCestaError } from '../../shared/protocol/errors.ts';
import type { Cesta, CestaChange, CestaOptions } from './api.ts';
import { createDataLayerEar } from './data-layer.ts';
import type { Engine } from './engine.ts';
import { createShopper, type Shopper } from './shopper.ts';

/**
 * The SDK of one page: it loads the release in the background, and ranks once `ready` is resolved.
 * @throws CestaError `usage.invalid` for an option that is none; rules that are none show in `ready`
 * @example
 * const cesta = createCesta({ url: '/cesta', defaultDegree: 1 });
 * await cesta.ready;
 * cesta.track('view_item', [{ item_id: 'sku-7' }]);
 * const shelf = cesta.recommend({ item: 'sku-7', limit: 8 });
 */
export function createCesta(options: CestaOptions): Cesta {
  requireOptions(options);
  const shopper = createShopper(options);
  const listeners = new Set<(change: CestaChange) => void>();
  const ear = createDataLayerEar((event, items) => shopper.track(event, items), () => shopper.degree > 0);
  const tell = (change: CestaChange): void => listeners.forEach((listener) => listener(change));
  let engine: Engine | null = null;
  let failure: CestaError | null = null;
  shopper.subscribe(tell);

  // What the shopper did before is there as soon as a shelf is: both parts of them come together.
  const parts = Promise.all([import('./engine.ts'), import('./shopper-core.ts')]);
  const started = parts.then(([{ startEngine }]) => (engine = startEngine(options, shopper, () => tell('release')))).catch((thrown: unknown) => {
    throw (failure = thrown instanceof CestaError ? thrown : new CestaError('network.unreachable', `engine: ${toCestaError(thrown).message}`, { cause: thrown }));
  });
  const ready = started.then((running) => running.ready);
  // A page that never awaits `ready` reads `lastError` instead.
  ready.catch(() => undefined);

  function running(): Engine {
    if (engine === null) throw new CestaError('release.not-found', 'release: expected one to rank with, got none yet; await cesta.ready');
    return engine;
  }

  return {
    ...answeredBy(shopper),
    ready,
    loaded: shopper.loaded,
    get release() {
      return engine?.release ?? null;
    },
    get lastError() {
      return failure ?? engine?.lastError ?? null;
    },
    get kernels() {
      return engine?.kernels ?? null;
    },
    get privacy() {
      return shopper.privacy;
    },
    listenToDataLayer: (dataLayer) => ear.listen(dataLayer),
    recommend: (request) => running().recommend(request),
    similar: (itemId, terms) => running().similar(itemId, terms),
    trending: (terms) => running().trending(terms),
    boughtTogether: (itemIds, terms) => running().boughtTogether(itemIds, terms),
    recentlyViewed: (terms) => running().recentlyViewed(terms),
    isSensitive: (itemId) => (options.sensitive ?? []).length > 0 && running().isSensitive(itemId),
    refresh: () => started.then((one) => one.refresh()),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      ear.close();
      listeners.clear();
      await shopper.close();
    },
  };
}

/** What asks no release. */
function answeredBy(shopper: Shopper): Pick<Cesta, 'track' | 'consent' | 'set' | 'notInterested' | 'removeFromHistory' | 'interests' | 'export' | 'import' | 'forget'> {
  return {
    track: (event, items) => shopper.track(event, items),
    consent: (request) => shopper.consent(request),
    set: (settings) => shopper.set(settings),
    notInterested: (itemId) => shopper.notInterested(itemId),
    removeFromHistory: (itemId) => shopper.removeFromHistory(itemId),
    interests: () => shopper.interests(),
    export: () => shopper.export(),
    import: (exported) => shopper.import(exported),
    forget: () => shopper.forget(),
  };
}

function requireOptions({ url, precision = 'int8', publicKey, defaultDegree = 0, sensitive = [] }: CestaOptions): void {
  if (typeof url !== 'string') throw invalid('url', 'an address', url);
  if (precision !== 'int8' && precision !== 'float32') throw invalid('precision', 'int8 or float32', precision);
  if (publicKey !== undefined && !/^[0-9a-f]{64}$/.test(publicKey)) throw invalid('publicKey', '32 bytes in hex', publicKey);
  if (![0, 1].includes(defaultDegree)) throw invalid('defaultDegree', '0 or 1', defaultDegree);
  if (!Array.isArray(sensitive) || !sensitive.every((prefix) => typeof prefix === 'string' && prefix !== '')) throw invalid('sensitive', 'a list of categories', sensitive);
}

function invalid(field: string, expected: string, value: unknown): CestaError {
  return new CestaError('usage.invalid', `${field}: expected ${expected}, got ${JSON.stringify(value)}`);
}
