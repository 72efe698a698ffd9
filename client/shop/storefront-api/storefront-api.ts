/**
 * The storefront API of a shop node: consents and their signed receipts, the rights of shoppers, events and rankings for the
 * shop's own backend. It listens on this machine alone unless it speaks TLS, or stands behind a proxy that does.
 */
import express, { type Express, type Request } from 'express';
import type { Logger } from 'pino';
import { CestaError } from '../../../shared/protocol/errors.ts';
import { createTokenBuckets } from '../../../shared/protocol/token-buckets.ts';
import { requireSafeListener } from '../../../shared/protocol/transport.ts';
import { openStateFolder } from '../state-folder.ts';
import { parseAbout } from './about.ts';
import { addressOf } from './address.ts';
import { consentRoutes } from './consent-routes.ts';
import { consentsFileName, openConsentBook } from './consent-book.ts';
import { allowOrigins, answerErrors, logRequests, notFound, setHeaders } from './middleware.ts';
import { closeServer, createStorefrontServer, listen, type StorefrontTls } from './server.ts';
import { backendToken, storeKeys } from './store-files.ts';

export interface StorefrontApiOptions {
  readonly shop: string;
  /** As of the shop node: key, sealed files and the token of the backend are in a folder of the shop's name below it. */
  readonly stateDir: string;
  readonly logger: Logger;
  /** As `aboutSchema`: what stands in receipts and in the public manifest. */
  readonly about: unknown;
  /** 0, the default, for any that is free. */
  readonly port?: number;
  /** `127.0.0.1` by default. */
  readonly host?: string;
  readonly tls?: StorefrontTls;
  /** A proxy that ends TLS stands before it, and writes X-Forwarded-For itself. */
  readonly behindTlsProxy?: boolean;
  /** Origins whose pages may call the routes of shoppers, such as `https://shop.example`; none by default. */
  readonly origins?: readonly string[];
  /** How long events are kept; 365 by default. */
  readonly retentionDays?: number;
  /** Unix time in milliseconds. */
  readonly dateMs?: () => number;
}

export interface StorefrontApi {
  /** The address under which this machine reaches it. */
  readonly url: string;
  /** Resolves when the port is free again and the files are closed. */
  close(): Promise<void>;
}

/** Choices of one address: nobody changes their mind more often. */
const choiceLimits = { burst: 30, perSecond: 0.5 };

/**
 * @throws CestaError `config.invalid`, `transport.insecure`, `network.port-in-use`, `storage.failed`
 * @example
 * const api = await startStorefrontApi({ shop: 'corner-shop', stateDir: '.cesta/shops', about, logger: pino(), origins: ['https://shop.example'] });
 */
export async function startStorefrontApi(options: StorefrontApiOptions): Promise<StorefrontApi> {
  const { shop, stateDir, host = '127.0.0.1', port = 0, tls, behindTlsProxy = false, origins = [], retentionDays = 365, dateMs = () => Date.now() } = options;
  const logger = options.logger.child({ shop, part: 'storefront' });
  requireSafeListener(host, tls !== undefined || behindTlsProxy);
  const about = parseAbout(options.about);
  const { path: folder, key } = openStateFolder(stateDir, shop);
  const token = backendToken(folder);
  const keyOf = storeKeys(folder, [consentsFileName]);
  const consents = openConsentBook(folder, keyOf(consentsFileName));
  const buckets = createTokenBuckets(choiceLimits, () => performance.now());
  const charge = (request: Request): void => {
    if (!buckets.take(addressOf(request, behindTlsProxy))) throw new CestaError('limit.rate', 'consents: expected fewer requests from one address');
  };
  const app = createApp({ logger, isTls: tls !== undefined || behindTlsProxy });
  app.use(['/v1/consents', '/v1/me'], allowOrigins(origins));
  app.use(consentRoutes({ about, key, token, consents, retentionDays, dateMs, charge }));
  app.use(notFound);
  app.use(answerErrors(logger));
  const server = createStorefrontServer(app, tls);
  const url = await listen(server, { host, port, isTls: tls !== undefined });
  return {
    url,
    async close() {
      await closeServer(server);
      consents.close();
    },
  };
}

function createApp({ logger, isTls }: { readonly logger: Logger; readonly isTls: boolean }): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(logRequests(logger, () => performance.now()), setHeaders(isTls));
  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }));
  return app;
}
