/**
 * The server's side of TLS. Outside of this machine a coordinator speaks TLS itself or stands behind a proxy that does;
 * with `clientCa`, peers without a certificate of that authority are not even heard (mutual TLS).
 *
 * Security: TLS hides what is said and to whom; who a node is, its own key proves, so a proxy that ends TLS cannot pose as
 * a shop. A proxy must write X-Forwarded-For itself, since limits by address rely on it.
 */
import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:https';
import { CestaError } from '../shared/protocol/errors.ts';
import { serverLimits } from '../shared/protocol/http-policy.ts';
import { requireSafeListener } from '../shared/protocol/transport.ts';
import { createHttpServer, limited, trackSockets } from './listen.ts';

/** PEM texts. */
export interface ServerTls {
  readonly cert: string;
  readonly key: string;
  /** Authority of client certificates: with it, every peer needs one. */
  readonly clientCa?: string;
}

export interface Transport {
  readonly host: string;
  readonly tls?: ServerTls;
  readonly behindTlsProxy?: boolean;
}

/** @throws CestaError `transport.insecure` for an address that others reach, in the clear. */
export function requireSafeTransport({ host, tls, behindTlsProxy = false }: Transport): void {
  requireSafeListener(host, tls !== undefined || behindTlsProxy);
}

/** @throws CestaError `config.invalid` when certificate and key are damaged or do not belong together. */
export function createTransportServer(listener: RequestListener, tls: ServerTls | undefined): Server {
  if (tls === undefined) return createHttpServer(listener);
  const { cert, key, clientCa } = tls;
  try {
    return trackSockets(limited(createServer({ ...serverLimits, cert, key, minVersion: 'TLSv1.2', handshakeTimeout: 10_000, ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true }) }, listener)));
  } catch (cause) {
    throw new CestaError('config.invalid', `tls: expected a certificate and its key in PEM, got ${cause instanceof Error ? cause.message : 'others'}`, { cause });
  }
}
