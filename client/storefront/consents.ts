/** Consent on the record of the shop: a signed receipt for what was agreed to, and its withdrawal. */
import { verifyConsentReceipt } from '../../shared/commerce/consent-receipt.ts';
import type { Degree } from '../../shared/commerce/consent.ts';
import { bytesToHex } from '../../shared/protocol/digest.ts';
import { CestaError, toCestaError } from '../../shared/protocol/errors.ts';
import { addressBelow, requestJson, type Fetch } from '../http.ts';
import type { Withdrawal } from './choice.ts';
import type { HeldReceipt } from './profile.ts';

export interface ConsentGiven {
  readonly degree: Degree;
  /** Version. */
  readonly notice: string;
  readonly gpc: boolean;
  /** Null makes one. */
  readonly principal: string | null;
  /** Of the record that this one takes the place of. */
  readonly replaces: string | null;
  /** Ids of records that this device had before. */
  readonly known: readonly string[];
  readonly nowMs: number;
}

export interface ShopRecord {
  readonly shop: string;
  readonly fetch: Fetch;
  /** Pinned on this device; null believes the first one. */
  readonly shopKey: string | null;
  readonly onSent: (bytes: number) => void;
}

/**
 * @throws CestaError `consent.untrusted` for a receipt that does not say what was agreed to, or is not the shop's; and what the shop
 * answers, such as `consent.notice`, or that it does not
 */
export async function giveConsent({ shop, fetch, shopKey, onSent }: ShopRecord, given: ConsentGiven): Promise<HeldReceipt> {
  const principal = given.principal ?? bytesToHex(crypto.getRandomValues(new Uint8Array(16)));
  const { degree, notice, gpc, replaces, known } = given;
  const body = JSON.stringify({ principal, degree, notice, gpc, replaces });
  onSent(body.length);
  const { receipt, secret } = (await requestJson(fetch, addressBelow(shop, 'v1/consents'), { method: 'POST', body }) ?? {}) as { readonly receipt?: unknown; readonly secret?: unknown };
  if (typeof secret !== 'string' || !/^[0-9a-f]{64}$/.test(secret)) throw new CestaError('consent.untrusted', `secret: expected 32 bytes in lower-case hex, got ${typeof secret}`);
  return { receipt: await verifyConsentReceipt(receipt, { shopKey, principal, degree, notice, fresh: { nowMs: given.nowMs, known } }), secret };
}

/** Whether the shop knows of it now, or never knew the consent. */
export async function withdrawConsent({ shop, fetch }: Pick<ShopRecord, 'shop' | 'fetch'>, { id, secret }: Withdrawal): Promise<boolean> {
  try {
    await requestJson(fetch, addressBelow(shop, `v1/consents/${id}`), { method: 'DELETE', headers: { Authorization: `Bearer ${secret}` } });
    return true;
  } catch (thrown) {
    return toCestaError(thrown).code === 'consent.unknown';
  }
}
