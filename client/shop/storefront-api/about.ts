/**
 * What a shop says of itself: who answers for the data, what shoppers are shown, who else processes anything. It goes into
 * every receipt and into the public manifest, so it is written by a person, in a file (`cesta join --about shop.json`).
 */
import * as z from 'zod';
import { controllerSchema, noticeSchema, processorSchema } from '../../../shared/commerce/shop-manifest.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';

export const aboutSchema = z.strictObject({
  controller: controllerSchema,
  /** Oldest first: consent counts for the last one only. */
  notices: z.array(noticeSchema).min(1),
  /** Everybody who processes data of shoppers for this shop; empty where nobody does. */
  processors: z.array(processorSchema),
  /** The day on which a person last changed any of it. */
  updated: z.iso.date(),
});
export type About = Readonly<z.infer<typeof aboutSchema>>;

/** @throws CestaError `config.invalid` */
export function parseAbout(value: unknown, what = 'about'): About {
  const parsed = aboutSchema.safeParse(value);
  if (!parsed.success) throw new CestaError('config.invalid', `${what}: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}
