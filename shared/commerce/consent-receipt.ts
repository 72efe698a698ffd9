/**
 * A consent record and the receipt a shopper gets of it (ISO/IEC TS 27560:2023): what was agreed to, for what, on which notice,
 * and how to withdraw. Signed by the shop with Ed25519.
 */
import * as z from 'zod';
import { degreeSchema } from './consent.ts';

export const consentPurposes = ['recommend', 'improve', 'measure'] as const;

export const consentRecordSchema = z.strictObject({
  schema_version: z.literal('cesta/consent/1'),
  record_id: z.string().regex(/^[0-9a-f]{32}$/),
  /** Random, made on the device for this shop; names nobody. */
  principal: z.string().regex(/^[0-9a-f]{32}$/),
  controller: z.strictObject({ name: z.string(), contact: z.string(), url: z.string() }),
  notice: z.strictObject({ version: z.string(), url: z.string(), sha256: z.string() }),
  degree: degreeSchema,
  purposes: z.array(z.enum(consentPurposes)),
  lawful_basis: z.literal('consent'),
  storage_location: z.string(),
  recipients: z.array(z.string()),
  withdrawal_method: z.string(),
  /** Whether `Sec-GPC: 1` or the page's own signal was present. */
  gpc: z.boolean(),
  events: z.array(z.strictObject({ kind: z.enum(['given', 'withdrawn']), degree: degreeSchema, time: z.string() })).min(1),
});
export type ConsentRecord = Readonly<z.infer<typeof consentRecordSchema>>;

export const consentReceiptSchema = z.strictObject({
  record: consentRecordSchema,
  /** The shop's key, and its signature over the canonical JSON of the record; hex. */
  publicKey: z.string().regex(/^[0-9a-f]{64}$/),
  signature: z.string().regex(/^[0-9a-f]{128}$/),
});
export type ConsentReceipt = Readonly<z.infer<typeof consentReceiptSchema>>;
