import { describe, expect, it } from 'vitest';
import { nodeSigningKey } from '../../server/node-signing-key.ts';
import { signingKey } from '../../shared/ledger/signing-key.ts';
import { hexToBytes } from '../../shared/protocol/digest.ts';

describe('signing keys of the platform', () => {
  it('match the published vector', () => {
    // RFC 8032, section 7.1, test 3.
    const key = nodeSigningKey(hexToBytes('c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7'));
    expect(key.publicKey).toBe('fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025');
    expect(key.sign(Uint8Array.of(0xaf, 0x82))).toBe('6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a');
  });

  it('sign like those in software, whatever is signed', () => {
    for (let length = 0; length < 300; length += 37) {
      const secret = new Uint8Array(32).fill(length);
      expect(nodeSigningKey(secret).sign(new Uint8Array(length).fill(9))).toBe(signingKey(secret).sign(new Uint8Array(length).fill(9)));
    }
  });

  it('refuse a secret of another length', () => {
    expect(() => nodeSigningKey(new Uint8Array(31))).toThrow('expected 32 bytes, got 31');
  });
});
