/** The pages of the demo that this process serves: the shop with the API of one shop node behind it, and the backstage. */
import { join } from 'node:path';
import pino from 'pino';
import { startStorefrontApi } from '../../client/shop/storefront-api/storefront-api.ts';
import type { WebFile } from '../../server/web/bundle.ts';
import type { RobustSpec } from '../../shared/federation/robust/rule.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { freePort, tryPort } from '../ports.ts';
import { createJobs } from './backstage/jobs.ts';
import { controlMaliciousShop } from './backstage/malicious.ts';
import { serveBackstage } from './backstage/serve.ts';
import type { BackstageState } from './backstage/state.ts';
import { demoTask, shopNames } from './federation.ts';
import { aboutDemoShop } from './shop/about.ts';
import { serveDemoShop } from './shop/serve.ts';
import type { Year } from './year.ts';

export interface PagesOptions {
  readonly coordinator: string;
  /** The demo shop's; the backstage takes the next one; 0 picks both. */
  readonly port: number;
  readonly folder: string;
  /** Of the demo shop: put together while the coordinator starts. */
  readonly shopFiles: Promise<readonly WebFile[]>;
  readonly year: () => Year;
  readonly federation: { readonly shops: number; readonly rounds: number; readonly epsilon: number; readonly delta: number; readonly mode: string; readonly robust?: RobustSpec; readonly seed: number };
}

export interface Pages {
  readonly shop: string;
  readonly backstage: string;
  close(): Promise<void>;
}

/** @throws CestaError `page.unavailable` and whatever starting a server may */
export async function servePages(options: PagesOptions): Promise<Pages> {
  const opened: Opened = [];
  /** All at once: the backstage must not answer while others end. */
  const close = async (): Promise<void> => {
    const ends = await Promise.allSettled(opened.map((each) => each.close()));
    throwFirst(ends);
  };
  // Both have settled, so nothing opens after it was closed.
  const [shop, backstage] = await Promise.allSettled([openShop(options, opened), openBackstage(options, opened)]);
  if (shop.status === 'fulfilled' && backstage.status === 'fulfilled') return { shop: shop.value, backstage: backstage.value, close };
  await close().catch(() => undefined);
  throw shop.status === 'rejected' ? shop.reason : (backstage as PromiseRejectedResult).reason;
}

function throwFirst(results: readonly PromiseSettledResult<unknown>[]): void {
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

type Opened = { close(): Promise<void> }[];

/** The first shop of the federation has the storefront: its node's key signs what shoppers agree to. */
async function openShop({ coordinator, port, folder, shopFiles }: PagesOptions, opened: Opened): Promise<string> {
  // Receipts name the address of the notice, so it has to be known before anything is served there.
  const wanted = (await tryPort(port)) ?? (await tryPort(0)) ?? 0;
  const [name] = shopNames(1);
  const logger = pino({ name: 'storefront', level: process.env['CESTA_LOG_LEVEL'] ?? 'error' }, pino.destination({ dest: 2, sync: true }));
  const about = aboutDemoShop(new URL(`http://127.0.0.1:${wanted}`));
  const api = await startStorefrontApi({ shop: name, stateDir: join(folder, name), coordinator: new URL(coordinator), task: demoTask, logger, about });
  opened.push(api);
  const shop = await serveDemoShop({ coordinator: new URL(coordinator), shopApi: new URL(api.url), port: wanted, files: await shopFiles });
  opened.push(shop);
  return new URL('/', shop.url).href;
}

async function openBackstage(options: PagesOptions, opened: Opened): Promise<string> {
  const { coordinator, port, folder, year, federation: { shops, rounds, epsilon, delta, mode, robust, seed } } = options;
  const jobs = createJobs();
  const malicious = controlMaliciousShop({ coordinator, rounds, stateDir: join(folder, 'malicious') });
  const isOver = (): boolean => year().end !== null || year().releases.length >= rounds;
  const links = { dashboard: new URL('/dashboard/', coordinator).href, shop: '' };
  const state = (): BackstageState => {
    const { baselines, releases, target } = year();
    return {
      federation: { shops, rounds, mode, epsilon: mode === 'none' ? null : epsilon, robust: robust?.rule ?? null },
      links, baselines, releases, target, isOver: isOver(), malicious: malicious.shop, ...jobs.states,
    };
  };
  let isClosing = false;
  const unlessClosing = (press: () => void) => (): void => {
    if (isClosing) throw new CestaError('backstage.busy', 'backstage: expected a demo that goes on, got one that ends');
    press();
  };
  const backstage = await serveBackstage({
    port: await freePort(port === 0 ? 0 : port + 1), state,
    actions: {
      addMaliciousShop: unlessClosing(() => {
        if (isOver()) throw new CestaError('budget.exhausted', `malicious shop: expected a round that is still to come, got a year that is over after ${year().releases.length} releases`);
        malicious.add();
      }),
      removeMaliciousShop: () => malicious.remove(),
      startComparison: unlessClosing(() => jobs.start('comparison', { shops: Math.max(shops, fewestCompared), groups: robust?.groups ?? fewestGroups, epsilon, delta, seed })),
      startAttackersView: unlessClosing(() => jobs.start('attackersView', { victims, participants, epsilon, delta })),
    },
  });
  opened.push({
    async close() {
      isClosing = true;
      throwFirst(await Promise.allSettled([backstage.close(), jobs.stop(), malicious.remove()]));
    },
  });
  return backstage.url;
}

const fewestGroups = 3;
/** Where a federation is smaller, its orders are split over so many: three groups need that. */
const fewestCompared = 15;
/** Some ten seconds of one core. */
const victims = 100;
const participants = 20;
