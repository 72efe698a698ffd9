/**
 * The storefront API of a shop node: consents and their signed receipts, the rights of shoppers, events and rankings for the
 * shop's own backend. It listens on this machine alone unless it speaks TLS, or stands behind a proxy that does.
 */
import express, { type Express, type Request } from 'express';
import type { Logger } from 'pino';
import type { Catalogue } from '../../../shared/commerce/catalogue.ts';
import type { Dataset } from '../../../shared/datasets/dataset.ts';
import { isAllowed } from '../../../shared/policy/checks.ts';
import { CestaError, requireNumber, toCestaError } from '../../../shared/protocol/errors.ts';
import { createTokenBuckets } from '../../../shared/protocol/token-buckets.ts';
import { requireSafeListener } from '../../../shared/protocol/transport.ts';
import type { Fetch } from '../../http.ts';
import { systemTimers, type Timers } from '../../socket.ts';
import { openStateFolder } from '../state-folder.ts';
import { parseAbout } from './about.ts';
import { addressOf } from './address.ts';
import { requirePermitted, type ShopPolicy } from './campaigns/campaign-policy.ts';
import { openCampaignRoom, orClosing, parseCampaigns, type CampaignRoom } from './campaigns/campaign-room.ts';
import { campaignRoutes } from './campaigns/campaign-routes.ts';
import { consentRoutes } from './consent-routes.ts';
import { consentsFileName, openConsentBook } from './consent-book.ts';
import { documentRoutes } from './document-routes.ts';
import { eventRoutes } from './event-routes.ts';
import { eventsFileName, openEventStore } from './event-store.ts';
import { meRoutes } from './me-routes.ts';
import { allowOrigins, answerErrors, logRequests, notFound, requireBackend, setHeaders } from './middleware.ts';
import { storefrontOpenApi } from './openapi.ts';
import { rankingRoutes } from './ranking-routes.ts';
import { closeServer, createStorefrontServer, listen, type StorefrontTls } from './server.ts';
import { createShoppers } from './shoppers.ts';
import { startShopRanking, type ShopRanking } from './shop-ranking.ts';
import { backendToken, storeKeys } from './store-files.ts';
import { trainingData } from './training-data.ts';

export interface StorefrontApiOptions {
  readonly shop: string;
  /** As of the shop node: key, sealed files and the token of the backend are in a folder of the shop's name below it. */
  readonly stateDir: string;
  /** Whose releases are ranked with. */
  readonly coordinator: URL;
  /** The key they must be signed with; by default the one that the shop node pinned, else the one seen first. */
  readonly coordinatorKey?: string;
  /** The task whose releases are ranked with; by default the main one of the coordinator. */
  readonly task?: string;
  readonly logger: Logger;
  /** As `aboutSchema`: what stands in receipts and in the public manifest. */
  readonly about: unknown;
  /** As `campaignFileSchema`: offers that are sent to all pages, and experiments; none by default. */
  readonly campaigns?: unknown;
  /** What it bans is on no shelf and in no campaign; nothing by default. */
  readonly policy?: ShopPolicy;
  /** Randomised reports of one address; by default 60, and then one in two seconds. */
  readonly measurementsPerAddress?: { readonly burst: number; readonly perSecond: number };
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
  /** Of one shopper, the newest; 1,000 by default. */
  readonly eventsPerShopper?: number;
  readonly fetch?: Fetch;
  /** Unix time in milliseconds. */
  readonly dateMs?: () => number;
  readonly timers?: Timers;
}

export interface StorefrontApi {
  /** The address under which this machine reaches it. */
  readonly url: string;
  /** Resolves when there is a release to rank with; rejects when the first request for one fails. It is asked for again every minute. */
  readonly ready: Promise<void>;
  /** These data, joined with what shoppers of degree 3 did since; choices on record count for all of it. */
  join(files: Dataset): Dataset;
  /** Resolves when the port is free again and the files are closed. */
  close(): Promise<void>;
}

/** Choices of one address: nobody changes their mind more often. */
const choiceLimits = { burst: 30, perSecond: 0.5 };
/** Reports and choices of channels: an office behind one address has many devices. */
const measurementLimits = { burst: 60, perSecond: 0.5 };
/** Public shelves of one address. */
const shelfLimits = { burst: 100, perSecond: 10 };

/**
 * @throws CestaError `config.invalid`, `policy.violated`, `transport.insecure`, `network.port-in-use`, `storage.failed`
 * @example
 * const api = await startStorefrontApi({ shop: 'corner-shop', stateDir: '.cesta/shops', coordinator, about, logger: pino(), origins: ['https://shop.example'] });
 */
