/** What a page holds of its shopper, and how it is changed and told: here, on the device, and to a seat in the rounds. */
import type { Degree } from '../../shared/commerce/consent.ts';
import { strictest, type SignalCap } from '../../shared/commerce/consent-signals.ts';
import type { StoredEvent } from '../../shared/commerce/device-events.ts';
import { dataFor } from '../../shared/commerce/purposes.ts';
import type { Fetch } from '../http.ts';
import type { CestaChange, CestaOptions, PrivacyState } from './api.ts';
import type { Withdrawal } from './choice.ts';
import { usualMaxDelta } from './device-constants.ts';
import { createDerivation, emptyProfile, type Change, type Derived, type Profile } from './profile.ts';
import type { ProfileStore } from './profile-store.ts';
import type { ImprovingVisits, RoundsSeat } from './rounds-seat.ts';
import { listenToSignals, type Signals } from './signals.ts';

export type ShopperOptions = Pick<CestaOptions, 'url' | 'shop' | 'notice' | 'defaultDegree' | 'takePart' | 'fetch' | 'now'>;

export interface RoundsState {
  readonly participation: PrivacyState['participation'];
  readonly bytesSent: number;
  readonly messagesSent: number;
  readonly epsilonSpent: number;
  readonly lastRound: string | null;
}

export interface ShopperState {
  readonly options: ShopperOptions;
  readonly signals: Signals;
  readonly listeners: ReadonlySet<(change: CestaChange) => void>;
  readonly derived: () => Derived;
  /** Null before a choice. */
  chosen: Degree | null;
  despiteGpc: boolean;
  /** In force. */
  degree: Degree;
  /** Of the choice: what was begun for an earlier one is dropped. */
  turn: number;
  all: Profile;
  /** What of it this page saw itself: all that degree 1 has. */
  visit: Profile;
  /** What was known before this page showed anything: an impression counts from the next page on. */
  before: readonly StoredEvent[];
  /** Changes to settings that are on no device yet. */
  unsaved: readonly Change[];
  /** Counts changes made here. */
  changes: number;
  store: ProfileStore | null;
  /** Changes made while the store is being opened; null while it is not. */
  early: Change[] | null;
  /** The store as it was opened, or null where it was not. */
  opening: Promise<ProfileStore | null>;
  erasing: Promise<void>;
  saving: Promise<void>;
  /** What is told to the shop, one after the other: each withdrawal is told once. */
  delivering: Promise<void>;
  /** Consents that the shop was not told yet are withdrawn. */
  owed: readonly Withdrawal[];
  seat: RoundsSeat | null;
  rounds: RoundsState;
}

export const nothing = Promise.resolve();

export function createState(options: ShopperOptions, given: Pick<ShopperState, 'chosen' | 'despiteGpc' | 'listeners'>, onSignal: (state: ShopperState) => void): ShopperState {
  const derive = createDerivation();
  const state: ShopperState = {
    ...given,
    options, signals: listenToSignals(() => onSignal(state)), derived: () => derive(state.all.events),
    degree: 0, turn: 0, all: emptyProfile, visit: emptyProfile, before: [], unsaved: [], changes: 0,
    store: null, early: null, opening: Promise.resolve(null), erasing: nothing, saving: nothing, delivering: nothing, owed: [], seat: null,
    rounds: { participation: 'off', bytesSent: 0, messagesSent: 0, epsilonSpent: 0, lastRound: null },
  };
  return state;
}

export function tell({ listeners }: ShopperState, change: CestaChange): void {
  for (const listener of listeners) listener(change);
}

export function nowOf({ options }: ShopperState): number {
  return (options.now ?? Date.now)();
}

export function fetchOf({ options }: ShopperState): Fetch {
  return options.fetch ?? ((address, init) => globalThis.fetch(address, init));
}

export function maxDeltaOf({ options }: ShopperState): number {
  return options.takePart?.maxDelta ?? usualMaxDelta;
}

export function wantedDegree({ chosen, options }: Pick<ShopperState, 'chosen' | 'options'>): Degree {
  return chosen ?? options.defaultDegree ?? 0;
}

/** The signal that holds down most. */
export function capOf({ signals, despiteGpc }: ShopperState, isDespite = despiteGpc): SignalCap | null {
  return strictest(signals.caps().filter((cap) => !isDespite || cap?.by !== 'gpc'));
}

/** Null where the degree does not let the device help to improve. */
export function improving({ degree, derived }: ShopperState): ImprovingVisits | null {
  return dataFor('improve', degree, derived().visits);
}

/** Changes what is known, here and on the device. */
export function apply(state: ShopperState, change: Change, what: CestaChange = 'history'): void {
  state.all = change(state.all);
  state.visit = change(state.visit);
  state.changes += 1;
  if (state.store !== null) save(state, state.store, change);
  else {
    state.early?.push(change);
    if (what === 'settings') state.unsaved = [...state.unsaved, change];
  }
  if (what === 'history') learn(state);
  tell(state, what);
}

/** Tells the seat, if there is one. */
export function learn(state: ShopperState): void {
  const history = state.seat === null ? null : improving(state);
  if (history !== null) state.seat?.learn(history);
}

export function save(state: ShopperState, store: ProfileStore, change: Change): void {
  const saving = Promise.all([state.saving, store.change(change)]).then(() => undefined);
  state.saving = saving;
  saving.catch(() => {
    if (state.store !== store) return;
    // Full, or deleted by another tab: from here on it is in memory, and `privacy` says so.
    store.close();
    [state.store, state.saving] = [null, nothing];
    tell(state, 'privacy');
  });
}

/** The databases there are, without opening, which would make, any; null in a browser that does not say. */
export async function databaseNames(): Promise<readonly string[] | null> {
  const { indexedDB } = globalThis as { readonly indexedDB?: Partial<IDBFactory> };
  if (indexedDB === undefined) return [];
  return (await indexedDB.databases?.())?.map(({ name = '' }) => name) ?? null;
}
