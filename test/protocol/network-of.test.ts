import { isIPv6 } from 'node:net';
import { describe, expect, it } from 'vitest';
import { networkOf } from '../../shared/protocol/network-of.ts';

describe('the network of an address', () => {
  it.each(['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::99', '2001:db8:1:2:0::', '2001:0DB8:0001:0002::', '2001:db8:1:2:3:4:192.0.2.1', '2001:db8:1:2::1%eth0'])('of %s is that of all others with its first 64 bits', (address) => {
    expect(networkOf(address)).toBe('2001:db8:1:2::/64');
  });

  it.each([['2001:db8::7', '2001:db8:0:0::/64'], ['::1', '0:0:0:0::/64'], ['::', '0:0:0:0::/64'], ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64']])('fills in what %s leaves out', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it('of IPv4 is the address, also when it is written as IPv6', () => {
    expect(networkOf('192.0.2.1')).toBe('192.0.2.1');
    expect(networkOf('::ffff:192.0.2.1')).toBe('192.0.2.1');
  });

  it.each(['', 'unknown', ':', ':::', '1::2::3', '1:2:3', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7:8::', 'g::1', '12345::', '192.0.2.1::'])('of %j, which is no address, is what was said', (text) => {
    expect(isIPv6(text)).toBe(false);
    expect(networkOf(text)).toBe(text);
  });
});
