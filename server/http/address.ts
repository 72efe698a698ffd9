/**
 * Whose request it is, for limits. Behind a proxy that ends TLS every socket is the proxy's: then, and only then, the last
 * entry of X-Forwarded-For counts, which is the one the proxy itself wrote.
 */
import type { IncomingMessage } from 'node:http';

export function addressOf(request: IncomingMessage, behindProxy: boolean): string {
  const own = request.socket.remoteAddress ?? 'unknown';
  if (!behindProxy) return own;
  const header = request.headers['x-forwarded-for'];
  const entries = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',');
  const last = entries[entries.length - 1].trim();
  return last === '' ? own : last.slice(0, 64);
}
