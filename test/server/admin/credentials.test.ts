import { describe, expect, it } from 'vitest';
import { createCredentials, openTotpSecret, operatorTokenHash } from '../../../server/admin/credentials.ts';
import { totpStep } from '../../../server/admin/totp.ts';
import { codeOf } from '../support/codes.ts';
import { nodeKey } from '../support/nodes.ts';

const key = nodeKey('coordinator');

describe('the credentials of an operator', () => {
  it('are a token of 256 bits and a secret that opens under the key of the coordinator', () => {
    const { shown, kept } = createCredentials(key, 'admin');
    expect(shown.token).toMatch(/^cesta_[0-9a-f]{64}$/);
    expect(kept).toEqual({ name: 'admin', tokenHash: operatorTokenHash(shown.token), totpSealed: expect.stringMatching(/^[0-9a-f]{96}$/) as string });
    const at = 1_800_000_000_000;
    expect(totpStep(openTotpSecret(key, kept) ?? new Uint8Array(1), codeOf(shown.otpauth, at), at)).toBe(60_000_000);
    expect(shown.otpauth).toMatch(/^otpauth:\/\/totp\/Cesta:admin.*secret=[A-Z2-7]{32}&/);
  });

  it('differ every time', () => {
    const [one, two] = [createCredentials(key, 'admin'), createCredentials(key, 'admin')];
    expect(one.shown.token).not.toBe(two.shown.token);
    expect(one.shown.otpauth).not.toBe(two.shown.otpauth);
  });

  it('are of no use to another coordinator, under another name or beside another token', () => {
    const { kept } = createCredentials(key, 'admin');
    const other = createCredentials(key, 'other').kept;
    expect(openTotpSecret(nodeKey('elsewhere'), kept)).toBeNull();
    expect(openTotpSecret(key, { ...kept, name: 'other' })).toBeNull();
    expect(openTotpSecret(key, { ...kept, tokenHash: other.tokenHash })).toBeNull();
    expect(openTotpSecret(key, { ...kept, totpSealed: other.totpSealed })).toBeNull();
  });

  it('are refused when the seal is damaged anywhere', () => {
    const { kept } = createCredentials(key, 'admin');
    for (const at of [0, 30, 95]) {
      const flipped = kept.totpSealed[at] === '0' ? '1' : '0';
      expect(openTotpSecret(key, { ...kept, totpSealed: kept.totpSealed.slice(0, at) + flipped + kept.totpSealed.slice(at + 1) })).toBeNull();
    }
    for (const totpSealed of ['', 'ab', 'zz'.repeat(48), `${kept.totpSealed}00`]) expect(openTotpSecret(key, { ...kept, totpSealed })).toBeNull();
  });
});
