/** Browsers as participants, beside shops, over real sockets: what the tests of them have in common. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import type { Browser, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { startShopNode, type ShopNode } from '../../client/shop/shop-node.ts';
import type { DeviceEvent, DeviceSummary } from '../../client/storefront/device.ts';
import type { DeviceVisit } from '../../client/storefront/device-history.ts';
import type { HeldOnDevice } from '../../client/storefront/held-on-device.ts';
import type { heldOnDevice } from '../../client/storefront/sdk.ts';
import type { Seat, takePart, TakePartOptions } from '../../client/storefront/take-part.ts';
import { servePage } from '../../scripts/storefront/serve-page.ts';
import { startCoordinator, type Coordinator } from '../../server/coordinator.ts';
import { historyOf } from '../../shared/commerce/history.ts';
import type { Dataset } from '../../shared/datasets/dataset.ts';
import { openRelease, type Manifest } from '../../shared/federation/release.ts';
import { teaCatalogue } from '../recommender/fixtures.ts';
import { startRelay, type Relay } from './relay.ts';

const logger = pino({ level: 'silent' });
export const catalogue = teaCatalogue(24);

export interface TaskShape {
  readonly model?: { readonly kind: string; readonly hyperParameters?: Record<string, unknown> };
  readonly privacy?: Record<string, unknown>;
  readonly participants: number;
  readonly min?: number;
}

export const local = { mode: 'local', epsilon: 50, delta: 1e-5, rounds: 1 };

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cesta-browser-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function coordinatorOf({ model = { kind: 'popularity' }, privacy = local, participants, min = participants }: TaskShape): Promise<Coordinator> {
  const coordinator = await startCoordinator({
    task: {
      name: 'trial', model, privacy, maxShoppersPerShop: 100,
      cohort: { minParticipants: min, targetParticipants: participants, overSelection: 1 },
      deadlines: { recruitingMs: 30_000, trainingMs: 60_000 },
    },
    dataDir: temporaryFolder(), port: 0, logger, retryMs: 20, gatherMs: 60_000, stageMs: 20_000, catalogue,
  });
  onTestFinished(() => coordinator.close());
  return coordinator;
}

/** A shop whose ten shoppers bought one of the first four products each. */
export function shopOf(index: number, { url }: Coordinator, changes: { readonly maxEpsilon?: number } = { maxEpsilon: 100 }): ShopNode {
  const shoppers = Array.from({ length: 10 }, (_, i) => ({ id: `${i}`, group: '', degree: 3 as const, history: historyOf([{ time: 1, items: [i % 4, (i + index) % 4] }]) }));
  const dataset: Dataset = { name: 'shop', catalogue, shoppers, report: { lines: 0, used: 0, complaints: [] } };
  const node = startShopNode({ shop: `shop-${index}`, dataset, coordinator: new URL(url), stateDir: temporaryFolder(), logger, ...changes });
  onTestFinished(() => node.close());
  return node;
}

/** Visits to these products, by their index in the catalogue. */
export function visitsTo(...visits: readonly (readonly number[])[]): DeviceVisit[] {
  return visits.map((items, index) => ({ time: 1_760_000_000 + index, items: items.map((item) => catalogue.products[item].id) }));
}

/** What is put into the page's global scope. */
interface PageScope {
  sdk: { readonly heldOnDevice: typeof heldOnDevice; readonly takePart: typeof takePart };
  seat: Seat;
  events: DeviceEvent[];
}

export interface Tab {
  readonly page: Page;
  takePart(options?: Partial<TakePartOptions>): Promise<void>;
  /** Resolves to the first event of this kind, whenever it comes. */
  next<K extends DeviceEvent['kind']>(kind: K): Promise<Extract<DeviceEvent, { kind: K }>>;
  consent(degree: 0 | 1 | 2 | 3): Promise<void>;
  /** How it ended: a summary, or the code of an error. */
  done(): Promise<DeviceSummary | string | null>;
  held(): Promise<HeldOnDevice | null>;
  /** Another tab of the same origin. */
  another(): Promise<Tab>;
}

export interface Site {
  /** Of the page. */
  readonly url: string;
  readonly relay: Relay;
  /** A tab of a person who was never here before. */
  visitor(browser: Browser): Promise<Tab>;
}

/** A site whose pages reach the coordinator through a relay that keeps what they send. */
export async function siteOf({ url }: { readonly url: string }): Promise<Site> {
  const relay = await startRelay(url);
  const site = await servePage(new URL(relay.url));
  onTestFinished(() => site.close());
  return {
    url: site.url,
    relay,
    async visitor(browser) {
      const context = await browser.newContext();
      onTestFinished(() => context.close());
      return tabOf(await context.newPage(), site.url, relay.url);
    },
  };
}

async function tabOf(page: Page, site: string, coordinator: string): Promise<Tab> {
  await page.goto(site);
  // As text: what is compiled here must not be rewritten for another loader.
  await page.evaluate('Promise.all([import("/cesta.js"), import("/take-part.js")]).then((parts) => void Object.assign(globalThis, { sdk: Object.assign({}, ...parts), events: [] }))');
  return {
    page,
    takePart: async (options = {}) => page.evaluate(`void (globalThis.seat = sdk.takePart({ ...${JSON.stringify({ url: coordinator, degree: 3, history: visitsTo([1]), maxEpsilon: 100, ...options })}, onEvent: (event) => events.push(event) }))`),
    async next(kind) {
      const found = await page.waitForFunction((wanted) => (globalThis as unknown as PageScope).events.find((event) => event.kind === wanted), kind, { timeout: 50_000 });
      return (await found.jsonValue()) as never;
    },
    consent: (degree) => page.evaluate((wanted) => (globalThis as unknown as PageScope).seat.consent(wanted), degree),
    done: () => page.evaluate(() => (globalThis as unknown as PageScope).seat.done.catch((error: { code: string }) => error.code)),
    held: () => page.evaluate(() => (globalThis as unknown as PageScope).sdk.heldOnDevice()),
    another: async () => tabOf(await page.context().newPage(), site, coordinator),
  };
}

export async function manifestOf({ url, publicKey }: Coordinator): Promise<Manifest> {
  return (await openRelease(new Uint8Array(await (await fetch(`${url}/v1/model`)).arrayBuffer()), publicKey)).manifest;
}
