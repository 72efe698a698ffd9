/**
 * `POST /v1/events`: what shoppers did, from the shop's own backend, in GA4's names. The schema is closed: an event's name,
 * item ids, quantities and the hour are taken; mail, address, referrer, what was paid and whatever else comes along are
 * dropped here and never stored. So is every event of a shopper who has not agreed to degree 2 or more, with a count.
 */
import { Router } from 'express';
import { z } from 'zod';
import { deviceEventNames, meaningOf, storedEvents, type StoredEvent } from '../../../shared/commerce/device-events.ts';
import { maxIdLength, parseTimestamp } from '../../../shared/commerce/events.ts';
import { readBody } from './middleware.ts';
import type { ReportedEvents, Shoppers } from './shoppers.ts';

const maxBodyBytes = 262_144;
const maxEvents = 1_000;

/** Trimmed, as in files. */
const id = z.string().trim().min(1).max(maxIdLength);
const itemSchema = z.object({ item_id: id, quantity: z.number().positive().max(1_000_000).optional() });

/** One event of a page, as GA4 has it; or one of an item, with the item's fields beside the event's. */
export const trackedEventSchema = z.object({
  event: z.enum(deviceEventNames),
  /** Without it, now. The hour is kept. */
  timestamp: z.union([z.string().max(64), z.number()]).transform((value, context) => {
    const time = parseTimestamp(value);
    if (time === undefined) context.addIssue({ code: 'custom', message: 'expected ISO 8601 or unix time' });
    return time ?? z.NEVER;
  }).optional(),
  items: z.array(itemSchema).max(200).optional(),
  item_id: id.optional(),
  quantity: itemSchema.shape.quantity,
});

export const eventsRequestSchema = z.object({
  events: z.array(trackedEventSchema.extend({
    /** The principal of a consent, or the shop's own name for the shopper. */
    shopper_id: id,
  })).min(1).max(maxEvents),
});

export const eventsAnswerSchema = z.object({
  /** Rows: one an item. */
  stored: z.number().int(),
  /** Of shoppers without a consent of degree 2 or more in force. */
  without_consent: z.number().int(),
  /** That say nothing about what a shopper likes, such as a list that was shown. */
  without_meaning: z.number().int(),
});

export interface EventRoutesContext {
  readonly shoppers: Pick<Shoppers, 'report'>;
  readonly dateMs: () => number;
}

export function eventRoutes({ shoppers, dateMs }: EventRoutesContext): Router {
  const router = Router();
  router.post('/v1/events', async (request, response) => {
    const { events } = await readBody(request, eventsRequestSchema, maxBodyBytes);
    let withoutMeaning = 0;
    const reported = events.map(({ shopper_id: shopper, ...event }): ReportedEvents => {
      const rows = rowsOf(event, dateMs());
      if (rows.length === 0) withoutMeaning += 1;
      return { shopper, events: rows };
    });
    const stored = shoppers.report(reported);
    const rows = reported.reduce((sum, { events: { length } }) => sum + length, 0);
    const body: z.input<typeof eventsAnswerSchema> = { stored, without_consent: rows - stored, without_meaning: withoutMeaning };
    response.json(body);
  });
  return router;
}

/** What is kept of an event: interest in an item, or its end. Nothing of the future, which would outlast its retention. */
export function rowsOf({ event, timestamp, items, item_id: itemId, quantity }: z.output<typeof trackedEventSchema>, nowMs: number): StoredEvent[] {
  const single = itemId === undefined ? [] : [{ item_id: itemId, ...(quantity === undefined ? {} : { quantity }) }];
  const tracked = [...(items ?? []), ...single].map((item) => ({ item_id: item.item_id, ...(item.quantity === undefined ? {} : { quantity: item.quantity }) }));
  const rows = storedEvents(event, tracked, Math.min(timestamp === undefined ? nowMs : timestamp * 1000, nowMs));
  return rows.filter((row) => meaningOf(row) !== 'shown');
}
