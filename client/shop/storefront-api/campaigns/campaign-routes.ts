/**
 * Offers, the same bytes for everybody; choices of channels; recipients for the shop's own mailer; randomised reports and what
 * they add up to. What a page asks for and sends here holds no item and no name.
 */
import { Router } from 'express';
import { z } from 'zod';
import { measurementBytes, measurementSchema } from '../../../../shared/commerce/measurement.ts';
import { canonicalJson, type Json } from '../../../../shared/protocol/canonical-json.ts';
import { sha256Hex } from '../../../../shared/protocol/digest.ts';
import { CestaError } from '../../../../shared/protocol/errors.ts';
import type { ConsentBook } from '../consent-book.ts';
import type { Charge } from '../limits.ts';
import { isBackend, readBody, requireBackend, secretOf } from '../middleware.ts';
import type { CampaignRoom } from './campaign-room.ts';
import { channelsSchema } from './contact-book.ts';

/** A page says it of its own shopper, with the secret of a consent; the backend of any, by principal or by its own name, which is all devices of that name. */
export const channelsRequestSchema = z.strictObject({ channels: channelsSchema, shopper: z.string().trim().min(1).max(256).optional() });
export const recipientsSchema = z.object({ campaign: z.string(), recipients: z.array(z.object({ principal: z.string(), shopper_id: z.string().nullable() })) });

export const channelsAnswerSchema = z.object({ channels: channelsSchema });
export const takenSchema = z.object({ taken: z.literal(true) });

const estimateSchema = z.object({ value: z.number(), low: z.number(), high: z.number() });
export const reportSchema = z.object({
  id: z.string(), epsilon: z.number(), unit: z.literal('one report of one device'), level: z.literal(0.95),
  arms: z.array(z.object({ arm: z.string(), devices: z.int(), share: z.object({ impression: estimateSchema, click: estimateSchema, purchase: estimateSchema }) })),
  differences: z.array(z.object({ arm: z.string(), against: z.string(), purchase: estimateSchema })),
});

export interface CampaignRoutesContext {
  readonly room: CampaignRoom;
  readonly consents: Pick<ConsentBook, 'principalOf'>;
  readonly token: string;
  readonly charge: Charge;
}

export function campaignRoutes({ room, consents, token, charge }: CampaignRoutesContext): Router {
  const router = Router();
  const offers = canonicalJson(JSON.parse(JSON.stringify(room.file)) as Json);
  const tag = `"${sha256Hex(new TextEncoder().encode(offers))}"`;
  router.get('/v1/offers', (request, response) => {
    response.set({ ETag: tag, 'Cache-Control': 'public, max-age=300', 'Content-Type': 'application/json; charset=utf-8' });
    if (request.get('If-None-Match') === tag) response.status(304).end();
    else response.send(offers);
  });
  router.post('/v1/measurements', async (request, response) => {
    charge(request);
    if (request.get('Content-Length') !== String(measurementBytes)) throw new CestaError('usage.invalid', `body: expected ${measurementBytes} bytes, whatever it says, got ${request.get('Content-Length') ?? 'no length'}`);
    room.measurements.add(await readBody(request, measurementSchema, measurementBytes));
    const body: z.input<typeof takenSchema> = { taken: true };
    response.status(202).json(body);
  });
  router.put('/v1/channels', async (request, response) => {
    charge(request);
    const byBackend = isBackend(request, token);
    const { channels, shopper } = await readBody(request, channelsRequestSchema, 2_048);
    if (byBackend !== (shopper !== undefined)) throw new CestaError('usage.invalid', `shopper: expected ${byBackend ? 'whose channels they are' : 'none but from the backend'}, got ${shopper === undefined ? 'none' : 'one'}`);
    room.choose(shopper ?? consents.principalOf(secretOf(request)), channels);
    const body: z.input<typeof channelsAnswerSchema> = { channels };
    response.json(body);
  });
  router.use('/v1/campaigns', requireBackend(token));
  router.use('/v1/experiments', requireBackend(token));
  for (const kind of ['campaigns', 'experiments'] as const) {
    router.get(`/v1/${kind}/:id/report`, (request, response) => {
      const report = room.report(String(request.params['id']));
      const body: z.input<typeof reportSchema> = { ...report, arms: [...report.arms], differences: [...report.differences] };
      response.json(body);
    });
  }
  router.get('/v1/campaigns/:id/recipients', (request, response) => {
    const body: z.input<typeof recipientsSchema> = { campaign: request.params.id, recipients: room.recipients(request.params.id) };
    response.json(body);
  });
  // Taken to be written to: it counts towards the cap of each.
  router.post('/v1/campaigns/:id/recipients', (request, response) => {
    const body: z.input<typeof recipientsSchema> = { campaign: request.params.id, recipients: room.send(request.params.id) };
    response.json(body);
  });
  return router;
}
