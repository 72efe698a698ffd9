/**
 * Whose request it is, for limits. Behind a proxy that ends TLS every socket is the proxy's: then, and only then, the last
 * entry of X-Forwarded-For counts, which is the one the proxy itself wrote.
 *
 * An IPv6 address counts as its first 64 bits: whoever has one has all the others behind them.
 */
import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';

export function addressOf(request: IncomingMessage, behindProxy: boolean): string {
  const own = networkOf(request.socket.remoteAddress ?? 'unknown');
  if (!behindProxy) return own;
  const header = request.headers['x-forwarded-for'];
  const entries = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',');
  const last = entries[entries.length - 1].trim();
  return last === '' ? own : networkOf(last.slice(0, 64));
}

function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:(\d+(?:\.\d+){3})$/i.exec(address);
  if (mapped !== null) return mapped[1];
  const [head, tail = ''] = address.replace(/%.*$/, '').split('::', 2);
  const [before, after] = [groupsOf(head), groupsOf(tail)];
  const groups = [...before, ...Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0'), ...after];
  return `${groups.slice(0, 4).map((group) => parseInt(group, 16).toString(16)).join(':')}::/64`;
}

/** An address in IPv4 notation at the end stands for two groups, whose values no prefix of 64 bits needs. */
function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
}
