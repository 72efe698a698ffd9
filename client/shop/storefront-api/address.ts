/**
 * Whose request it is, for limits alone: kept in memory for as long as a limit lasts, in no log and on no disk. Behind a
 * proxy that ends TLS the last entry of X-Forwarded-For counts, which is the one the proxy itself wrote.
 */
import type { IncomingMessage } from 'node:http';
import { networkOf } from '../../../shared/protocol/network-of.ts';

export function addressOf(request: IncomingMessage, behindTlsProxy: boolean): string {
  const own = request.socket.remoteAddress ?? 'unknown';
  if (!behindTlsProxy) return networkOf(own);
  const header = request.headers['x-forwarded-for'];
  const last = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',').at(-1)?.trim() ?? '';
  return networkOf(last === '' ? own : last.slice(0, 64));
}
