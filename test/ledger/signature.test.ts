import { hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { verifySignature } from '../../shared/ledger/signature.ts';
import { signingKey } from '../../shared/ledger/signing-key.ts';
import { bytesToHex, hexToBytes } from '../../shared/protocol/digest.ts';

// RFC 8032, section 7.1, test 3.
const rfcSecret = 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7';
const rfcPublic = 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025';
const rfcSignature = '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a';
const rfcMessage = Uint8Array.of(0xaf, 0x82);

describe('signatures', () => {
  it('match the published vector and verify', async () => {
    const key = signingKey(hexToBytes(rfcSecret));
    expect(key.publicKey).toBe(rfcPublic);
    expect(key.sign(rfcMessage)).toBe(rfcSignature);
    expect(await verifySignature(rfcPublic, rfcSignature, rfcMessage)).toBe(true);
  });

  it('do not verify for another message, key or signature, nor for malformed ones', async () => {
    const flipped = `${rfcSignature.slice(0, -2)}0b`;
    const otherKey = signingKey(new Uint8Array(32).fill(7)).publicKey;
    expect(await verifySignature(rfcPublic, rfcSignature, Uint8Array.of(0xaf))).toBe(false);
    expect(await verifySignature(otherKey, rfcSignature, rfcMessage)).toBe(false);
    expect(await verifySignature(rfcPublic, flipped, rfcMessage)).toBe(false);
    expect(await verifySignature(rfcPublic.toUpperCase(), rfcSignature, rfcMessage)).toBe(false);
    expect(await verifySignature('ff'.repeat(32), rfcSignature, rfcMessage)).toBe(false);
    expect(await verifySignature('', '', rfcMessage)).toBe(false);
  });

  it('verify in software where the platform knows no Ed25519', async () => {
    const platform = Object.getOwnPropertyDescriptor(globalThis, 'crypto');
    Object.defineProperty(globalThis, 'crypto', { value: undefined, configurable: true });
    try {
      expect(await verifySignature(rfcPublic, rfcSignature, rfcMessage)).toBe(true);
      expect(await verifySignature(rfcPublic, rfcSignature, Uint8Array.of(0))).toBe(false);
    } finally {
      if (platform !== undefined) Object.defineProperty(globalThis, 'crypto', platform);
    }
  });

  it('come from a key that gives other secrets for other purposes, as HKDF does (RFC 5869)', () => {
    const key = signingKey(hexToBytes(rfcSecret));
    for (const label of ['cesta/one/v1', 'cesta/two/v1']) {
      expect(bytesToHex(key.derive(label))).toBe(Buffer.from(hkdfSync('sha256', hexToBytes(rfcSecret), '', label, 32)).toString('hex'));
    }
  });

  it('need a secret of 32 bytes', () => {
    expect(() => signingKey(new Uint8Array(31))).toThrow('expected 32 bytes, got 31');
  });
});
