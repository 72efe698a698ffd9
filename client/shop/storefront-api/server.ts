/** The HTTP server of a storefront API: its limits, its address, its end. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { CestaError } from '../../../shared/protocol/errors.ts';
import { idleMs, serverLimits } from '../../../shared/protocol/http-policy.ts';
import { listenError, reachableAddress } from '../../../shared/protocol/transport.ts';

/** PEM texts. */
export interface StorefrontTls {
  readonly cert: string;
  readonly key: string;
}

/** @throws CestaError `config.invalid` when certificate and key are damaged or do not belong together. */
export function createStorefrontServer(listener: RequestListener, tls: StorefrontTls | undefined): Server {
  const server = tls === undefined ? createServer(serverLimits, listener) : tlsServer(listener, tls);
  server.timeout = idleMs;
  return server;
}

function tlsServer(listener: RequestListener, { cert, key }: StorefrontTls): Server {
  try {
    return createTlsServer({ ...serverLimits, cert, key, minVersion: 'TLSv1.2', handshakeTimeout: 10_000 }, listener);
  } catch (cause) {
    throw new CestaError('config.invalid', `tls: expected a certificate and its key in PEM, got ${cause instanceof Error ? cause.message : 'others'}`, { cause });
  }
}

/**
 * @returns the address under which this machine reaches the server
 * @throws CestaError `network.port-in-use` or `config.invalid`
 */
export async function listen(server: Server, { host, port, isTls }: { readonly host: string; readonly port: number; readonly isTls: boolean }): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, host, port)));
    server.listen(port, host, resolve);
  });
  return reachableAddress(isTls ? 'https' : 'http', host, (server.address() as AddressInfo).port);
}

const graceMs = 1_000;

/** Lets answers under way finish, for as long as the grace. */
export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(timer);
}
