/**
 * What a shop says in public of its recommendations, at `/.well-known/cesta.json` of its storefront API: who answers for the
 * data, what ranks and under which promise it was learnt, the main parameters in plain words (DSA, article 27), who else
 * processes data, and which notices shoppers were shown.
 */
import * as z from 'zod';
import { privacyModes } from '../federation/plan.ts';

const digest = z.string().regex(/^[0-9a-f]{64}$/, 'expected 32 bytes in lower-case hex');
const text = z.string().min(1).max(500);

export const controllerSchema = z.strictObject({ name: text, contact: text, url: z.url().max(500) });

export const noticeSchema = z.strictObject({
  version: z.string().min(1).max(64),
  url: z.url().max(500),
  /** Of the text that is shown. */
  sha256: digest,
});

/** Somebody who processes data of shoppers for the shop. */
export const processorSchema = z.strictObject({ name: text, purpose: text, location: text });

export const shopManifestSchema = z.strictObject({
  format: z.literal('cesta/shop/1'),
  shop: z.string().min(1),
  /** Ed25519: signs consent receipts. */
  publicKey: digest,
  controller: controllerSchema,
  /** The day on which this was last changed by a person. */
  updated: z.iso.date(),
  /** What ranks; null before the first release. */
  release: z.strictObject({
    task: z.string(),
    version: z.int().positive(),
    createdAt: z.string(),
    model: z.string(),
    sha256: digest,
    shoppers: z.number(),
    /** Differential privacy of all releases of the task so far; epsilon and delta are null where nothing is promised. */
    privacy: z.strictObject({ mode: z.enum(privacyModes), unit: z.string(), epsilon: z.number().nullable(), delta: z.number().nullable() }),
  }).nullable(),
  ranking: z.strictObject({
    main_parameters: z.array(text).min(1),
    how_to_change: text,
  }),
  /** The last one is in force. */
  notices: z.array(noticeSchema).min(1),
  processors: z.array(processorSchema),
  /** Days for which the shop keeps events of shoppers who agreed to that. */
  retention_days: z.int().positive(),
  /** Global Privacy Control is honoured. */
  gpc: z.literal(true),
});
export type ShopManifest = Readonly<z.infer<typeof shopManifestSchema>>;

/** The same for every shop: what the ranking of this project looks at, and what it never does. */
export const rankingInWords: ShopManifest['ranking'] = {
  main_parameters: [
    'What you looked at, put into the cart or bought here, from degree 1 of personalisation on; at degree 0 it does not count',
    'The product you look at or the cart you fill, where a shelf stands beside one',
    'Which products go together and which are popular, learnt from noised sums over the shoppers of all participating shops',
    'How much variety you asked for: the more, the less alike the products of one shelf',
    'Rules of the shop, the same for everybody: what may be shown, what is put first, how many of one category',
    'Never: who you are, where you are, what you paid, or what you can afford',
  ],
  how_to_change: 'Choose another degree of personalisation, take single products out of your history, or set the variety, in the privacy panel beside the shelf',
};
