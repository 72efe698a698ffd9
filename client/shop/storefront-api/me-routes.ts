/** The rights of a shopper, for who has the secret of a consent: access, portability, erasure (GDPR articles 15, 20 and 17). */
import { Router } from 'express';
import { z } from 'zod';
import { consentReceiptSchema, consentPurposes, signConsent } from '../../../shared/commerce/consent-receipt.ts';
import { deviceEventNames } from '../../../shared/commerce/device-events.ts';
import { channelsSchema, type ContactBook } from './campaigns/contact-book.ts';
import type { ConsentBook } from './consent-book.ts';
import type { ConsentRoutesContext } from './consent-routes.ts';
import type { EventStore } from './event-store.ts';
import { secretOf } from './middleware.ts';
import type { Shoppers } from './shoppers.ts';

export const receiptsSchema = z.object({ receipts: z.array(consentReceiptSchema) });

/** Everything that the shop node holds of a shopper; what else the shop knows of a customer is in its own systems. */
export const meExportSchema = z.object({
  format: z.literal('cesta/shop-data/1'),
  exportedAt: z.iso.datetime(),
  principal: z.string(),
  /** The shop's own name for the shopper, if its backend said so. */
  shopper_id: z.string().nullable(),
  receipts: z.array(consentReceiptSchema),
  events: z.array(z.object({
    event: z.enum(deviceEventNames),
    item_id: z.string(),
    quantity: z.number().optional(),
    /** ISO 8601, of the hour. */
    hour: z.iso.datetime(),
    purposes: z.array(z.enum(consentPurposes)),
  })),
  /** On which the shopper wants to be written to. */
  channels: channelsSchema,
  /** How often each campaign was sent to the shopper. */
  sent: z.record(z.string(), z.number().int()),
});

export const erasedSchema = z.object({ erased: z.literal(true) });

export interface MeRoutesContext extends Pick<ConsentRoutesContext, 'key' | 'dateMs' | 'charge' | 'chargeDeletion'> {
  readonly consents: Pick<ConsentBook, 'principalOf' | 'recordsOf' | 'find'>;
  readonly events: Pick<EventStore, 'export'>;
  readonly contacts: Pick<ContactBook, 'channelsOf' | 'sentTo'>;
  readonly shoppers: Pick<Shoppers, 'erase'>;
}

export function meRoutes({ key, consents, shoppers, events, contacts, dateMs, charge, chargeDeletion }: MeRoutesContext): Router {
  const router = Router();
  const receiptsOf = (principal: string): z.input<typeof receiptsSchema>['receipts'] => consents.recordsOf(principal).map((record) => signConsent(key, record));
  router.get('/v1/me/receipts', (request, response) => {
    charge(request);
    const body: z.input<typeof receiptsSchema> = { receipts: receiptsOf(consents.principalOf(secretOf(request))) };
    response.json(body);
  });
  router.get('/v1/me/export', (request, response) => {
    charge(request);
    const principal = consents.principalOf(secretOf(request));
    const body: z.input<typeof meExportSchema> = {
      format: 'cesta/shop-data/1',
      exportedAt: new Date(dateMs()).toISOString(),
      principal,
      shopper_id: consents.find(principal)?.shopperId ?? null,
      receipts: receiptsOf(principal),
      events: events.export(principal).map(({ event: { hour, ...event }, purposes }) => ({ ...event, hour: new Date(hour * 3_600_000).toISOString(), purposes: [...purposes] })),
      channels: contacts.channelsOf(principal),
      sent: contacts.sentTo(principal),
    };
    response.json(body);
  });
  router.delete('/v1/me', (request, response) => {
    chargeDeletion(request);
    shoppers.erase(secretOf(request));
    const body: z.input<typeof erasedSchema> = { erased: true };
    response.json(body);
  });
  return router;
}
