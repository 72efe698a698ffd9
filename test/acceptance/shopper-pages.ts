/** Pages with the real SDK in a real browser, one shopper each, and what can be seen of them from outside. */
import type { BrowserContext, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { ConsentRequest, PrivacyState } from '../../client/storefront/api.ts';
import type * as Sdk from '../../client/storefront/sdk.ts';
import type { Shopper } from '../../client/storefront/shopper.ts';
import type { ShopperOptions } from '../../client/storefront/shopper-state.ts';
import type { EventName } from '../../shared/commerce/device-events.ts';

/** What is put into the page's global scope. */
interface PageScope {
  sdk: typeof Sdk;
  shopper: Shopper;
}

export interface Kept {
  /** Names and sizes of the databases of the origin, and what else it may keep anything in. */
  readonly databases: readonly string[];
  readonly entries: readonly string[];
  readonly others: number;
}

export interface ShopperPage {
  readonly page: Page;
  /** What this page asked for since it was there: method, address, and the length of the body. */
  readonly requests: readonly { readonly line: string; readonly bodyBytes: number }[];
  track(event: EventName, ...itemIds: readonly string[]): Promise<void>;
  /** Resolves to the code of the error, or null. */
  consent(request: ConsentRequest): Promise<string | null>;
  /** The degree in force right after the call, before anything else could run. */
  consentAtOnce(request: ConsentRequest): Promise<number>;
  privacy(): Promise<PrivacyState>;
  /** Of a function of the shopper, run in the page. */
  ask<T>(work: (shopper: Shopper) => T | Promise<T>): Promise<T>;
  kept(): Promise<Kept>;
  /** Resolves once the panel's numbers fulfil it. */
  until(isSo: (privacy: PrivacyState) => boolean): Promise<void>;
}

/** A page of `site` whose shopper is there with all that the device kept; `first` runs in the page before it is. */
export async function openShopper(context: BrowserContext, site: string, options: { readonly [Name in keyof ShopperOptions]?: ShopperOptions[Name] | undefined } = {}, first: (shopper: Shopper) => void = () => undefined): Promise<ShopperPage> {
  const page = await context.newPage();
  await page.goto(site);
  await page.evaluate('import("/cesta.js").then((sdk) => void Object.assign(globalThis, { sdk }))');
  const requests: { line: string; bodyBytes: number }[] = [];
  page.on('request', (request) => void requests.push({ line: `${request.method()} ${request.url()}`, bodyBytes: request.postDataBuffer()?.length ?? 0 }));
  const given = { url: '/no-coordinator', notice: { version: 'v2' }, ...options };
  // In one go: what is there soon must not be there before `first` has run.
  await page.evaluate(`(globalThis.shopper = sdk.createShopper(${JSON.stringify(given)}), (${first.toString()})(shopper), shopper.loaded)`);
  const ask = async <T>(work: (shopper: Shopper) => T | Promise<T>): Promise<T> => (await page.evaluate(`Promise.resolve((${work.toString()})(globalThis.shopper))`));
  return {
    page, requests, ask,
    track: (event, ...itemIds) => page.evaluate(([name, ids]) => (globalThis as unknown as PageScope).shopper.track(name, ids.map((id) => ({ item_id: id }))), [event, itemIds] as const),
    consent: (request) => page.evaluate((asked) => (globalThis as unknown as PageScope).shopper.consent(asked).then(() => null, (error: { code: string }) => error.code), request),
    consentAtOnce: (request) => page.evaluate((asked) => {
      const { shopper } = globalThis as unknown as PageScope;
      void shopper.consent(asked);
      return shopper.degree;
    }, request),
    privacy: () => page.evaluate(() => (globalThis as unknown as PageScope).shopper.privacy),
    async until(isSo) {
      await expect.poll(async () => isSo(await page.evaluate(() => (globalThis as unknown as PageScope).shopper.privacy)), { timeout: 40_000 }).toBe(true);
    },
    kept: () => page.evaluate(async () => ({
      databases: (await indexedDB.databases()).map(({ name }) => name ?? ''),
      entries: Object.entries(localStorage).map(([name, value]) => `${name}=${String(value)}`),
      others: sessionStorage.length + document.cookie.length + (await caches.keys()).length,
    })),
  };
}
