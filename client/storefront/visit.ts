/**
 * What a shopper did in this visit, in memory only: item ids in the order of their events, nothing else. Ids that
 * the catalogue does not know are kept, since a later release may know them, and are counted apart until then.
 */
import type { DeviceVisit } from './device-history.ts';
import { CestaError } from '../../shared/protocol/errors.ts';

/**
 * GA4 ecommerce events by what they say about the shopper: interest in an item, its withdrawal, or neither (an item
 * that was merely shown says nothing).
 */
const meaning = {
  select_item: 'interest',
  view_item: 'interest',
  add_to_wishlist: 'interest',
  add_to_cart: 'interest',
  purchase: 'interest',
  remove_from_cart: 'withdrawal',
  refund: 'withdrawal',
  view_item_list: 'none',
  view_cart: 'none',
  begin_checkout: 'none',
  search: 'none',
} as const;

export type EventName = keyof typeof meaning;

export interface TrackedItem {
  readonly item_id: string;
}

export interface VisitLog {
  /** @throws CestaError `usage.invalid` for an unknown event or an item without id. */
  track(event: EventName, items: readonly TrackedItem[], timeMs: number): void;
  visits(): readonly DeviceVisit[];
  remove(id: string): void;
  events(): number;
  /** Everything touched, withdrawn items too: what need not be shown again. */
  touched(): ReadonlySet<string>;
}

/** The usual length of inactivity after which a new visit begins. */
const visitGapMs = 30 * 60_000;

export function createVisitLog(): VisitLog {
  const visits: { lastMs: number; readonly startMs: number; ids: string[] }[] = [];
  const touched = new Set<string>();
  let events = 0;
  return {
    track(event, items, timeMs) {
      if (!Object.hasOwn(meaning, event)) throw new CestaError('usage.invalid', `event: expected one of ${Object.keys(meaning).join(', ')}, got ${JSON.stringify(event)}`);
      const ids = items.map(({ item_id: id }) => {
        if (typeof id !== 'string' || id === '') throw new CestaError('usage.invalid', `item_id: expected a string, got ${JSON.stringify(id)}`);
        return id;
      });
      events += 1;
      if (meaning[event] === 'none') return;
      for (const id of ids) touched.add(id);
      if (meaning[event] === 'withdrawal') {
        for (const visit of visits) visit.ids = visit.ids.filter((id) => !ids.includes(id));
        return;
      }
      const current = visits.at(-1);
      if (current !== undefined && timeMs - current.lastMs < visitGapMs) {
        current.ids.push(...ids);
        current.lastMs = timeMs;
      } else {
        visits.push({ startMs: timeMs, lastMs: timeMs, ids });
      }
    },
    visits: () => visits.map(({ startMs, ids }) => ({ time: Math.floor(startMs / 1000), items: ids })).filter(({ items }) => items.length > 0),
    touched: () => touched,
    events: () => events,
    remove(id) {
      touched.delete(id);
      for (const visit of visits) visit.ids = visit.ids.filter((other) => other !== id);
    },
  };
}
