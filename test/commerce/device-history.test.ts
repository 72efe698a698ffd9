import { describe, expect, it } from 'vitest';
import type { EventName, StoredEvent } from '../../shared/commerce/device-events.ts';
import { appended, retained, retention, visitsOf } from '../../shared/commerce/device-history.ts';

const hourMs = 3_600_000;
const row = (event: EventName, id: string, hour: number, quantity?: number): StoredEvent => ({ event, item_id: id, hour, ...(quantity === undefined ? {} : { quantity }) });

describe('the visits of a device', () => {
  it('end with an hour in which nothing happened', () => {
    expect(visitsOf([row('view_item', 'a', 10), row('view_item', 'b', 11), row('add_to_cart', 'c', 11), row('view_item', 'a', 13)])).toEqual([
      { time: 36_000, items: ['a', 'b', 'c'] },
      { time: 46_800, items: ['a'] },
    ]);
  });

  it('have what was withdrawn in none of them before, and what was merely shown in none at all', () => {
    expect(visitsOf([row('view_item', 'a', 1), row('view_item', 'b', 1), row('purchase', 'a', 9), row('view_item_list', 'c', 9), row('refund', 'a', 20), row('view_item', 'a', 30)])).toEqual([
      { time: 3_600, items: ['b'] },
      { time: 108_000, items: ['a'] },
    ]);
  });
});

describe('what a device keeps of its events', () => {
  it('counts up what is shown again within the hour, until it is clicked', () => {
    const shown = row('view_item_list', 'a', 5);
    const events = [shown, row('view_item_list', 'b', 5), shown, row('select_item', 'a', 5), shown, shown, row('view_item_list', 'a', 6)].reduce<StoredEvent[]>((all, event) => appended(all, [event]), []);
    expect(events).toEqual([row('view_item_list', 'a', 5, 2), row('view_item_list', 'b', 5), row('select_item', 'a', 5), row('view_item_list', 'a', 5, 2), row('view_item_list', 'a', 6)]);
  });

  it('is the last year, a week of what was shown, and no more than the newest five thousand', () => {
    const now = 20_000;
    const edge = [row('view_item', 'a', now - retention.hours), row('view_item_list', 'b', now - retention.shownHours)];
    const older = [row('view_item', 'a', now - retention.hours - 1), row('view_item_list', 'b', now - retention.shownHours - 1)];
    expect(retained([...older, ...edge], now * hourMs)).toEqual(edge);
    const many = Array.from({ length: retention.events + 1 }, (_, index) => row('view_item', `${index}`, now));
    expect(retained(many, now * hourMs)).toEqual(many.slice(1));
  });
});
