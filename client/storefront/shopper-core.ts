/**
 * The shopper once there is something to know: history, settings, signals, the device's store, and what a person may ask for.
 * Loaded behind the page's first paint; until then shopper.ts stands at the gate.
 */
import { permits } from '../../shared/commerce/consent.ts';
import { hourOf, isItemId, meaningOf, type StoredEvent } from '../../shared/commerce/device-events.ts';
import type { Surface } from '../../shared/commerce/preferences.ts';
import { dataFor } from '../../shared/commerce/purposes.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { restingItems } from '../../shared/ranking/frequency-caps.ts';
import { withEvents, withoutItem, withSettings, withUnwanted } from './profile.ts';
import type { Gate, Shopper } from './shopper.ts';
import { consentTo, forget } from './shopper-consent.ts';
import { begin } from './shopper-degree.ts';
import { privacyOf } from './shopper-privacy.ts';
import { changeSettings } from './shopper-rounds.ts';
import { apply, nowOf, type ShopperOptions, type ShopperState } from './shopper-state.ts';

export interface ShopperCore extends Omit<Shopper, 'track' | 'subscribe'> {
  /** Nothing is kept at degree 0. */
  keep(events: readonly StoredEvent[]): void;
}

export function startCore(options: ShopperOptions, gate: Gate): ShopperCore {
  const { state, loaded, end } = begin(options, gate);
  return {
    loaded,
    get degree() {
      return state.degree;
    },
    get privacy() {
      return privacyOf(state);
    },
    ...historyOf(state),
    events: (purpose) => dataFor(purpose, state.degree, state.all.events),
    consent: (request) => consentTo(state, request),
    set: (changes) => changeSettings(state, withSettings(changes)),
    notInterested: (itemId) => change(state, withUnwanted(itemIdOf(itemId))),
    removeFromHistory: (itemId) => change(state, withoutItem(itemIdOf(itemId))),
    interests: () => ({ events: state.all.events, unwanted: state.all.unwanted }),
    async export() {
      const { exportOf } = await import('./shopper-transfer.ts');
      return exportOf(state);
    },
    async import(exported) {
      const { importInto } = await import('./shopper-transfer.ts');
      return importInto(state, exported);
    },
    forget: () => forget(state),
    close: end,
  };
}

function historyOf(state: ShopperState): Pick<ShopperCore, 'keep' | 'visits' | 'touched' | 'unwanted' | 'resting' | 'viewed'> {
  const isPersonal = (surface: Surface): boolean => state.all.settings.surfaces[surface];
  return {
    keep: (events) => void (events.length > 0 && change(state, withEvents(events, nowOf(state)))),
    visits: (surface) => (isPersonal(surface) ? state.derived().visits : []),
    touched: (surface) => (isPersonal(surface) ? state.derived().touched : new Set()),
    unwanted: () => new Set(state.all.unwanted),
    resting: () => restingItems(withoutShownHere(state), hourOf(nowOf(state))),
    viewed: () => state.derived().viewed,
  };
}

/** A shelf that is in front of somebody must not change because it was seen. */
function withoutShownHere({ all: { events }, before, visit }: ShopperState): StoredEvent[] {
  const known = new Set(events.map(({ item_id: id }) => id));
  const counted = new Set(before);
  const isMore = (event: StoredEvent): boolean => meaningOf(event) !== 'shown' && !counted.has(event);
  // Of what this page did see, a click ends a rest at once.
  return [...before.filter(({ item_id: id }) => known.has(id)), ...visit.events.filter(isMore)];
}

/** Nothing at all where nothing may be known. */
function change(state: ShopperState, wanted: Parameters<typeof apply>[1]): void {
  if (permits(state.degree, 'recommend')) apply(state, wanted);
}

function itemIdOf(itemId: string): string {
  if (!isItemId(itemId)) throw new CestaError('usage.invalid', `item_id: expected the id of an item, got ${JSON.stringify(itemId)}`);
  return itemId;
}
