/**
 * The storefront API of a shop node: consents and their signed receipts, the rights of shoppers, events and rankings for the
 * shop's own backend. It listens on this machine alone unless it speaks TLS, or stands behind a proxy that does.
 */
import express, { type Express } from 'express';
import type { Logger } from 'pino';
import type { Catalogue } from '../../../shared/commerce/catalogue.ts';
import type { Dataset } from '../../../shared/datasets/dataset.ts';
import { isAllowed } from '../../../shared/policy/checks.ts';
import { requireNumber, toCestaError } from '../../../shared/protocol/errors.ts';
import { requireSafeListener } from '../../../shared/protocol/transport.ts';
import type { Fetch } from '../../http.ts';
import { systemTimers, type Timers } from '../../socket.ts';
import { openStateFolder } from '../state-folder.ts';
import { parseAbout } from './about.ts';
import { requirePermitted, type ShopPolicy } from './campaigns/campaign-policy.ts';
import { openCampaignRoom, parseCampaigns, type CampaignRoom } from './campaigns/campaign-room.ts';
import { campaignRoutes } from './campaigns/campaign-routes.ts';
import { consentRoutes } from './consent-routes.ts';
import { consentsFileName, openConsentBook } from './consent-book.ts';
import { documentRoutes } from './document-routes.ts';
import { eventRoutes } from './event-routes.ts';
import { eventsFileName, openEventStore } from './event-store.ts';
import { meRoutes } from './me-routes.ts';
import { chargeByAddress, chargeBySecret } from './limits.ts';
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
  /** Shoppers with a consent on record, withdrawn ones included; 200,000 by default. More are refused with `limit.capacity`. */
  readonly shoppersAtMost?: number;
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
/** Withdrawals and erasures with one secret. */
const deletionLimits = { burst: 30, perSecond: 0.5 };
/** Reports and choices of channels: an office behind one address has many devices. */
const measurementLimits = { burst: 60, perSecond: 0.5 };
/** Public shelves of one address. */
const shelfLimits = { burst: 100, perSecond: 10 };

/**
 * Serves consents, rights, events and shelves to a shop's pages and backend, until it is closed.
 * @throws CestaError `config.invalid`, `policy.violated`, `transport.insecure`, `network.port-in-use`, `storage.failed`
 * @example
 * const api = await startStorefrontApi({ shop: 'corner-shop', stateDir: '.cesta/shops', coordinator, about, logger: pino(), origins: ['https://shop.example'] });
 */
export async function startStorefrontApi(options: StorefrontApiOptions): Promise<StorefrontApi> {
  const { shop, host = '127.0.0.1', port = 0, tls, behindTlsProxy = false, timers = systemTimers } = options;
  const logger = options.logger.child({ shop, part: 'storefront' });
  requireSafeListener(host, tls !== undefined || behindTlsProxy);
  const { policy, ...rest } = options;
  const opened: (() => void)[] = [];
  const onOpened = (end: () => void): void => void opened.unshift(end);
  const close = (): void => opened.forEach((end) => end());
  try {
    const rooms = openRooms(options, onOpened);
    const ranking = startShopRanking({ ...rest, ...(policy === undefined ? {} : { policy: policy.lines }), coordinatorKey: options.coordinatorKey ?? rooms.coordinatorKey, logger, timers });
    onOpened(() => ranking.stop());
    // Whoever waits for it hears of it; nobody does when the start fails.
    ranking.ready.catch(() => undefined);
    const campaigns = openCampaignRoom({ ...rooms, file: rooms.campaignFile, categoryOf: (id) => categoryIn(ranking.held?.catalogue, id, policy), onOpened });
    rooms.onForgotten((isGone) => campaigns.contacts.erase(isGone));
    const server = createStorefrontServer(createApp(options, { ...rooms, ranking, campaigns, logger }), tls);
    onOpened(compactDaily(rooms, logger, timers));
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

function openRooms(options: StorefrontApiOptions, onOpened: (end: () => void) => void) {
  const { shop, stateDir, retentionDays = defaultRetentionDays, eventsPerShopper = defaultEventsPerShopper, dateMs = () => Date.now() } = options;
  const retention = { days: Math.floor(requireNumber('retentionDays', retentionDays, 1, 3_650)), eventsPerShopper: Math.floor(requireNumber('eventsPerShopper', eventsPerShopper, 1, 100_000)) };
  const about = parseAbout(options.about);
  const campaignFile = parseCampaigns(options.campaigns ?? {});
  if (options.policy !== undefined) requirePermitted(campaignFile, options.policy);
  const { path: folder, key, coordinatorKey } = openStateFolder(stateDir, shop);
  const keyOf = storeKeys(folder, [consentsFileName, eventsFileName]);
  const token = backendToken(folder);
  const consents = openConsentBook(folder, keyOf(consentsFileName), options.shoppersAtMost === undefined ? {} : { principalsAtMost: Math.floor(requireNumber('shoppersAtMost', options.shoppersAtMost, 1, 10_000_000)) });
  onOpened(() => consents.close());
  const events = openEventStore(folder, keyOf(eventsFileName), { retention, dateMs });
  onOpened(() => events.close());
  const forgetful = new Set<(isGone: (principal: string) => boolean) => void>();
  const shoppers = createShoppers(consents, events, (isGone) => forgetful.forEach((forget) => forget(isGone)));
  return { folder, about, campaignFile, key, token, coordinatorKey, consents, events, shoppers, onForgotten: (forget: (isGone: (principal: string) => boolean) => void) => void forgetful.add(forget), retentionDays: retention.days, dateMs };
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
  const by = { token, behindTlsProxy };
  const chargeDeletion = chargeBySecret(deletionLimits);
  app.use(consentRoutes({ ...parts, charge: chargeByAddress('consents', choiceLimits, by), chargeDeletion }));
  app.use(meRoutes({ ...parts, contacts: parts.campaigns.contacts, charge: chargeByAddress('me', choiceLimits, by), chargeDeletion }));
  app.use(eventRoutes(parts));
  app.use(rankingRoutes({ ...parts, charge: chargeByAddress('shelves', shelfLimits, by) }));
  app.use(campaignRoutes({ ...parts, room: parts.campaigns, charge: chargeByAddress('measurements', measurementsPerAddress, by) }));
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

const dayMs = 86_400_000;

/** What is older than the retention leaves the disk. Returns what stops it. */
function compactDaily({ events, consents }: Readonly<Record<'events' | 'consents', { compact(): void }>>, logger: Logger, timers: Timers): () => void {
  let cancel = timers.after(dayMs, compact);
  function compact(): void {
    try {
      events.compact();
      consents.compact();
    } catch (thrown) {
      const { code, message } = toCestaError(thrown);
      logger.error({ code, reason: message }, 'events and consents could not be compacted; trying again in a day');
    }
    cancel = timers.after(dayMs, compact);
  }
  return () => cancel();
}
