/**
 * What a storefront reports: item events under their GA4 ecommerce names. The schema is closed: what it does
 * not name (mail, referrer, address, what was paid) is stripped before anything is stored.
 */
import * as z from 'zod';
import { productSchema } from './catalogue.ts';

/** GA4's ecommerce events that carry items. */
export const eventNames = [
  'view_item_list', 'select_item', 'view_promotion', 'select_promotion', 'view_item', 'add_to_wishlist', 'add_to_cart',
  'remove_from_cart', 'view_cart', 'begin_checkout', 'add_shipping_info', 'add_payment_info', 'purchase', 'refund',
] as const;
export type EventName = (typeof eventNames)[number];

/** Events that can make a history; the other two only take something back. */
export type HistoryEvent = Exclude<EventName, 'refund' | 'remove_from_cart'>;

export function isEventName(name: string): name is EventName {
  return (eventNames as readonly string[]).includes(name);
}

export function isHistoryEvent(name: string): name is HistoryEvent {
  return isEventName(name) && name !== 'refund' && name !== 'remove_from_cart';
}

/** Longest identifier of a shopper or an item, in UTF-16 code units. */
export const maxIdLength = 256;

/** One event of one item. `timestamp` comes in any form `parseTimestamp` reads and leaves as unix seconds. */
export const eventSchema = z.object({
  event: z.enum(eventNames),
  item_id: z.string().min(1).max(maxIdLength),
  shopper_id: z.string().min(1).max(maxIdLength),
  timestamp: z.union([z.string(), z.number()]).transform((value, context) => {
    const time = parseTimestamp(value);
    if (time === undefined) context.addIssue({ code: 'custom', message: 'expected ISO 8601 or unix time' });
    return time ?? z.NEVER;
  }),
  quantity: z.number().finite().positive().default(1),
  item_name: z.optional(productSchema.shape.title.def.innerType),
  item_category: productSchema.shape.category,
  item_brand: productSchema.shape.brand,
  price: productSchema.shape.price,
});
export type ShopEvent = Readonly<z.infer<typeof eventSchema>>;

const iso = /^(\d{4})(-?)(\d\d)\2(\d\d)(?:[T ](\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?\s*(?:(Z|UTC)|([+-])(\d\d):?(\d\d)?)?)?$/i;
const decimal = /^\d+(?:\.\d+)?$/;
/** 9999-12-31, the last day that ISO 8601 writes with four digits. */
const maxTime = 253_402_300_799;

/**
 * Unix seconds of a time, or undefined when it is none. Times before 1970 and after 9999 are none.
 *
 * | form | read as |
 * |---|---|
 * | `2024-05-01T10:00:00+02:00`, `2024-05-01 10:00`, `2024-05-01` | ISO 8601; UTC where no zone is given |
 * | eight digits that are a calendar day, such as `20240501` | ISO 8601 basic, the day in UTC (GA4's `event_date`) |
 * | other numbers below 10^11 | unix seconds |
 * | below 10^14 | unix milliseconds |
 * | below 10^17 | unix microseconds (GA4's `event_timestamp`) |
 *
 * @example
 * parseTimestamp('2024-05-01'); // 1714521600
 * parseTimestamp(1_714_521_600_000); // 1714521600
 */
export function parseTimestamp(value: string | number): number | undefined {
  const text = String(value).trim();
  const time = isoTime(text) ?? unixTime(text);
  return time !== undefined && time >= 0 && time <= maxTime ? time : undefined;
}

function isoTime(text: string): number | undefined {
  const parts = iso.exec(text);
  if (parts === null) return undefined;
  const [, year, , month, day, hour = '0', minute = '0', second = '0', fraction = '0', , sign, zoneHour = '0', zoneMinute = '0'] = parts;
  const midnight = Date.UTC(Number(year), Number(month) - 1, Number(day));
  // Date.UTC rolls 31 April over into May; a date that does not come back as itself does not exist.
  const back = new Date(midnight);
  if (back.getUTCMonth() + 1 !== Number(month) || back.getUTCDate() !== Number(day)) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60 || Number(zoneHour) > 23 || Number(zoneMinute) > 59) return undefined;
  const zone = (sign === '-' ? -1 : 1) * (Number(zoneHour) * 3600 + Number(zoneMinute) * 60);
  return midnight / 1000 + Number(hour) * 3600 + Number(minute) * 60 + Number(second) + Number(`0.${fraction}`) - zone;
}

function unixTime(text: string): number | undefined {
  if (!decimal.test(text)) return undefined;
  const number = Number(text);
  if (number < 1e11) return number;
  if (number < 1e14) return number / 1e3;
  return number < 1e17 ? number / 1e6 : undefined;
}
