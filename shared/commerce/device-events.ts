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

export const hourMs = 3_600_000;
/** As long as a catalogue lets an id be. */
const maxIdLength = 256;
const maxQuantity = 1_000_000;

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

/** @throws CestaError `usage.invalid` */
export function storedEvent(event: EventName, item: unknown, hour: number): StoredEvent {
  const { item_id: id, quantity } = fieldsOf(item);
  if (!isItemId(id)) throw new CestaError('usage.invalid', `item_id: expected a string of 1..${maxIdLength} characters, got ${JSON.stringify(id)}`);
  if (quantity === undefined) return { event, item_id: id, hour };
  if (typeof quantity !== 'number' || !(quantity > 0) || quantity > maxQuantity) throw new CestaError('usage.invalid', `quantity: expected a number above 0, at most ${maxQuantity}, got ${JSON.stringify(quantity)}`);
  return { event, item_id: id, quantity: Math.max(1, Math.round(quantity)), hour };
}

export function isEventName(event: unknown): event is EventName {
  return typeof event === 'string' && Object.hasOwn(meanings, event);
}

export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
