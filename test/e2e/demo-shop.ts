/**
 * The demo's shop before a real federation, in a real browser: what the tests of it have in common. Two shops with real orders
 * have made the release that the shelves rank with; further rounds open when a test asks for one.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import type { Browser, BrowserContextOptions, Page, Request } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { readDataset } from '../../client/shop/read-data.ts';
import { startShopNode } from '../../client/shop/shop-node.ts';
import { startStorefrontApi } from '../../client/shop/storefront-api/storefront-api.ts';
import { aboutDemoShop } from '../../scripts/demo/shop/about.ts';
import { demoShopFiles } from '../../scripts/demo/shop/files.ts';
import { serveDemoShop } from '../../scripts/demo/shop/serve.ts';
import { startCoordinator } from '../../server/coordinator.ts';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { historyOf, visitCount, visitItems, type ShopperHistory, type Visit } from '../../shared/commerce/history.ts';
import type { Dataset } from '../../shared/datasets/dataset.ts';
import type { WebFile } from '../../server/web/bundle.ts';
import { startRelay, type Relay } from './relay.ts';

const logger = pino({ level: 'silent' });
const shoppersPerShop = 300;
const products = 800;
const cohortOf = (participants: number, min = participants) => ({ minParticipants: min, targetParticipants: participants, overSelection: 1 });
const deadlines = { recruitingMs: 30_000, trainingMs: 60_000 };

export interface Federation {
  readonly url: string;
  readonly files: readonly WebFile[];
  /** Of every product. */
  readonly ids: readonly string[];
  /** A storefront API of a shop node. */
  readonly shopApi: string;
  /** Opens one more round, for the two shops and so many browsers; it fails without them unless `min` participants are enough. */
  openRound(browsers: number, min?: number): Promise<{ readonly task: string; readonly round: string }>;
  close(): Promise<void>;
}

