/** An SDK in memory whose state a test sets: shelves are given, and what the widgets ask for is noted. Runs in the page. */
import type { Cesta, CestaChange, PrivacyState, ReleaseInfo, ShelfItem, ShopperSettings } from '../../../../client/storefront/api.ts';
import type { Interests } from '../../../../shared/commerce/device-events.ts';
import { CestaError } from '../../../../shared/protocol/errors.ts';
import { defaultChannels, defaultSurfaces } from '../../../../shared/commerce/preferences.ts';

export const shelfOf = (...ids: string[]): ShelfItem[] => ids.map((id, index) => ({
  item_id: id, title: `Bag ${id}`, price: 9.5 + index, score: 1 / (index + 1),
  ...(index % 2 === 0 ? { source: 'personal' as const, because: [{ item_id: 'seen', title: 'Seen bag', weight: 1 }] } : { source: 'popular' as const, because: [] }),
}));

export interface Scripted extends Cesta {
  /** What the widgets asked for, in order: the method and its arguments. */
  readonly asked: (readonly [method: string, ...parameters: unknown[]])[];
  shelf: ShelfItem[];
  kept: Interests;
  privacy: PrivacyState;
  release: ReleaseInfo | null;
  /** The next request is refused with this code. */
  refusal: 'consent.notice' | 'consent.capped' | 'network.unreachable' | null;
  change(what: CestaChange): void;
  begin(): void;
  fail(): void;
}

const settings: ShopperSettings = { diversity: 0.2, surfaces: defaultSurfaces, channels: defaultChannels, maxEpsilon: 2 };
const someRelease = { version: 1 } as ReleaseInfo;

export function scriptedCesta(): Scripted {
  const listeners = new Set<(change: CestaChange) => void>();
  let settle = { begin: (): void => undefined, fail: (_error: unknown): void => undefined };
  const ready = new Promise<void>((resolve, reject) => (settle = { begin: resolve, fail: reject }));
  ready.catch(() => undefined);
  const note = (...asked: readonly [string, ...unknown[]]): void => void scripted.asked.push(asked);
  const refuse = (): void => {
    const code = scripted.refusal;
    scripted.refusal = null;
    if (code !== null) throw new CestaError(code, 'refused by the test');
  };
  const alter = (changes: Partial<PrivacyState>, what: CestaChange): void => {
    scripted.privacy = { ...scripted.privacy, ...changes };
    scripted.change(what);
  };
  const drop = (id: string): void => {
    scripted.kept = { ...scripted.kept, events: scripted.kept.events.filter(({ item_id }) => item_id !== id) };
    scripted.shelf = scripted.shelf.filter(({ item_id }) => item_id !== id);
    scripted.change('history');
  };
  const scripted: Scripted = {
    asked: [], shelf: shelfOf('a', 'b', 'c', 'd'), refusal: null, release: null, ready, loaded: Promise.resolve(), lastError: null, kernels: null,
    kept: { events: [...['a', 'b', 'seen'].map((item_id) => ({ event: 'view_item' as const, item_id, hour: 480_000 })), { event: 'view_item_list', item_id: 'shown', hour: 480_000 }], unwanted: ['z'] },
    privacy: {
      degree: 2, chosen: 2, cap: null, notice: { version: 'v3', url: '/notice' }, stored: { events: 3, items: 3, place: 'device' }, sent: { bytes: 0, messages: 0 },
      epsilon: { spent: 0, bound: 2, delta: 1e-5 }, lastRound: null, participation: 'off', receipts: [], settings,
    },
    change: (what) => listeners.forEach((listener) => listener(what)),
    begin() {
      scripted.release = someRelease;
      settle.begin();
    },
    fail: () => settle.fail(new CestaError('release.not-found', 'none')),
    track: (event, items) => note('track', event, items.map(({ item_id }) => item_id)),
    listenToDataLayer: () => () => undefined,
    recommend: (request) => (note('recommend', request), scripted.shelf.slice(0, request.limit)),
    similar: () => [], trending: () => [], boughtTogether: () => [],
    recentlyViewed: () => shelfOf('seen'), isSensitive: () => false,
    refresh() {
      note('refresh');
      scripted.release = someRelease;
      scripted.change('release');
      return Promise.resolve();
    },
    async consent(request) {
      note('consent', request);
      await Promise.resolve();
      refuse();
      alter({ degree: request.degree, chosen: request.degree }, 'privacy');
      return null;
    },
    set(changes) {
      note('set', changes);
      alter({ settings: { ...scripted.privacy.settings, ...changes } }, 'settings');
    },
    notInterested: (id) => (note('notInterested', id), drop(id)),
    removeFromHistory: (id) => (note('removeFromHistory', id), drop(id)),
    interests: () => scripted.kept,
    export: () => Promise.resolve({ format: 'cesta/shopper/1', exportedAt: '2026-01-01T00:00:00Z', degree: 2, interests: scripted.kept, settings, consentReceipts: [], spends: [], roundReceipts: [], measured: null }),
    import: (exported) => (note('import', exported), Promise.resolve()),
    forget: () => (note('forget'), alter({ degree: 0, chosen: 0 }, 'privacy'), Promise.resolve()),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => Promise.resolve(),
  };
  return scripted;
}
