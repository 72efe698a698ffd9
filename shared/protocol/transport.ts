/** Where a connection may go unprotected: within one machine only. Everywhere else TLS keeps readers and writers out. */
import { CestaError } from './errors.ts';

/** Whether a host name or an address stays within this machine. Names other than `localhost` may resolve to anything. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.toLowerCase().replace(/^\[(.*)\]$/, '$1').replace(/^::ffff:(?=[0-9.]+$)/, '');
  return bare === 'localhost' || bare === '::1' || /^127(?:\.\d{1,3}){3}$/.test(bare);
}

/**
 * Refuses to speak in the clear to another machine. There is no way around it: whoever reads along would see when a shop
 * trains, and whoever writes along could feed it another catalogue.
 * @throws CestaError `transport.insecure`
 */
export function requireSecureAddress(field: string, address: URL): void {
  const isSecure = address.protocol === 'https:' || address.protocol === 'wss:';
  if (!isSecure && !isLoopbackHost(address.hostname)) {
    throw new CestaError('transport.insecure', `${field}: expected https: outside of this machine, got ${address.protocol}//${address.host}`);
  }
}