export async function startFederation(): Promise<Federation> {
  const folder = mkdtempSync(join(tmpdir(), 'cesta-demo-shop-'));
  const dataset = mostBought(await readDataset('online-retail'));
  const { catalogue } = dataset;
  const coordinator = await startCoordinator({
    task: { name: 'shelves', model: { kind: 'neighbours' }, privacy: { mode: 'local', epsilon: 50, delta: 1e-5, rounds: 1 }, maxShoppersPerShop: shoppersPerShop, cohort: cohortOf(2), deadlines },
    dataDir: join(folder, 'coordinator'), port: 0, logger, retryMs: 20, catalogue,
  });
  const nodes = [0, 1].map((index) => startShopNode({
    shop: `shop-${index}`, dataset: { ...dataset, shoppers: dataset.shoppers.slice(index * shoppersPerShop, (index + 1) * shoppersPerShop) },
    coordinator: new URL(coordinator.url), stateDir: join(folder, 'shops'), logger, maxEpsilon: 1_000, stay: true,
  }));
  const files = await demoShopFiles();
  expect(await coordinator.over).toMatchObject({ code: null });
  const api = await startStorefrontApi({ shop: 'shop-0', stateDir: join(folder, 'shops'), coordinator: new URL(coordinator.url), logger, about: aboutDemoShop(new URL('http://127.0.0.1/')) });
  await api.ready;
  let rounds = 0;
  return {
    url: coordinator.url,
    files,
    ids: catalogue.products.map(({ id }) => id),
    shopApi: api.url,
    async openRound(browsers, min = 2 + browsers) {
      rounds += 1;
      const name = `extra-${rounds}`;
      await coordinator.tasks.create({ name, model: { kind: 'popularity' }, privacy: { mode: 'local', epsilon: 0.5, delta: 1e-5, rounds: 1 }, maxShoppersPerShop: shoppersPerShop, cohort: cohortOf(2 + browsers, min), deadlines });
      return { task: name, round: `${name}-1` };
    },
    async close() {
      await api.close();
      await Promise.all(nodes.map((node) => node.close()));
      await coordinator.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The first shoppers, and what most of them bought: enough for shelves that make sense, and trained in a second. */
function mostBought(dataset: Dataset): Dataset {
  const shoppers = dataset.shoppers.slice(0, 2 * shoppersPerShop);
  const buyers = new Map<number, number>();
  for (const { history } of shoppers) for (const item of new Set(history.items)) buyers.set(item, (buyers.get(item) ?? 0) + 1);
  const kept = [...buyers].sort(([a, most], [b, least]) => least - most || a - b).slice(0, products).map(([item]) => dataset.catalogue.products[item]);
  const catalogue = createCatalogue(kept);
  const indexOf = (item: number): number | undefined => catalogue.indexOf.get(dataset.catalogue.products[item].id);
  const visits = (history: ShopperHistory): Visit[] => Array.from({ length: visitCount(history) }, (_, visit) => ({ time: history.visitTimes[visit], items: [...visitItems(history, visit)].map(indexOf).filter((item) => item !== undefined) }));
  return { ...dataset, catalogue, shoppers: shoppers.map((shopper) => ({ ...shopper, history: historyOf(visits(shopper.history).filter(({ items }) => items.length > 0)) })) };
}

export interface Captured {
  readonly method: string;
  readonly url: string;
  readonly body: string;
}

export interface Visitor {
  readonly page: Page;
  /** Every request of the page and its worker, in order. */
  readonly requests: readonly Captured[];
  /** Messages of errors that the page reported. */
  readonly errors: readonly string[];
  /** Follows a link as the keyboard or the mouse does: the page stays. Resolves once it has noted what is looked at. */
  readonly go: (path: string) => Promise<void>;
  readonly choose: (degree: 0 | 1 | 2 | 3) => Promise<void>;
}

export interface Site {
  readonly url: string;
  readonly relay: Relay;
  visitor(browser: Browser, options?: BrowserContextOptions): Promise<Visitor>;
}

/** The shop as one server serves it; what goes on to the coordinator passes a relay that keeps it. */
export async function openSite({ url, files, shopApi }: Federation, { withShop = false }: { readonly withShop?: boolean } = {}): Promise<Site> {
  const relay = await startRelay(url);
  const shop = await serveDemoShop({ coordinator: new URL(relay.url), shopApi: withShop ? new URL(shopApi) : null, port: 0, files });
  onTestFinished(() => shop.close());
  return { url: shop.url, relay, visitor: (browser, options = {}) => visit(shop.url, browser, options) };
}

async function visit(url: string, browser: Browser, options: BrowserContextOptions): Promise<Visitor> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-GB', ...options });
  onTestFinished(() => context.close());
  const requests: Captured[] = [];
  const errors: string[] = [];
  context.on('request', (request: Request) => void requests.push({ method: request.method(), url: request.url(), body: request.postData() ?? '' }));
  const page = await context.newPage();
  page.on('pageerror', ({ message }) => void errors.push(message));
  page.on('console', (message) => void (message.type() === 'error' && errors.push(message.text())));
  await page.goto(url);
  await page.locator('cesta-shelf[surface=home] li[data-item]').first().waitFor();
  return {
    page, requests, errors,
    async go(path) {
      await page.evaluate(async (href) => {
        const link = Object.assign(document.createElement('a'), { href });
        document.body.append(link);
        link.click();
        link.remove();
        // It notes that after it was painted; a page that is left before was not looked at.
        await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve))));
      }, path);
    },
    async choose(degree) {
      const control = page.locator('cesta-privacy input[name=degree]').nth(degree);
      await control.check();
      await page.locator('cesta-privacy [data-key="save:"]').click();
      await expect.poll(() => page.locator('#drawer').getAttribute('data-degree')).toBe(String(degree));
    },
  };
}

/** The ids on a shelf, in order. */
export function idsOn(page: Page, surface: string): Promise<string[]> {
  return page.locator(`cesta-shelf[surface=${surface}] li[data-item]`).evaluateAll((cards) => cards.map((card) => card.getAttribute('data-item') ?? ''));
}

const output = fileURLToPath(new URL('../output/', import.meta.url));

/** For people to look at; nothing reads it. */
export async function screenshot(page: Page, name: string, options: { readonly fullPage?: boolean } = {}): Promise<void> {
  mkdirSync(output, { recursive: true });
  await page.screenshot({ path: join(output, `${name}.png`), ...options });
}

/** What axe-core finds wrong with the page as it is: rule and place. */
export async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
  const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>('axe.run()');
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
}
