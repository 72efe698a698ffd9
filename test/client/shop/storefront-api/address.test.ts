import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { addressOf } from '../../../../client/shop/storefront-api/address.ts';

const from = (remoteAddress: string | undefined, forwarded?: string): IncomingMessage => ({ socket: { remoteAddress }, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } }) as unknown as IncomingMessage;

describe('whose request a shop node takes it for', () => {
  it('is one network of IPv6, however its addresses are written', () => {
    for (const address of ['2001:db8::1', '2001:db8::ffff:1', '2001:db8:0:0:1::2', '2001:db8:0:0:a:b:c:d']) {
      expect(addressOf(from(address), false)).toBe('2001:db8:0:0::/64');
      expect(addressOf(from('127.0.0.1', `9.9.9.9, ${address}`), true)).toBe('2001:db8:0:0::/64');
    }
    expect(addressOf(from('::ffff:192.0.2.1'), false)).toBe('192.0.2.1');
  });

  it('is that of the socket unless a proxy says otherwise', () => {
    expect(addressOf(from('192.0.2.1', '192.0.2.9'), false)).toBe('192.0.2.1');
    expect(addressOf(from('192.0.2.1'), true)).toBe('192.0.2.1');
    expect(addressOf(from(undefined), false)).toBe('unknown');
  });
});
