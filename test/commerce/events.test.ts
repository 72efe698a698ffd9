import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventSchema, isHistoryEvent, parseTimestamp } from '../../shared/commerce/events.ts';

const noon = Date.UTC(2024, 4, 1, 12) / 1000;

describe('parseTimestamp', () => {
  it.each([
    ['2024-05-01T12:00:00Z', noon],
    ['2024-05-01T12:00:00.250Z', noon + 0.25],
    ['2024-05-01T14:00:00+02:00', noon],
    ['2024-05-01T07:30:00-0430', noon],
    ['2024-05-01 12:00', noon],
    ['20240501T120000Z', noon],
    ['2024-05-01', noon - 43_200],
    ['20240501', noon - 43_200],
    [String(noon), noon],
    [noon, noon],
    [noon * 1000, noon],
    [noon * 1_000_000, noon],
    ['  1714564800 ', noon],
    ['0', 0],
  ])('reads %s as %d', (text, time) => {
    expect(parseTimestamp(text)).toBe(time);
  });

  it.each(['', 'yesterday', '2024-13-01', '2024-04-31', '2023-02-29', '2024-05-01T24:00', '2024-05-01T12:60', '05/01/2024', '-5', '1e9', '1969-12-31', '2024-0501', '171456480000000000', 'NaN', '12:00'])(
    'reads nothing out of %j',
    (text) => {
      expect(parseTimestamp(text)).toBeUndefined();
    },
  );

  it('agrees with the calendar of the platform on every second of five centuries', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 15_000_000_000 }), (seconds) => {
      expect(parseTimestamp(new Date(seconds * 1000).toISOString())).toBe(seconds);
    }));
  });

  it('reads seconds, milliseconds and microseconds of one moment as the same', () => {
    // From 10^8 seconds on (1973): before, the milliseconds look like seconds.
    fc.assert(fc.property(fc.integer({ min: 100_000_000, max: 9_999_999_999 }), (seconds) => {
      expect(parseTimestamp(seconds * 1000)).toBe(seconds);
      expect(parseTimestamp(seconds * 1_000_000)).toBe(seconds);
    }));
  });
});

describe('eventSchema', () => {
  const event = { event: 'purchase', item_id: 'lamp', shopper_id: 'ana', timestamp: '2024-05-01T12:00:00Z' };

  it('keeps nothing but the fields it names', () => {
    const sent = { ...event, quantity: 2, item_name: 'Reading lamp', email: 'ana@example.org', referrer: 'https://example.org', value: 19.9, ip: '192.0.2.1' };
    expect(eventSchema.parse(sent)).toEqual({ ...event, timestamp: noon, quantity: 2, item_name: 'Reading lamp' });
  });

  it('counts one piece where no quantity is given', () => {
    expect(eventSchema.parse(event).quantity).toBe(1);
  });

  it.each([
    ['an unknown event', { event: 'bought' }],
    ['an empty item id', { item_id: '' }],
    ['an item id of 257 characters', { item_id: 'x'.repeat(257) }],
    ['an empty shopper id', { shopper_id: '' }],
    ['a time that is none', { timestamp: 'soon' }],
    ['a quantity of zero', { quantity: 0 }],
    ['an infinite quantity', { quantity: Infinity }],
    ['a negative price', { price: -1 }],
  ])('refuses %s', (_, change) => {
    expect(eventSchema.safeParse({ ...event, ...change }).success).toBe(false);
  });

  it('lets a history be made of views and purchases, not of what takes something back', () => {
    expect(['view_item', 'purchase', 'refund', 'remove_from_cart', 'bought'].map(isHistoryEvent)).toEqual([true, true, false, false, false]);
  });
});
