import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { checkCertificateSignature, checkCertificateTerms, issueCertificate, longestValidityMs, type NodeCert } from '../../shared/identity/certificate.ts';
import { fingerprintOf } from '../../shared/identity/fingerprint.ts';
import { signingKey } from '../../shared/ledger/signing-key.ts';
import { codeOf } from '../client/fakes.ts';

const coordinator = signingKey(randomBytes(32));
const node = signingKey(randomBytes(32)).publicKey;
const start = Date.parse('2026-03-01T00:00:00Z');
const signed = issueCertificate(coordinator, { node, shop: 'Corner-Shop', organisation: 'corner' }, start);
const termsOf = (changes: Partial<NodeCert>, presentation: object = {}) => codeOf(() => checkCertificateTerms({ ...signed, cert: { ...signed.cert, ...changes } }, { node, shop: 'corner-shop', atMs: start + 1, ...presentation }));

describe('a node certificate', () => {
  it('is good for its key and its shop, in any case of letters, for 90 days', async () => {
    expect(await termsOf({})).toBe('no error');
    expect(await termsOf({}, { atMs: start + longestValidityMs - 1 })).toBe('no error');
    expect(Date.parse(signed.cert.notAfter) - Date.parse(signed.cert.notBefore)).toBe(90 * 24 * 3600 * 1000);
    await checkCertificateSignature(signed, coordinator.publicKey);
  });

  it.each<[string, string, Partial<NodeCert>, object]>([
    ['another key', 'enrolment.certificate-invalid', {}, { node: '0'.repeat(64) }],
    ['another shop', 'enrolment.certificate-invalid', {}, { shop: 'other' }],
    ['a day after its end', 'enrolment.certificate-expired', {}, { atMs: start + longestValidityMs }],
    ['a moment before its start', 'enrolment.certificate-invalid', {}, { atMs: start - 120_001 }],
    ['longer than 90 days', 'enrolment.certificate-invalid', { notAfter: new Date(start + longestValidityMs + 1).toISOString() }, {}],
    ['less than no time', 'enrolment.certificate-invalid', { notAfter: signed.cert.notBefore }, {}],
    ['no role', 'enrolment.certificate-invalid', { roles: [] }, {}],
  ])('is no good for %s: %s', async (_what, code, changes, presentation) => {
    expect(await termsOf(changes, presentation)).toBe(code);
  });

  it('is no good when another coordinator signed it, or a field was changed', async () => {
    expect(await codeOf(() => checkCertificateSignature(signed, node))).toBe('enrolment.certificate-invalid');
    expect(await codeOf(() => checkCertificateSignature({ ...signed, cert: { ...signed.cert, organisation: 'other' } }, coordinator.publicKey))).toBe('enrolment.certificate-invalid');
  });
});

describe('a fingerprint', () => {
  it('is the start of the SHA-256 of the key, in groups that can be read out', () => {
    expect(fingerprintOf('00'.repeat(32))).toBe('6668 7aad f862 bd77 6c8f c18b 8e9f 8e20');
  });
});
