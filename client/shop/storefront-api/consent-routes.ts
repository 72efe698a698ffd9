/**
 * What a shopper agrees to, takes back, and asks for: the routes that pages call. Bodies hold a choice and nothing else: no
 * item, no name, no address has a field here.
 */
import { randomBytes } from 'node:crypto';
import { Router } from 'express';
import { z } from 'zod';
import type { SigningKey } from '../../../shared/ledger/signing-key.ts';
import { principalSchema, signConsent, type ConsentReceipt } from '../../../shared/commerce/consent-receipt.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';
import type { About } from './about.ts';
import { makeConsentRecord } from './consent-record.ts';
import type { Charge } from './limits.ts';
import { isBackend, readBody, secretOf } from './middleware.ts';
import type { Shoppers } from './shoppers.ts';

const maxBodyBytes = 2_048;

export const consentRequestSchema = z.strictObject({
  principal: principalSchema,
  /** Nobody agrees to degree 0: that is a withdrawal, or no choice yet. */
  degree: z.union([z.literal(1), z.literal(2), z.literal(3)]),
  /** Version of the notice that was shown. */
  notice: z.string().min(1).max(64),
  /** The page saw Global Privacy Control and said so to the person. */
  gpc: z.boolean().default(false),
  replaces: z.string().regex(/^[0-9a-f]{32}$/).nullable().default(null),
  /** The shop's own name for the shopper: taken from its backend only. */
  shopper_id: z.string().trim().min(1).max(256).optional(),
});

export interface ConsentRoutesContext {
  readonly about: About;
  readonly key: Pick<SigningKey, 'publicKey' | 'sign'>;
  readonly token: string;
  readonly shoppers: Pick<Shoppers, 'give' | 'withdraw'>;
  readonly retentionDays: number;
  /** Unix time in milliseconds. */
  readonly dateMs: () => number;
  readonly charge: Charge;
  /** Of withdrawals and erasures. */
  readonly chargeDeletion: Charge;
}

export function consentRoutes({ about, key, token, shoppers, retentionDays, dateMs, charge, chargeDeletion }: ConsentRoutesContext): Router {
  const router = Router();
  router.post('/v1/consents', async (request, response) => {
    charge(request);
    const asked = await readBody(request, consentRequestSchema, maxBodyBytes);
    if (asked.shopper_id !== undefined && !isBackend(request, token)) throw new CestaError('shop.unauthorised', 'shopper_id: expected it from the backend of this shop only');
    const signal = request.get('Sec-GPC')?.trim() === '1';
    // A page that does not pass the signal on has not shown it to anybody.
    if (signal && !asked.gpc && asked.degree === 3) throw new CestaError('consent.capped', 'degree: expected at most 2 under Global Privacy Control, unless the person was told of it, got 3');
    const record = makeConsentRecord(about, { ...asked, gpc: asked.gpc || signal, recordId: randomBytes(16).toString('hex'), time: new Date(dateMs()).toISOString(), retentionDays });
    const { secret } = shoppers.give({ record, shopperId: asked.shopper_id ?? null, replaces: asked.replaces });
    const receipt: ConsentReceipt = signConsent(key, record);
    response.status(201).json({ receipt, secret });
  });
  router.delete('/v1/consents/:id', (request, response) => {
    chargeDeletion(request);
    const record = shoppers.withdraw(request.params.id, secretOf(request), new Date(dateMs()).toISOString());
    response.json({ receipt: signConsent(key, record) });
  });
  return router;
}
