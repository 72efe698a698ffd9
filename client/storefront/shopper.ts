/**
 * The shopper as the page knows them: degree, history, settings, receipts, and the seat in a round. Ranking reads from here and
 * knows nothing of consent: what a degree forbids is not there to be read. This is the gate, which a page loads at once: it knows
 * what was chosen, lets nothing in that the choice forbids, and lowers a degree whatever else is missing. What is behind it comes
 * after the page.
 */
import type { Degree, Purpose } from '../../shared/commerce/consent.ts';
import { storedEvents, type EventName, type StoredEvent, type TrackedItem } from '../../shared/commerce/device-events.ts';
import { defaultSettings, type Surface } from '../../shared/commerce/preferences.ts';
import type { DataFor } from '../../shared/commerce/purposes.ts';
import type { Cesta, CestaChange, PrivacyState } from './api.ts';
import { keepChoice, readChoice, rememberedDegree, type KeptChoice } from './choice.ts';
import { usualMaxDelta } from './device-constants.ts';
import type { DeviceVisit } from './device-history.ts';
import type { ShopperCore } from './shopper-core.ts';
import type { ShopperOptions } from './shopper-state.ts';

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
  /** Items shown often without a click on earlier pages, at rest for now: what this page shows counts from the next on. Empty at degrees 0 and 1. */
  resting(): ReadonlySet<string>;
  /** Distinct items viewed, newest first. */
  viewed(): readonly string[];
  /** All rows, bound to what they may be used for; null where the degree does not permit it. */
  events<P extends Purpose>(purpose: P): DataFor<P, readonly StoredEvent[]> | null;
  /** Returns what unsubscribes. */
  subscribe(listener: (change: CestaChange) => void): () => void;
}

/**
 * In force before `loaded` is 1 at most: what is on the device is not there yet.
 * @example
 * const shopper = createShopper({ url: '/cesta', notice: { version: 'v3' } });
 * await shopper.consent({ degree: 2, notice: 'v3' });
 * shopper.track('view_item', [{ item_id: 'sku-7' }]);
 */
export function createShopper(options: ShopperOptions): Shopper {
  const { now = Date.now } = options;
  const gate: Gate = { options, kept: readChoice(), lowered: null, events: [], listeners: new Set() };
  let core: ShopperCore | null = null;
  const loading = import('./shopper-core.ts').then(({ startCore }) => (core = startCore(options, gate)));
  const loaded = loading.then((started) => started.loaded);
  // Whoever does not wait for it sees in `privacy` that nothing is on the device.
  loaded.catch(() => undefined);
  const degree = (): Degree => core?.degree ?? (wantedAt(gate) > 0 ? 1 : 0);
  // At once where it is there: a degree falls before the caller goes on.
  const later = async <T>(work: (started: ShopperCore) => T): Promise<Awaited<T>> => await work(core ?? (await loading));
  const soon = (work: (started: ShopperCore) => void): void => (core === null ? void later(work) : work(core));
  return {
    loaded,
    get degree() {
      return degree();
    },
    get privacy() {
      return core?.privacy ?? privacyAt(gate);
    },
    track(event, items) {
      const events = storedEvents(event, items, now());
      if (core !== null) core.keep(events);
      else if (degree() > 0) gate.events.push(...events);
    },
    visits: (surface) => core?.visits(surface) ?? [],
    touched: (surface) => core?.touched(surface) ?? new Set(),
    unwanted: () => core?.unwanted() ?? new Set(),
    resting: () => core?.resting() ?? new Set(),
    viewed: () => core?.viewed() ?? [],
    events: (purpose) => core?.events(purpose) ?? null,
    interests: () => core?.interests() ?? { events: gate.events, unwanted: [] },
    async consent(request) {
      const isDown = core === null && request.degree < wantedAt(gate);
      if (isDown) lower(gate, request.degree);
      // Down is down, whatever became of the rest.
      return later((started) => started.consent(request)).catch((thrown: unknown) => refused(thrown, isDown));
    },
    // Before it is there nothing of the shopper is shown that could be corrected.
    set: (changes) => soon((started) => started.set(changes)),
    notInterested: (itemId) => soon((started) => started.notInterested(itemId)),
    removeFromHistory: (itemId) => soon((started) => started.removeFromHistory(itemId)),
    export: () => later((started) => started.export()),
    import: (exported) => later((started) => started.import(exported)),
    forget() {
      if (core === null) lower(gate, 0);
      return later((started) => started.forget());
    },
    subscribe(listener) {
      gate.listeners.add(listener);
      return () => void gate.listeners.delete(listener);
    },
    close: () => later((started) => started.close()),
  };
}

/** What is known before the rest is there. */
export interface Gate {
  readonly options: ShopperOptions;
  readonly kept: KeptChoice;
  /** Chosen since. */
  lowered: Degree | null;
  /** Tracked since; empty at degree 0. */
  events: StoredEvent[];
  readonly listeners: Set<(change: CestaChange) => void>;
}

function wantedAt({ options, kept, lowered }: Gate): Degree {
  return lowered ?? kept.degree ?? options.defaultDegree ?? 0;
}

function lower(gate: Gate, degree: Degree): void {
  gate.lowered = degree;
  if (degree === 0) gate.events = [];
  keepChoice({ degree: rememberedDegree(degree, gate.options), ...(degree < 2 ? { notice: null, despiteGpc: false } : {}) });
  for (const listener of gate.listeners) listener('privacy');
}

function refused(thrown: unknown, isDown: boolean): null {
  if (isDown) return null;
  throw thrown;
}

function privacyAt(gate: Gate): PrivacyState {
  const { options: { notice = null, takePart }, kept, lowered, events } = gate;
  const degree = wantedAt(gate) > 0 ? 1 : 0;
  return {
    degree, chosen: lowered ?? kept.degree, cap: null, notice,
    stored: { events: events.length, items: new Set(events.map(({ item_id: id }) => id)).size, place: degree === 0 ? 'nowhere' : 'memory' },
    sent: { bytes: 0, messages: 0 },
    epsilon: { spent: 0, bound: defaultSettings.maxEpsilon, delta: takePart?.maxDelta ?? usualMaxDelta },
    lastRound: null, participation: 'off', receipts: [], settings: defaultSettings,
  };
}
