/** The options of the storefront API that `cesta join` serves beside the rounds. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Logger } from 'pino';
import type { Fetch } from '../../client/http.ts';
import type { StorefrontApi } from '../../client/shop/storefront-api/storefront-api.ts';
import type { ShopPolicy } from '../../client/shop/storefront-api/campaigns/campaign-policy.ts';
import { enforcePolicy } from '../../shared/policy/checks.ts';
import { CestaError, toCestaError } from '../../shared/protocol/errors.ts';
import { collect, integerIn, webOrigin } from './options.ts';
import { readPem } from './tls-options.ts';

export interface StorefrontOptions {
  storefront?: number;
  storefrontHost?: string;
  about?: string;
  origin?: readonly string[];
  retentionDays?: number;
  campaigns?: string;
  storefrontTlsCert?: string;
  storefrontTlsKey?: string;
  storefrontBehindTlsProxy?: boolean;
}

export function addStorefrontOptions(command: Command): Command {
  return command
    .option('--storefront <port>', 'serve consents, events and shelves of this shop on this port, until stopped; needs --about', integerIn(0, 65_535))
    .option('--about <file>', 'JSON of who answers for the data, the notices, and who else processes data')
    .option('--storefront-host <address>', 'where the storefront listens (default: this machine alone, 127.0.0.1)')
    .option('--origin <origin>', 'whose pages may call what shoppers need (repeatable; default: none but its own)', collect(webOrigin))
    .option('--retention-days <n>', 'use no events that are older, and keep none (default: all that are in the data, and 365 for what the storefront stores)', integerIn(1, 3_650))
    .option('--campaigns <file>', 'JSON of campaigns and experiments, which the storefront sends to every page')
    .option('--storefront-tls-cert <file>', 'certificate (PEM) of the storefront')
    .option('--storefront-tls-key <file>', 'its key (PEM)')
    .option('--storefront-behind-tls-proxy', 'a proxy ends TLS before the storefront and writes X-Forwarded-For itself');
}

interface JoinTerms extends StorefrontOptions {
  readonly shop: string;
  readonly stateDir: string;
  readonly coordinator: URL;
  readonly coordinatorKey?: string;
  readonly task?: readonly string[];
}

/** Null without `--storefront`. @throws CestaError `usage.invalid` for options that contradict each other, and what the API objects to */
export async function startStorefront(options: JoinTerms, { logger, fetch, policy }: { readonly logger: Logger; readonly fetch?: Fetch; readonly policy?: ShopPolicy }): Promise<StorefrontApi | null> {
  const { storefront: port, about, storefrontHost, origin, retentionDays, campaigns, storefrontTlsCert: cert, storefrontTlsKey: key, storefrontBehindTlsProxy } = options;
  if (port === undefined) {
    const given = [about, storefrontHost, origin, campaigns, cert, key, storefrontBehindTlsProxy].some((value) => value !== undefined);
    if (given) throw new CestaError('usage.invalid', '--storefront: expected a port with the other options of the storefront, got none');
    return null;
  }
  if (about === undefined) throw new CestaError('usage.invalid', '--about: expected a file with --storefront, got none');
  if ((cert === undefined) !== (key === undefined)) throw new CestaError('usage.invalid', '--storefront-tls-cert and --storefront-tls-key: expected both or none, got one');
  const { startStorefrontApi } = await import('../../client/shop/storefront-api/storefront-api.ts');
  const { tokenFileName } = await import('../../client/shop/storefront-api/store-files.ts');
  const { parseAbout } = await import('../../client/shop/storefront-api/about.ts');
  const { readCampaigns } = await import('../../client/shop/storefront-api/campaigns/campaign-room.ts');
  const { shop, stateDir, coordinator, coordinatorKey, task = [] } = options;
  const said = parseAbout(await readAbout(about), about);
  if (policy !== undefined) enforcePolicy(policy.lines, { processors: said.processors.map(({ name }) => name) }, 'join');
  const api = await startStorefrontApi({
    shop, stateDir, coordinator, logger, port,
    about: said,
    ...(policy === undefined ? {} : { policy }),
    ...(campaigns === undefined ? {} : { campaigns: readCampaigns(campaigns) }),
    ...(coordinatorKey === undefined ? {} : { coordinatorKey }),
    // Of several tasks, the main one is ranked with.
    ...(task.length === 1 ? { task: task[0] } : {}),
    ...(storefrontHost === undefined ? {} : { host: storefrontHost }),
    ...(origin === undefined ? {} : { origins: origin }),
    ...(retentionDays === undefined ? {} : { retentionDays }),
    ...(cert === undefined || key === undefined ? {} : { tls: { cert: readPem('--storefront-tls-cert', cert), key: readPem('--storefront-tls-key', key) } }),
    ...(storefrontBehindTlsProxy === undefined ? {} : { behindTlsProxy: storefrontBehindTlsProxy }),
    ...(fetch === undefined ? {} : { fetch }),
  });
  logger.info({ url: api.url, tokenFile: join(stateDir, shop, tokenFileName) }, 'the storefront listens');
  return api;
}

/**
 * Waits until stopped, however the part in the rounds ends: a coordinator that is lost must not take away what shoppers can do
 * with their consents. An error is logged when it comes, and is that of the process at the end.
 */
export async function serveUntilStopped<T>(part: Promise<T>, { logger, stopped }: { readonly logger: Logger; readonly stopped: Promise<void> }): Promise<T> {
  const logged = part.catch((thrown: unknown) => {
    const { code, message } = toCestaError(thrown);
    logger.error({ code, reason: message }, 'the part in the rounds has ended; the storefront goes on until it is stopped');
    process.exitCode = 1;
  });
  await Promise.all([logged, stopped]);
  return part;
}

async function readAbout(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new CestaError('data.not-found', `--about: expected a file that can be read, got ${path}`, { cause });
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CestaError('config.invalid', `${path}: expected JSON, got other text`, { cause });
  }
}
