/**
 * An item that was shown several times and never looked at rests for a while: a shelf that repeats itself makes people feel
 * watched. From what the device keeps, so an hour is as exact as it gets; a page leaves out what it has shown itself, so that
 * no shelf changes under its reader.
 */
import { meaningOf, type StoredEvent } from '../commerce/device-events.ts';

export interface FrequencyCap {
  /** Times an item is shown without a click before it rests. */
  readonly shows: number;
  readonly restHours: number;
}

const usualCap: FrequencyCap = { shows: 3, restHours: 24 };

/**
 * Items at rest at `hour`. A click, or anything else that is more than being shown, starts the count anew, and so does a rest.
 * @param events In time order.
 * @example restingItems([{ event: 'view_item_list', item_id: 'a', quantity: 3, hour: 10 }], 12) // Set { 'a' } until hour 34
 */
export function restingItems(events: readonly StoredEvent[], hour: number, { shows, restHours }: FrequencyCap = usualCap): ReadonlySet<string> {
  const seen = new Map<string, { readonly count: number; readonly restsUntil: number }>();
  for (const event of events) {
    const { item_id: id, quantity = 1 } = event;
    const { count, restsUntil } = seen.get(id) ?? { count: 0, restsUntil: 0 };
    if (meaningOf(event) !== 'shown') seen.delete(id);
    else if (count + quantity >= shows) seen.set(id, { count: 0, restsUntil: event.hour + restHours });
    else seen.set(id, { count: count + quantity, restsUntil });
  }
  return new Set([...seen].filter(([, { restsUntil }]) => restsUntil > hour).map(([id]) => id));
}
