/**
 * What a device keeps of what a shopper did. The schema is closed: an event, an item, how many, and the hour; no name, mail,
 * place, price paid, referrer or address has a field here. Plain checks, no schema library: a page loads this at once.
 */
import { CestaError } from '../protocol/errors.ts';

/**
 * GA4 ecommerce events by what they say about the shopper: interest in an item, its withdrawal, that it was merely shown, or
 * nothing. What says nothing is not kept.
 */
const meanings = {
  view_item_list: 'shown',
  select_item: 'interest',
  view_item: 'interest',
  add_to_wishlist: 'interest',
  add_to_cart: 'interest',
  remove_from_cart: 'withdrawal',
  view_cart: 'none',
  begin_checkout: 'none',
  purchase: 'interest',
  refund: 'withdrawal',
  search: 'none',
} as const;

export type EventName = keyof typeof meanings;
export const deviceEventNames = Object.keys(meanings) as readonly EventName[];

/** As a storefront gives it; GA4's other fields are read by nobody. */
export interface TrackedItem {
  readonly item_id: string;
  readonly quantity?: number;
}

export interface StoredEvent {
  readonly event: EventName;
  readonly item_id: string;
  /** Of `view_item_list`: how often within the hour. */
  readonly quantity?: number;
  /** Unix time in whole hours. */
  readonly hour: number;
}

export interface Interests {
  readonly events: readonly StoredEvent[];
  /** Item ids that the shopper said they do not want to see. */
  readonly unwanted: readonly string[];
}

/** Item ids of one visit, in the order of their events. */
export interface StoredVisit {
  /** Unix time in seconds, of the hour it began in. */
  readonly time: number;
  readonly items: string[];
}

const hourMs = 3_600_000;
/** As long as a catalogue lets an id be. */
const maxIdLength = 256;
const maxQuantity = 1_000_000;

export const retention = {
  /** An event is kept for a year. */
  hours: 365 * 24,
  /** That an item was shown is kept for a week: its one use is to stop showing it. */
  shownHours: 7 * 24,
  events: 5_000,
} as const;

export function hourOf(timeMs: number): number {
  return Math.floor(timeMs / hourMs);
}

export function meaningOf({ event }: Pick<StoredEvent, 'event'>): 'interest' | 'withdrawal' | 'shown' | 'none' {
  return meanings[event];
}

export function isItemId(id: unknown): id is string {
  return typeof id === 'string' && id !== '' && id.length <= maxIdLength;
}

/**
 * What is kept of a tracked event; nothing where it says nothing.
 * @throws CestaError `usage.invalid`
 */
export function storedEvents(event: EventName, items: readonly TrackedItem[], timeMs: number): StoredEvent[] {
  if (!isEventName(event)) throw new CestaError('usage.invalid', `event: expected one of ${deviceEventNames.join(', ')}, got ${JSON.stringify(event)}`);
  if (!Array.isArray(items)) throw new CestaError('usage.invalid', `items: expected a list, got ${JSON.stringify(items)}`);
  const stored = items.map((item: unknown) => storedEvent(event, item, hourOf(timeMs)));
  return meanings[event] === 'none' ? [] : stored;
}

/** A row as it was kept or exported, without whatever else it has; null for what is none. */
export function parseStoredEvent(value: unknown): StoredEvent | null {
  const { event, hour } = fieldsOf(value);
  if (!isEventName(event) || meanings[event] === 'none' || typeof hour !== 'number' || !Number.isInteger(hour) || hour < 0) return null;
  try {
    return storedEvent(event, value, hour);
  } catch {
    return null;
  }
}

function storedEvent(event: EventName, item: unknown, hour: number): StoredEvent {
  const { item_id: id, quantity } = fieldsOf(item);
  if (!isItemId(id)) throw new CestaError('usage.invalid', `item_id: expected a string of 1..${maxIdLength} characters, got ${JSON.stringify(id)}`);
  if (quantity === undefined) return { event, item_id: id, hour };
  if (typeof quantity !== 'number' || !(quantity > 0) || quantity > maxQuantity) throw new CestaError('usage.invalid', `quantity: expected a number above 0, at most ${maxQuantity}, got ${JSON.stringify(quantity)}`);
  return { event, item_id: id, quantity: Math.max(1, Math.round(quantity)), hour };
}

function isEventName(event: unknown): event is EventName {
  return typeof event === 'string' && Object.hasOwn(meanings, event);
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** With new events at the end; an item that is shown again within the hour is counted up. */
export function appended(events: readonly StoredEvent[], added: readonly StoredEvent[]): StoredEvent[] {
  const all = [...events];
  for (const event of added) {
    const before = all.findLastIndex(({ item_id: id }) => id === event.item_id);
    const last = all[before] as StoredEvent | undefined;
    if (event.event === 'view_item_list' && last?.event === 'view_item_list' && last.hour === event.hour) all[before] = { ...last, quantity: (last.quantity ?? 1) + (event.quantity ?? 1) };
    else all.push(event);
  }
  return all;
}

/** Those that `retention` lets a device keep. */
export function retained(events: readonly StoredEvent[], nowMs: number): StoredEvent[] {
  const now = hourOf(nowMs);
  return events.filter((event) => now - event.hour <= (meaningOf(event) === 'shown' ? retention.shownHours : retention.hours)).slice(-retention.events);
}

/**
 * Items of interest by visit, without those withdrawn later. Half an hour without an event, the usual end of a visit, cannot be
 * seen in hours: events of the same or the next hour are one visit.
 */
export function visitsOf(events: readonly StoredEvent[]): StoredVisit[] {
  const visits: { readonly time: number; items: string[] }[] = [];
  let lastHour = -Infinity;
  for (const event of events) {
    const meaning = meaningOf(event);
    if (meaning === 'withdrawal') for (const visit of visits) visit.items = visit.items.filter((id) => id !== event.item_id);
    if (meaning !== 'interest') continue;
    if (event.hour - lastHour > 1) visits.push({ time: event.hour * (hourMs / 1000), items: [] });
    visits[visits.length - 1].items.push(event.item_id);
    lastHour = event.hour;
  }
  return visits.filter(({ items }) => items.length > 0);
}