export async function startStorefrontApi(options: StorefrontApiOptions): Promise<StorefrontApi> {
  const { shop, host = '127.0.0.1', port = 0, tls, behindTlsProxy = false, timers = systemTimers } = options;
  const logger = options.logger.child({ shop, part: 'storefront' });
  requireSafeListener(host, tls !== undefined || behindTlsProxy);
  const rooms = openRooms(options);
  const { policy, ...rest } = options;
  const ranking = startShopRanking({ ...rest, ...(policy === undefined ? {} : { policy: policy.lines }), coordinatorKey: options.coordinatorKey ?? rooms.coordinatorKey, logger, timers });
  const closeRooms = (): void => {
    ranking.stop();
    rooms.events.close();
    rooms.consents.close();
  };
  const campaigns = orClosing(closeRooms, () => openCampaignRoom({ ...rooms, file: rooms.campaignFile, categoryOf: (id) => categoryIn(ranking.held?.catalogue, id, policy) }));
  rooms.onSettled(() => campaigns.settle());
  const server = createStorefrontServer(createApp(options, { ...rooms, ranking, campaigns, logger }), tls);
  const stopCompaction = compactDaily(rooms, logger, timers);
  const close = (): void => {
    stopCompaction();
    campaigns.close();
    closeRooms();
  };
  try {
    const url = await listen(server, { host, port, isTls: tls !== undefined });
    return {
      url,
      ready: ranking.ready,
      join: (files) => trainingData(files, rooms),
      close: () => closeServer(server).then(close),
    };
  } catch (thrown) {
    close();
    throw thrown;
  }
}

const defaultRetentionDays = 365;
const defaultEventsPerShopper = 1_000;

function openRooms(options: StorefrontApiOptions) {
  const { shop, stateDir, retentionDays = defaultRetentionDays, eventsPerShopper = defaultEventsPerShopper, dateMs = () => Date.now() } = options;
  const retention = { days: Math.floor(requireNumber('retentionDays', retentionDays, 1, 3_650)), eventsPerShopper: Math.floor(requireNumber('eventsPerShopper', eventsPerShopper, 1, 100_000)) };
  const about = parseAbout(options.about);
  const campaignFile = parseCampaigns(options.campaigns ?? {});
  if (options.policy !== undefined) requirePermitted(campaignFile, options.policy);
  const { path: folder, key, coordinatorKey } = openStateFolder(stateDir, shop);
  const keyOf = storeKeys(folder, [consentsFileName, eventsFileName]);
  const token = backendToken(folder);
  const consents = openConsentBook(folder, keyOf(consentsFileName));
  const events = openEventStore(folder, keyOf(eventsFileName), { retention, dateMs });
  const settled = new Set<() => void>();
  const shoppers = createShoppers(consents, events, () => settled.forEach((hear) => hear()));
  return { folder, about, campaignFile, key, token, coordinatorKey, consents, events, shoppers, onSettled: (hear: () => void) => void settled.add(hear), retentionDays: retention.days, dateMs };
}

interface Parts extends ReturnType<typeof openRooms> {
  readonly ranking: ShopRanking;
  readonly campaigns: CampaignRoom;
  readonly logger: Logger;
}

function createApp({ shop, tls, behindTlsProxy = false, origins = [], measurementsPerAddress = measurementLimits }: StorefrontApiOptions, parts: Parts): Express {
  const { logger, ranking, token } = parts;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(logRequests(logger, () => performance.now()), setHeaders(tls !== undefined || behindTlsProxy));
  app.use(['/v1/consents', '/v1/me', '/v1/similar', '/v1/trending', '/v1/offers', '/v1/measurements', '/v1/channels', '/.well-known'], allowOrigins(origins));
  app.use(['/v1/events', '/v1/recommend'], requireBackend(token));
  app.use(documentRoutes({ ...parts, shop, publicKey: parts.key.publicKey, release: () => ranking.held, openApi: storefrontOpenApi }));
  app.use(consentRoutes({ ...parts, charge: chargeBy('consents', choiceLimits, behindTlsProxy) }));
  app.use(meRoutes({ ...parts, charge: chargeBy('me', choiceLimits, behindTlsProxy) }));
  app.use(eventRoutes(parts));
  app.use(rankingRoutes({ ...parts, charge: chargeBy('shelves', shelfLimits, behindTlsProxy) }));
  app.use(campaignRoutes({ ...parts, room: parts.campaigns, charge: chargeBy('measurements', measurementsPerAddress, behindTlsProxy) }));
  app.use(notFound);
  app.use(answerErrors(logger));
  return app;
}

/** None of what is banned: no audience is picked by it. */
function categoryIn(catalogue: Catalogue | undefined, id: string, policy: ShopPolicy | undefined): string | undefined {
  const item = catalogue?.indexOf.get(id);
  const product = item === undefined ? undefined : catalogue?.products[item];
  return product === undefined || (policy !== undefined && !isAllowed(policy.lines, product)) ? undefined : product.category;
}

/** Addresses are in memory for as long as they matter to the limit, and nowhere else. */
function chargeBy(what: string, limits: Parameters<typeof createTokenBuckets>[0], behindTlsProxy: boolean): (request: Request) => void {
  const buckets = createTokenBuckets(limits, () => performance.now());
  return (request) => {
    if (!buckets.take(addressOf(request, behindTlsProxy))) throw new CestaError('limit.rate', `${what}: expected fewer requests from one address`);
  };
}

const dayMs = 86_400_000;

/** What is older than the retention leaves the disk. Returns what stops it. */
function compactDaily({ events }: { readonly events: { compact(): void } }, logger: Logger, timers: Timers): () => void {
  let cancel = timers.after(dayMs, compact);
  function compact(): void {
    try {
      events.compact();
    } catch (thrown) {
      const { code, message } = toCestaError(thrown);
      logger.error({ code, reason: message }, 'events could not be compacted; trying again in a day');
    }
    cancel = timers.after(dayMs, compact);
  }
  return () => cancel();
}
