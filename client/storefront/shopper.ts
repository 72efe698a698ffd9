/**
 * The shopper as the page knows them: degree, history, settings, receipts, and the seat in a round. Ranking reads from here and
 * knows nothing of consent: what a degree forbids is not there to be read.
 */
import type { Degree } from '../../shared/commerce/consent.ts';
import type { EventName, TrackedItem } from '../../shared/commerce/device-events.ts';
import type { Surface } from '../../shared/commerce/preferences.ts';
import { defaultChannels, defaultSurfaces } from '../../shared/commerce/preferences.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { Cesta, CestaChange, CestaOptions, PrivacyState, ShopperSettings } from './api.ts';
import type { DeviceVisit } from './device-history.ts';
import { createVisitLog } from './visit.ts';

export interface Shopper extends Pick<Cesta, 'loaded' | 'privacy' | 'consent' | 'set' | 'notInterested' | 'removeFromHistory' | 'interests' | 'export' | 'import' | 'forget' | 'close'> {
  readonly degree: Degree;
  /** A no-op at degree 0. @throws CestaError `usage.invalid` */
  track(event: EventName, items: readonly TrackedItem[]): void;
  /** What a shelf on this surface may rank with: empty at degree 0, and where the surface is switched off. */
  visits(surface: Surface): readonly DeviceVisit[];
  /** Items of interest and their withdrawals: what need not be shown again. Empty where `visits` is. */
  touched(surface: Surface): ReadonlySet<string>;
  /** What the shopper does not want to see: on no shelf. */
  unwanted(): ReadonlySet<string>;
  /** Items shown often without a click, at rest for now. Empty at degree 0. */
  resting(): ReadonlySet<string>;
  /** Distinct items viewed, newest first. */
  viewed(): readonly string[];
  /** Returns what unsubscribes. */
  subscribe(listener: (change: CestaChange) => void): () => void;
}

/** This visit alone, in memory: degree 0, or 1 where the shop lets a visit begin with it. */
export function createShopper({ defaultDegree = 0, notice, now = () => Date.now() }: CestaOptions): Shopper {
  const listeners = new Set<(change: CestaChange) => void>();
  const tell = (change: CestaChange): void => listeners.forEach((listener) => listener(change));
  const nothing = createVisitLog();
  let degree: Degree = defaultDegree;
  let log = createVisitLog();
  let settings: ShopperSettings = { diversity: 0, surfaces: defaultSurfaces, channels: defaultChannels, maxEpsilon: 0 };
  const unwanted = new Set<string>();
  const on = (surface: Surface): typeof log => (degree > 0 && settings.surfaces[surface] ? log : nothing);
  const state = (): PrivacyState => ({
    degree, chosen: null, cap: null, notice: notice ?? null, settings, lastRound: null, participation: 'off', receipts: [],
    stored: { events: log.events(), items: log.touched().size, place: degree === 0 ? 'nowhere' : 'memory' }, sent: { bytes: 0, messages: 0 }, epsilon: { spent: 0, bound: 0, delta: 0 },
  });
  const forget = (): void => {
    log = createVisitLog();
    unwanted.clear();
    degree = 0;
    tell('privacy');
  };
  return {
    loaded: Promise.resolve(),
    get degree() {
      return degree;
    },
    get privacy() {
      return state();
    },
    track(event, items) {
      (degree === 0 ? createVisitLog() : log).track(event, items, now());
      if (degree > 0) tell('history');
    },
    visits: (surface) => on(surface).visits(),
    touched: (surface) => on(surface).touched(),
    unwanted: () => unwanted,
    resting: () => new Set(),
    viewed: () => (degree === 0 ? [] : [...log.touched()].reverse()),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    consent({ degree: wanted }) {
      if (wanted > degree) return Promise.reject(new CestaError('consent.notice', `degree: expected at most ${degree}, got ${wanted}`));
      if (wanted === 0) forget();
      return Promise.resolve(null);
    },
    set(changes) {
      settings = { ...settings, ...changes };
      tell('settings');
    },
    notInterested(itemId) {
      unwanted.add(itemId);
      tell('history');
    },
    removeFromHistory(itemId) {
      log.remove(itemId);
      tell('history');
    },
    interests: () => ({ events: [], unwanted: [...unwanted] }),
    export: () => Promise.resolve({ format: 'cesta/shopper/1', exportedAt: new Date(now()).toISOString(), degree, interests: { events: [], unwanted: [...unwanted] }, settings, consentReceipts: [], spends: [], roundReceipts: [] }),
    import: () => Promise.reject(new CestaError('consent.needed', 'import: expected a degree of at least 1')),
    forget: () => Promise.resolve(forget()),
    close: () => Promise.resolve(listeners.clear()),
  };
}
