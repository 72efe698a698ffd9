/** The OpenAPI document of a shop node, generated from the schemas that its requests and answers are parsed with. */
import { z } from 'zod';
import { campaignFileSchema } from '../../../shared/commerce/campaigns.ts';
import { consentReceiptSchema } from '../../../shared/commerce/consent-receipt.ts';
import { measurementBytes, measurementSchema } from '../../../shared/commerce/measurement.ts';
import { shopManifestSchema } from '../../../shared/commerce/shop-manifest.ts';
import { describeApi, type JsonObject, type Operation } from '../../../shared/protocol/openapi.ts';
import { channelsAnswerSchema, channelsRequestSchema, recipientsSchema, reportSchema, takenSchema } from './campaigns/campaign-routes.ts';
import { consentRequestSchema } from './consent-routes.ts';
import { gpcSchema, healthSchema, readinessSchema } from './document-routes.ts';
import { eventsAnswerSchema, eventsRequestSchema } from './event-routes.ts';
import { erasedSchema, meExportSchema, receiptsSchema } from './me-routes.ts';
import { recommendAnswerSchema, recommendRequestSchema, shelfSchema } from './ranking-routes.ts';

const limitParameter = { name: 'limit', in: 'query', required: false, description: 'Items wanted; 8 without it', schema: { type: 'integer', minimum: 1, maximum: 100 } };

const campaignId = { name: 'id', in: 'path', required: true, description: 'Of the campaigns file', schema: { type: 'string' } };

const operations: readonly Operation[] = [
  { path: '/.well-known/cesta.json', summary: 'Who the shop is, what ranks, under which promise, and who else processes data', body: shopManifestSchema },
  { path: '/.well-known/gpc.json', summary: 'That Global Privacy Control is honoured', body: gpcSchema },
  { path: '/healthz', summary: 'Whether the process answers', body: healthSchema },
  { path: '/readyz', summary: 'Whether there is a release to rank with', body: readinessSchema },
  { path: '/v1/consents', summary: 'Agrees to a degree on the notice in force; answered with 201, a signed receipt, and the secret, once', request: consentRequestSchema, body: z.object({ receipt: consentReceiptSchema, secret: z.string() }) },
  { path: '/v1/consents/{id}', method: 'delete', security: 'shopper', summary: 'Withdraws a consent; may be done twice', body: z.object({ receipt: consentReceiptSchema }), parameters: [{ name: 'id', in: 'path', required: true, description: '`record_id` of the receipt', schema: { type: 'string' } }] },
  { path: '/v1/me/receipts', security: 'shopper', summary: 'All receipts of a shopper', body: receiptsSchema },
  { path: '/v1/me/export', security: 'shopper', summary: 'Everything that is held of a shopper', body: meExportSchema },
  { path: '/v1/me', method: 'delete', security: 'shopper', summary: 'Erases everything that is held of a shopper', body: erasedSchema },
  { path: '/v1/events', security: 'backend', summary: 'Takes events of shoppers who agreed to degree 2 or 3; fields that the schema does not name are dropped', request: eventsRequestSchema, body: eventsAnswerSchema },
  { path: '/v1/recommend', security: 'backend', summary: 'A shelf; nothing of the request is kept', request: recommendRequestSchema, body: recommendAnswerSchema },
  { path: '/v1/similar/{item_id}', summary: 'What goes with an item', body: shelfSchema, parameters: [{ name: 'item_id', in: 'path', required: true, description: 'Of the catalogue', schema: { type: 'string' } }, limitParameter] },
  { path: '/v1/trending', summary: 'What is popular, in one category or in all', body: shelfSchema, parameters: [{ name: 'category', in: 'query', required: false, description: 'Prefix of a category', schema: { type: 'string' } }, limitParameter] },
  { path: '/v1/offers', summary: 'All campaigns and experiments, the same bytes for everybody: devices pick', body: campaignFileSchema, isCacheable: true },
  { path: '/v1/measurements', summary: `Takes one randomised report, filled up with spaces to ${measurementBytes} bytes; answered with 202`, request: measurementSchema, body: takenSchema },
  { path: '/v1/channels', method: 'put', security: ['shopper', 'backend'], summary: 'Chooses channels: a page for its shopper, the backend for the `shopper` it names', request: channelsRequestSchema, body: channelsAnswerSchema },
  { path: '/v1/campaigns/{id}/recipients', security: 'backend', summary: 'Shoppers that a campaign is for, and whose channel is on', body: recipientsSchema, parameters: [campaignId] },
  { path: '/v1/campaigns/{id}/recipients', method: 'post', security: 'backend', summary: 'The same, to be written to: it counts towards the cap of each', body: recipientsSchema, parameters: [campaignId] },
  { path: '/v1/campaigns/{id}/report', security: 'backend', summary: 'What came of a measured campaign', body: reportSchema, parameters: [campaignId] },
  { path: '/v1/experiments/{id}/report', security: 'backend', summary: 'What came of an experiment', body: reportSchema, parameters: [campaignId] },
];

export function storefrontOpenApi(): JsonObject {
  return describeApi({
    title: 'Cesta shop node',
    description: 'Consents, rights of shoppers, events and shelves of one shop.',
    operations,
    securitySchemes: {
      shopper: { type: 'http', scheme: 'bearer', description: 'The secret that came with a consent' },
      backend: { type: 'http', scheme: 'bearer', description: 'The token in `storefront.token` of the state folder of the shop' },
    },
  });
}
