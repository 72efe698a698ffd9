/**
 * Whose request it is, for limits. Behind a proxy that ends TLS every socket is the proxy's: then, and only then, the last
 * entry of X-Forwarded-For counts, which is the one the proxy itself wrote.
 *
 * An IPv6 address counts as its first 64 bits: whoever has one has all the others behind them.
 */
import type { IncomingMessage } from 'node:http';
import { networkOf } from '../../shared/protocol/network-of.ts';

export function addressOf(request: IncomingMessage, behindProxy: boolean): string {
  const own = networkOf(request.socket.remoteAddress ?? 'unknown');
  if (!behindProxy) return own;
  const header = request.headers['x-forwarded-for'];
  const entries = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',');
  const last = entries[entries.length - 1].trim();
  return last === '' ? own : networkOf(last.slice(0, 64));
}
