import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAbout } from '../../client/shop/storefront-api/about.ts';
import { makeConsentRecord } from '../../client/shop/storefront-api/consent-record.ts';
import { consentReceiptSchema, consentStatement, purposesOf, signConsent, verifyConsentReceipt, type ConsentReceipt } from '../../shared/commerce/consent-receipt.ts';
import { signingKey } from '../../shared/ledger/signing-key.ts';
import { codeOf } from '../client/fakes.ts';
import { choice, golden } from './golden-consent.ts';

const text = readFileSync(new URL('../fixtures/consent/receipt.json', import.meta.url), 'utf8');
const receipt = consentReceiptSchema.parse(JSON.parse(text));
const key = signingKey(golden.secret);
const terms = { shopKey: key.publicKey, principal: choice.principal, degree: 3, notice: '2026-03' } as const;

describe('a consent receipt', () => {
  it('has the bytes of the golden file', () => {
    const made = signConsent(key, makeConsentRecord(parseAbout(golden.about), choice));
    expect(`${JSON.stringify(made, null, 2)}\n`).toBe(text);
  });

  it('is signed so that any Ed25519 library can check it', () => {
    const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(receipt.publicKey, 'hex')]);
    const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' });
    expect(verify(null, consentStatement(receipt.record), publicKey, Buffer.from(receipt.signature, 'hex'))).toBe(true);
    expect(new TextDecoder().decode(consentStatement(receipt.record))).toMatch(/^cesta\/consent\/v1\n\{"collection_method":/);
  });

  it('is what was agreed to, for a device that knows what that was', async () => {
    expect(await verifyConsentReceipt(JSON.parse(text), terms)).toEqual(receipt);
    expect(await verifyConsentReceipt(JSON.parse(text), { ...terms, shopKey: null })).toEqual(receipt);
  });

  it('is refused for another choice, another principal, another notice or another shop', async () => {
    for (const changes of [{ degree: 2 as const }, { principal: '00'.repeat(16) }, { notice: '2026-04' }, { shopKey: '00'.repeat(32) }]) {
      expect(await codeOf(() => verifyConsentReceipt(receipt, { ...terms, ...changes }))).toBe('consent.untrusted');
    }
  });

  it('is refused when a word of its record was changed, or purposes beyond the degree were written in', async () => {
    const changed: ConsentReceipt[] = [
      { ...receipt, record: { ...receipt.record, recipients: [] } },
      { ...receipt, record: { ...receipt.record, gpc: false } },
      { ...receipt, signature: 'f'.repeat(128) },
      signConsent(key, { ...receipt.record, degree: 2 }),
    ];
    for (const one of changed.slice(0, 3)) expect(await codeOf(() => verifyConsentReceipt(one, terms))).toBe('consent.untrusted');
    expect(await codeOf(() => verifyConsentReceipt(changed[3], { ...terms, degree: 2 }))).toBe('consent.untrusted');
  });

  it('is no consent once it is withdrawn, nor one of another degree', async () => {
    const time = '2026-03-03T00:00:00.000Z';
    const gone = signConsent(key, { ...receipt.record, events: [...receipt.record.events, { kind: 'withdrawn', degree: 0, time }] });
    expect(await codeOf(() => verifyConsentReceipt(gone, terms))).toBe('consent.untrusted');
    expect(await verifyConsentReceipt(gone, { ...terms, last: 'withdrawn' })).toEqual(gone);
    expect(await codeOf(() => verifyConsentReceipt(receipt, { ...terms, last: 'withdrawn' }))).toBe('consent.untrusted');
    const other = signConsent(key, { ...receipt.record, events: [{ kind: 'given', degree: 2, time }] });
    expect(await codeOf(() => verifyConsentReceipt(other, terms))).toBe('consent.untrusted');
  });

  it('is not taken again where one was asked for just now', async () => {
    const givenMs = Date.parse(choice.time);
    const minute = 60_000;
    for (const nowMs of [givenMs - 9 * minute, givenMs + 9 * minute]) expect(await verifyConsentReceipt(receipt, { ...terms, fresh: { nowMs, known: [] } })).toEqual(receipt);
    for (const fresh of [{ nowMs: givenMs + 11 * minute, known: [] }, { nowMs: givenMs - 11 * minute, known: [] }, { nowMs: givenMs, known: [choice.recordId] }]) expect(await codeOf(() => verifyConsentReceipt(receipt, { ...terms, fresh }))).toBe('consent.untrusted');
  });

  it('is refused, and never trusted, whatever else is answered', async () => {
    await fc.assert(fc.asyncProperty(fc.jsonValue(), async (answered) => {
      expect(await codeOf(() => verifyConsentReceipt(answered, terms))).toBe('consent.untrusted');
    }), { numRuns: 50 });
  });

  it('names the purposes of its degree and no other', () => {
    expect([0, 1, 2, 3].map((degree) => purposesOf(degree as 0 | 1 | 2 | 3).join())).toEqual(['', 'recommend', 'recommend', 'recommend,improve,measure']);
  });
});
