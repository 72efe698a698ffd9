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

/** @throws CestaError `transport.insecure` for an address that others reach, in the clear. */
export function requireSafeListener(host: string, isProtected: boolean): void {
  if (!isProtected && !isLoopbackHost(host)) {
    throw new CestaError('transport.insecure', `host: expected TLS, or an address of this machine alone, got ${host} without TLS`);
  }
}

/** The address under which this machine reaches a server of its own. */
export function reachableAddress(scheme: 'http' | 'https', host: string, port: number): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `${scheme}://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

/** Why a server cannot listen, of the error that the platform gave. */
export function listenError(error: Error & { readonly code?: string | undefined }, host: string, port: number): CestaError {
  if (error.code === 'EADDRINUSE') return new CestaError('network.port-in-use', `port: expected a free one, got ${port}, which is taken on ${host}`, { cause: error });
  return new CestaError('config.invalid', `host and port: expected an address of this machine that may be used, got ${host}:${port} (${error.code ?? error.message})`, { cause: error });
}
