import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { addressOf } from '../../../server/http/address.ts';

const from = (remoteAddress: string | undefined, forwarded?: string): IncomingMessage => ({ socket: { remoteAddress }, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } }) as unknown as IncomingMessage;

describe('whose request it is', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::99', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8::7', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ])('%s counts as %s', (address, network) => {
    expect(addressOf(from(address), false)).toBe(network);
    expect(addressOf(from('127.0.0.1', `9.9.9.9, ${address}`), true)).toBe(network);
  });

  it('is that of the socket unless a proxy says otherwise, and what a proxy says is no longer than an address', () => {
    expect(addressOf(from('192.0.2.1', '192.0.2.9'), false)).toBe('192.0.2.1');
    expect(addressOf(from('192.0.2.1'), true)).toBe('192.0.2.1');
    expect(addressOf(from('192.0.2.1', 'x'.repeat(1_000)), true)).toHaveLength(64);
    expect(addressOf(from(undefined), false)).toBe('unknown');
  });
});
