/** The events of a device over time: read back, kept for as long as they may be, and as visits. */
import { fieldsOf, hourMs, hourOf, isEventName, meaningOf, storedEvent, type StoredEvent } from './device-events.ts';

/** Item ids of one visit, in the order of their events. */
export interface StoredVisit {
  /** Unix time in seconds, of the hour it began in. */
  readonly time: number;
  readonly items: string[];
}

export const retention = {
  /** An event is kept for a year. */
  hours: 365 * 24,
  /** That an item was shown is kept for a week: its one use is to stop showing it. */
  shownHours: 7 * 24,
  events: 5_000,
  /** Items that a shopper does not want to see. */
  unwanted: 1_000,
} as const;

/** A row as it was kept or exported, without whatever else it has; null for what is none. */
export function parseStoredEvent(value: unknown): StoredEvent | null {
  const { event, hour } = fieldsOf(value);
  if (!isEventName(event) || meaningOf({ event }) === 'none' || typeof hour !== 'number' || !Number.isInteger(hour) || hour < 0) return null;
  try {
    return storedEvent(event, value, hour);
  } catch {
    return null;
  }
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
