/** A profile from outside of the page: as it was kept on the device, or as somebody exported it. */
import * as z from 'zod/mini';
import { consentReceiptSchema } from '../../shared/commerce/consent-receipt.ts';
import { hourOf, isItemId, type Interests } from '../../shared/commerce/device-events.ts';
import { parseStoredEvent } from '../../shared/commerce/device-history.ts';
import { changedSettings } from '../../shared/commerce/changed-settings.ts';
import { defaultSettings, type ShopperSettings } from '../../shared/commerce/preferences.ts';
import { CestaError, toCestaError } from '../../shared/protocol/errors.ts';
import type { Profile } from './profile.ts';

const interestsSchema = z.object({
  // Rows that are none, such as of a later version, are left out.
  events: z.pipe(z.array(z.unknown()), z.transform((rows: unknown[]) => rows.map(parseStoredEvent).filter((event) => event !== null))),
  unwanted: z.array(z.string().check(z.refine(isItemId))),
});

const profileSchema = z.extend(interestsSchema, {
  settings: z.unknown(),
  receipts: z.array(z.object({ receipt: consentReceiptSchema, secret: z.string().check(z.regex(/^[0-9a-f]{64}$/)) })),
  principal: z.nullable(z.string()),
  shopKey: z.nullable(z.string()),
});

const exportSchema = z.object({ format: z.literal('cesta/shopper/1'), interests: interestsSchema, settings: z.unknown() });

/** Throws what is wrong with it. */
export function profileOf(value: unknown): Profile {
  const profile = profileSchema.parse(value);
  return { ...profile, settings: changedSettings(defaultSettings, profile.settings) };
}

/**
 * What an export brings to another device: interests and settings. Consents and spends stay with the device they are of.
 * @throws CestaError `data.unreadable`
 */
export function importable(value: unknown, nowMs: number): { readonly interests: Interests; readonly settings: ShopperSettings } {
  const parsed = exportSchema.safeParse(value);
  if (!parsed.success) throw new CestaError('data.unreadable', `export: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  const { interests, settings } = parsed.data;
  // A clock may be a little ahead; an event of tomorrow would be the newest for ever.
  const latest = hourOf(nowMs) + 1;
  const late = interests.events.find(({ hour }) => hour > latest);
  if (late !== undefined) throw new CestaError('data.unreadable', `export, hour: expected at most ${latest}, got ${late.hour}`);
  try {
    return { interests, settings: changedSettings(defaultSettings, settings) };
  } catch (cause) {
    throw new CestaError('data.unreadable', `export: ${toCestaError(cause).message}`, { cause });
  }
}
