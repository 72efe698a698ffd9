/**
 * What a shop says of itself: who answers for the data, what shoppers are shown, who else processes anything. It goes into
 * every receipt and into the public manifest, so it is written by a person, in a file (`cesta join --about shop.json`).
 */
import * as z from 'zod';
import { CestaError } from '../../../shared/protocol/errors.ts';

const text = z.string().min(1).max(500);

export const aboutSchema = z.strictObject({
  controller: z.strictObject({ name: text, contact: text, url: z.url().max(500) }),
  /** Oldest first: consent counts for the last one only. */
  notices: z.array(z.strictObject({
    version: z.string().min(1).max(64),
    url: z.url().max(500),
    /** Of the text that is shown. */
    sha256: z.string().regex(/^[0-9a-f]{64}$/, 'expected 32 bytes in lower-case hex'),
  })).min(1),
  /** Everybody who processes data of shoppers for this shop, and for what; empty where nobody does. */
  processors: z.array(z.strictObject({ name: text, purpose: text, location: text })).default([]),
});
export type About = Readonly<z.infer<typeof aboutSchema>>;

/** @throws CestaError `config.invalid` */
export function parseAbout(value: unknown, what = 'about'): About {
  const parsed = aboutSchema.safeParse(value);
  if (!parsed.success) throw new CestaError('config.invalid', `${what}: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}
