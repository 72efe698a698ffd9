/**
 * What is known of the shopper, as plain data, and the changes to it: the same functions change the page's memory and what the
 * device keeps, so that two tabs never overwrite each other.
 */
import type { ConsentReceipt } from '../../shared/commerce/consent-receipt.ts';
import { meaningOf, type Interests, type StoredEvent } from '../../shared/commerce/device-events.ts';
import { appended, retained, retention, visitsOf, type StoredVisit } from '../../shared/commerce/device-history.ts';
import { changedSettings } from '../../shared/commerce/changed-settings.ts';
import { defaultSettings, type ShopperSettings } from '../../shared/commerce/preferences.ts';

/** A receipt, and what lets its owner withdraw it. */
export interface HeldReceipt {
  readonly receipt: ConsentReceipt;
  readonly secret: string;
}

export interface Profile extends Interests {
  readonly settings: ShopperSettings;
  readonly receipts: readonly HeldReceipt[];
  /** By which the shop knows this device's consents, and the key it signs them with; null before the first. */
  readonly principal: string | null;
  readonly shopKey: string | null;
}

export type Change = (profile: Profile) => Profile;

export const emptyProfile: Profile = { events: [], unwanted: [], settings: defaultSettings, receipts: [], principal: null, shopKey: null };

export function withEvents(events: readonly StoredEvent[], nowMs: number): Change {
  return (profile) => ({ ...profile, events: retained(appended(profile.events, events), nowMs) });
}

export function withoutItem(itemId: string): Change {
  return (profile) => ({ ...profile, events: profile.events.filter(({ item_id: id }) => id !== itemId) });
}

export function withUnwanted(itemId: string): Change {
  return (profile) => ({ ...withoutItem(itemId)(profile), unwanted: united(profile.unwanted, [itemId]) });
}

function united(unwanted: readonly string[], added: readonly string[]): string[] {
  return [...new Set([...unwanted, ...added])].slice(-retention.unwanted);
}

/** What is not changed stays as it is wherever this is applied: another tab may have set it. */
export function withSettings(changes: Partial<ShopperSettings>): Change {
  return (profile) => ({ ...profile, settings: changedSettings(profile.settings, changes) });
}

/** Settings of another place or time: they never let the device spend more than it would. */
export function withForeignSettings(settings: ShopperSettings): Change {
  return (profile) => withSettings({ ...settings, maxEpsilon: Math.min(settings.maxEpsilon, profile.settings.maxEpsilon) })(profile);
}

/** The last one is in force; the key that signed it is believed from now on. */
export function withReceipt(held: HeldReceipt): Change {
  return (profile) => ({ ...profile, receipts: [held], principal: held.receipt.record.principal, shopKey: held.receipt.publicKey });
}

export function withoutReceipts(profile: Profile): Profile {
  return { ...profile, receipts: [] };
}

/** With what another profile has beside: its own events stay, and those of the other come in at their time, each once. */
export function withInterests({ events, unwanted }: Interests, nowMs: number): Change {
  const address = ({ event, item_id: id, hour }: StoredEvent): string => `${hour} ${event} ${id}`;
  return (profile) => {
    const known = new Set(profile.events.map(address));
    const all = [...events.filter((event) => !known.has(address(event))), ...profile.events].sort((a, b) => a.hour - b.hour);
    return { ...profile, events: retained(all, nowMs), unwanted: united(profile.unwanted, unwanted) };
  };
}

/** What the device keeps, with what this page saw before it was let to keep it. Settings are changes of their own. */
export function withVisit(visit: Profile, nowMs: number): Change {
  return (kept) => ({
    ...withInterests(visit, nowMs)(kept),
    receipts: visit.receipts.length > 0 ? visit.receipts : kept.receipts,
    principal: visit.principal ?? kept.principal,
    shopKey: visit.shopKey ?? kept.shopKey,
  });
}

/** What this page saw itself, without what is gone from all that is known: another tab corrected it. */
export function visitWithin(visit: Profile, all: Profile): Profile {
  const ids = new Set(all.events.map(({ item_id: id }) => id));
  return { ...visit, events: visit.events.filter(({ item_id: id }) => ids.has(id)), unwanted: visit.unwanted.filter((id) => all.unwanted.includes(id)) };
}

/** Whether shelves are the same with both: that something was shown counts from the next page on. */
export function areSameInterests(one: Profile, other: Profile): boolean {
  const text = ({ events, unwanted }: Profile): string => JSON.stringify([events.filter((event) => meaningOf(event) !== 'shown'), unwanted]);
  return text(one) === text(other);
}

/** What shelves ask of a history. */
export interface Derived {
  readonly visits: readonly StoredVisit[];
  readonly touched: ReadonlySet<string>;
  readonly viewed: readonly string[];
}

/** Derives once for each history: a page asks for every shelf. */
export function createDerivation(): (events: readonly StoredEvent[]) => Derived {
  let from: readonly StoredEvent[] | null = null;
  let derived: Derived = { visits: [], touched: new Set(), viewed: [] };
  return (events) => {
    if (events !== from) derived = derive(events);
    from = events;
    return derived;
  };
}

function derive(events: readonly StoredEvent[]): Derived {
  return {
    visits: visitsOf(events),
    touched: new Set(events.filter((event) => meaningOf(event) !== 'shown').map(({ item_id: id }) => id)),
    viewed: [...new Set(events.filter(({ event }) => event === 'view_item' || event === 'select_item').map(({ item_id: id }) => id).reverse())],
  };
}
