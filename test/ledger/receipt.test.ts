import { describe, expect, it } from 'vitest';
import { makeReceipt, receiptStatement, signedReceiptSchema, verifyReceipt, type ReceiptTerms } from '../../shared/ledger/receipt.ts';
import { signingKey } from '../../shared/ledger/signing-key.ts';

const coordinator = signingKey(new Uint8Array(32).fill(1));
const other = signingKey(new Uint8Array(32).fill(2));
const terms: ReceiptTerms = { round: 'main-1', planHash: 'a'.repeat(64), shop: 'corner', node: 'b'.repeat(64), sha256: 'c'.repeat(64) };
const signed = makeReceipt(coordinator, { ...terms, acceptedAt: '2026-01-02T03:04:05.000Z' });

describe('a receipt', () => {
  it('verifies for the report it is about', () => {
    expect(() => verifyReceipt(signed, terms, coordinator.publicKey)).not.toThrow();
    expect(signedReceiptSchema.parse(JSON.parse(JSON.stringify(signed)))).toEqual(signed);
  });

  it('is for one report of one shop in one round', () => {
    for (const [field, value] of Object.entries({ round: 'main-2', planHash: 'd'.repeat(64), shop: 'other', node: 'd'.repeat(64), sha256: 'd'.repeat(64) })) {
      expect(() => verifyReceipt(signed, { ...terms, [field]: value }, coordinator.publicKey)).toThrow(`receipt.${field}: expected ${value}`);
    }
  });

  it('is nobody else\'s word, and covers the time of acceptance', () => {
    expect(() => verifyReceipt(signed, terms, other.publicKey)).toThrow('expected a signature by the coordinator');
    const later = { ...signed, receipt: { ...signed.receipt, acceptedAt: '2026-01-03T03:04:05.000Z' } };
    expect(() => verifyReceipt(later, terms, coordinator.publicKey)).toThrow('expected a signature by the coordinator');
  });

  it('is signed under a domain of its own, in canonical form', () => {
    expect(new TextDecoder().decode(receiptStatement(signed.receipt))).toBe(
      `cesta/receipt/v1\n{"acceptedAt":"2026-01-02T03:04:05.000Z","node":"${terms.node}","planHash":"${terms.planHash}","round":"main-1","sha256":"${terms.sha256}","shop":"corner"}`,
    );
  });
});
