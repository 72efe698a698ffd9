import { describe, expect, it } from 'vitest';
import type { EventName, StoredEvent } from '../../shared/commerce/device-events.ts';
import { restingItems } from '../../shared/ranking/frequency-caps.ts';

const row = (event: EventName, hour: number, quantity = 1): StoredEvent => ({ event, item_id: 'a', quantity, hour });
const shown = (hour: number, times = 1): StoredEvent => row('view_item_list', hour, times);
const rests = (events: readonly StoredEvent[], hour: number): boolean => restingItems(events, hour).has('a');

describe('capability 13: an item shown three times without a click', () => {
  it('capability 13: rests for a day, and is shown again then', () => {
    expect(rests([shown(1), shown(2)], 2)).toBe(false);
    expect(rests([shown(1), shown(2), shown(5)], 5)).toBe(true);
    expect(rests([shown(1, 3)], 24)).toBe(true);
    expect(rests([shown(1, 3)], 25)).toBe(false);
    expect(rests([shown(1, 3), shown(26)], 26)).toBe(false);
    expect(rests([shown(1, 3), shown(26, 3)], 27)).toBe(true);
  });

  it('capability 13: does not rest once it was looked at, nor before it is shown as often again', () => {
    for (const event of ['select_item', 'view_item', 'add_to_cart', 'purchase'] as const) {
      expect(rests([shown(1, 2), row(event, 1), shown(1)], 1)).toBe(false);
      expect(rests([shown(1, 3), row(event, 2)], 2)).toBe(false);
      expect(rests([shown(1, 3), row(event, 2), shown(2, 3)], 2)).toBe(true);
    }
  });

  it('capability 13: as often and as long as a shop wants', () => {
    expect([...restingItems([shown(1)], 1, { shows: 1, restHours: 2 })]).toEqual(['a']);
    expect([...restingItems([shown(1)], 3, { shows: 1, restHours: 2 })]).toEqual([]);
  });
});
