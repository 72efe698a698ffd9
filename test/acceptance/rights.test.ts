import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Cesta, ShelfItem, ShopperExport, ShopperSettings } from '../../client/storefront/api.ts';
import { importable } from '../../client/storefront/profile-file.ts';
import { createShopper } from '../../client/storefront/shopper.ts';
import type { ImprovingVisits } from '../../client/storefront/rounds-seat.ts';
import { servePage } from '../../scripts/storefront/serve-page.ts';
import { deviceEventNames, type StoredEvent } from '../../shared/commerce/device-events.ts';
import { parseStoredEvent } from '../../shared/commerce/device-history.ts';
import { dataFor, type DataFor } from '../../shared/commerce/purposes.ts';
import { codeOf } from '../client/fakes.ts';
import { launchChromium, launchProfile, withoutBrowser } from '../e2e/chromium.ts';
import { catalogue, coordinatorOf, shopOf, siteOf, type Site } from '../e2e/devices.ts';
import { openShopper } from './shopper-pages.ts';

let browser: Browser;
beforeAll(async () => {
  if (!withoutBrowser) browser = await launchChromium();
});
afterAll(() => browser?.close());

const fields = new Set(['event', 'item_id', 'quantity', 'hour']);
/** What else a storefront may hand over with an item. */
const unrelated = fc.dictionary(fc.constantFrom('item_name', 'price', 'currency', 'coupon', 'email', 'user_id', 'location_id', 'ip', 'referrer', 'hour', 'event', '__proto__', 'constructor'), fc.oneof(fc.string(), fc.double(), fc.object()));

describe('capability 6: data minimisation', () => {
  it('capability 6: whatever is tracked, a row has an event, an item, how many, and the hour, and no other field', async () => {
    const shopper = createShopper({ url: 'https://shop.example/cesta', defaultDegree: 1, now: () => 7_200_123 });
    await shopper.loaded;
    const item = fc.tuple(unrelated, fc.string({ minLength: 1, maxLength: 20 }), fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined })).map(([extra, id, quantity]) => ({ ...extra, item_id: id, ...(quantity === undefined ? {} : { quantity }) }));
    fc.assert(fc.property(fc.constantFrom(...deviceEventNames), fc.array(item, { maxLength: 4 }), (event, items) => {
      shopper.track(event, items);
      for (const row of shopper.interests().events) {
        expect(Object.keys(row).filter((name) => !fields.has(name))).toEqual([]);
        expect(row.hour).toBe(2);
      }
    }));
    expect(shopper.interests().events.length).toBeGreaterThan(0);
    await shopper.close();
  });

  it('capability 6: rows that come back from a disk or a file lose every other field, and rows that are none are left out', () => {
    fc.assert(fc.property(unrelated, (extra) => {
      expect(parseStoredEvent({ ...extra, event: 'view_item', item_id: 'a', hour: 3, quantity: 2 })).toEqual({ event: 'view_item', item_id: 'a', quantity: 2, hour: 3 });
    }));
    for (const row of [null, 'view_item', {}, { event: 'scroll', item_id: 'a', hour: 3 }, { event: 'search', item_id: 'a', hour: 3 }, { event: 'view_item', item_id: '', hour: 3 }, { event: 'view_item', item_id: 'a', hour: 3.5 }, { event: 'view_item', item_id: 'a', hour: 3, quantity: -1 }]) expect(parseStoredEvent(row)).toBeNull();
  });

  it('capability 6: events that nothing is done with are not kept', async () => {
    const shopper = createShopper({ url: 'https://shop.example/cesta', defaultDegree: 1 });
    await shopper.loaded;
    for (const event of ['search', 'view_cart', 'begin_checkout'] as const) shopper.track(event, [{ item_id: 'a' }]);
    expect(shopper.interests().events).toEqual([]);
    await shopper.close();
  });
});

describe('capability 7: purpose binding', () => {
  const rows: readonly StoredEvent[] = [{ event: 'view_item', item_id: 'a', hour: 1 }];
  const count = (events: DataFor<'measure', readonly StoredEvent[]> | null): number => events?.length ?? 0;

  it('capability 7: what may improve a model cannot be counted, nor the other way round: it does not compile', () => {
    const improving = dataFor('improve', 3, rows);
    const measuring = dataFor('measure', 3, rows);
    const recommending = dataFor('recommend', 3, rows);
    expect(count(measuring)).toBe(1);
    // @ts-expect-error data for `improve` where `measure` is asked
    count(improving);
    // @ts-expect-error data for `recommend` where `measure` is asked
    count(recommending);
    // @ts-expect-error rows that passed no gate
    count(rows);
    // @ts-expect-error visits to rank with where a round is trained
    const visits: ImprovingVisits | null = dataFor('recommend', 3, [{ time: 0, items: ['a'] }]);
    expect(visits).not.toBeNull();
  });

  it('capability 7: the gate opens by degree, and a shopper hands out nothing past it', async () => {
    const open = ([0, 1, 2, 3] as const).map((degree) => (['recommend', 'improve', 'measure'] as const).filter((purpose) => dataFor(purpose, degree, rows) !== null));
    expect(open).toEqual([[], ['recommend'], ['recommend'], ['recommend', 'improve', 'measure']]);
    const shopper = createShopper({ url: 'https://shop.example/cesta', defaultDegree: 1 });
    await shopper.loaded;
    shopper.track('view_item', [{ item_id: 'a' }]);
    expect(shopper.events('recommend')).toHaveLength(1);
    expect([shopper.events('improve'), shopper.events('measure')]).toEqual([null, null]);
    await shopper.close();
  });
});

/** What is put into the page's global scope. */
interface PageScope {
  cesta: Cesta;
}

interface CestaPage {
  readonly page: Page;
  shelf(): Promise<ShelfItem[]>;
  ask<T>(work: (cesta: Cesta) => T | Promise<T>): Promise<T>;
  import(exported: unknown): Promise<string>;
}

/** The whole SDK with a release, at this degree, of somebody who was never here before. */
async function openCesta({ url: origin, relay }: Site, degree: number): Promise<CestaPage> {
  const context: BrowserContext = await browser.newContext();
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.goto(origin);
  const ask: CestaPage['ask'] = async (work) => page.evaluate(`Promise.resolve((${work.toString()})(globalThis.cesta))`);
  await page.evaluate(`import("/cesta.js").then(async (sdk) => {
    globalThis.cesta = sdk.createCesta({ url: ${JSON.stringify(relay.url)}, notice: { version: 'v2' } });
    await Promise.all([cesta.ready, cesta.loaded]);
    await cesta.consent({ degree: ${degree}, notice: 'v2' });
  })`);
  return {
    page, ask,
    shelf: () => ask((cesta) => cesta.recommend({ limit: 6 })),
    import: (exported) => page.evaluate((given) => (globalThis as unknown as PageScope).cesta.import(given).then(() => 'imported', (error: { code: string }) => error.code), exported as Record<string, unknown>),
  };
}

/** A site with a release that knows what goes with the first four products. */
async function siteWithRelease(): Promise<Site> {
  const coordinator = await coordinatorOf({ participants: 2, model: { kind: 'item-knn', hyperParameters: { topWeights: 'all', shrinkage: 0 } }, privacy: { mode: 'none', rounds: 1 } });
  [1, 2].forEach((index) => shopOf(index, coordinator, {}));
  expect(await coordinator.over).toMatchObject({ code: null });
  return siteOf(coordinator);
}

const idsOf = (shelf: readonly ShelfItem[]): string[] => shelf.map(({ item_id: id }) => id);

describe.skipIf(withoutBrowser)('capabilities 8 and 9: access, portability, rectification', () => {
  it('capability 8: what is exported and imported into another browser gives the same shelf; capability 9: a correction changes it at once', async () => {
    const site = await siteWithRelease();
    const home = await openCesta(site, 2);
    const impersonal = await home.shelf();
    const [first, , third] = catalogue.products.map(({ id }) => id);
    await home.page.evaluate(`cesta.track('view_item', [{ item_id: ${JSON.stringify(first)} }]), cesta.notInterested(${JSON.stringify(third)}), cesta.set({ diversity: 0.3, maxEpsilon: 1 })`);
    const shelf = await home.shelf();
    expect(shelf[0].source).toBe('personal');
    expect(idsOf(shelf)).not.toEqual(idsOf(impersonal));
    expect(idsOf(shelf)).not.toContain(third);

    const exported = JSON.parse(JSON.stringify(await home.ask((cesta) => cesta.export()))) as ShopperExport;
    expect(exported).toMatchObject({ format: 'cesta/shopper/1', degree: 2, interests: { events: [{ event: 'view_item', item_id: first }], unwanted: [third] }, settings: { diversity: 0.3, maxEpsilon: 1 }, spends: [], roundReceipts: [], measured: null });
    const unasked = await openCesta(site, 0);
    expect(await unasked.import(exported)).toBe('consent.needed');
    expect(await unasked.ask((cesta) => cesta.export())).toMatchObject({ degree: 0, interests: { events: [], unwanted: [] } });
    expect(await unasked.ask(async () => (await indexedDB.databases()).length)).toBe(0);
    const away = await openCesta(site, 1);
    expect(idsOf(await away.shelf())).toEqual(idsOf(impersonal));
    expect(await away.import(exported)).toBe('imported');
    expect(await away.shelf()).toEqual(shelf);
    expect(await away.ask((cesta) => cesta.privacy.settings)).toEqual(exported.settings satisfies ShopperSettings);
    expect(await away.import(exported)).toBe('imported');
    expect(await away.ask((cesta) => cesta.interests())).toEqual(exported.interests);

    await away.page.evaluate(`cesta.notInterested(${JSON.stringify(shelf[0].item_id)})`);
    expect(idsOf(await away.shelf())).not.toContain(shelf[0].item_id);
    await away.page.evaluate(`cesta.removeFromHistory(${JSON.stringify(first)})`);
    expect((await away.shelf()).map(({ source }) => source)).not.toContain('personal');
    expect((await away.ask((cesta) => cesta.interests())).events).toEqual([]);
  });
});

describe.skipIf(withoutBrowser)('capability 9: rectification where several pages are open', () => {
  it('capability 9: a correction in one tab is one in all, a setting that one changed is not undone by another, and an export has all of it', async () => {
    const context = await browser.newContext();
    const site = await servePage(new URL('http://127.0.0.1:9'));
    onTestFinished(async () => {
      await context.close();
      await site.close();
    });
    const shopper = await openShopper(context, site.url);
    expect(await shopper.consent({ degree: 2, notice: 'v2' })).toBeNull();
    await shopper.track('view_item', 'sku-1', 'sku-2', 'sku-3');
    await shopper.ask((it) => it.set({ maxEpsilon: 0.5 }));
    await shopper.ask((it) => it.export());
    // Before what the device kept is there.
    const other = await openShopper(context, site.url, {}, (it) => it.set({ diversity: 0.9 }));
    const settings = { diversity: 0.9, maxEpsilon: 0.5 };
    await other.until(({ settings: { maxEpsilon } }) => maxEpsilon === 0.5);
    await shopper.until(({ settings: { diversity } }) => diversity === 0.9);
    expect((await other.privacy()).settings).toMatchObject(settings);
    await shopper.ask((it) => it.removeFromHistory('sku-1'));
    await shopper.ask((it) => it.notInterested('sku-2'));
    await other.until(({ stored }) => stored.items === 1);
    expect(await other.ask((it) => [it.visits('home')[0].items, [...it.unwanted()]])).toEqual([['sku-3'], ['sku-2']]);
    await other.ask((it) => it.set({ surfaces: { home: false } as ShopperSettings['surfaces'] }));
    await shopper.until(({ settings: { surfaces } }) => !surfaces.home);
    expect(await shopper.ask((it) => it.export())).toMatchObject({ interests: { unwanted: ['sku-2'] }, settings: { ...settings, surfaces: { home: false, cart: true } } });
  });
});

describe.skipIf(withoutBrowser)('capability 13: what was shown often', () => {
  it('capability 13: rests from the next page on, until it is clicked there', async () => {
    const context = await browser.newContext();
    const site = await servePage(new URL('http://127.0.0.1:9'));
    onTestFinished(async () => {
      await context.close();
      await site.close();
    });
    const shopper = await openShopper(context, site.url);
    expect(await shopper.consent({ degree: 2, notice: 'v2' })).toBeNull();
    for (const _ of [1, 2, 3]) await shopper.track('view_item_list', 'sku-1', 'sku-2');
    expect(await shopper.ask((it) => [...it.resting()])).toEqual([]);
    await shopper.ask((it) => it.export());
    const next = await openShopper(context, site.url);
    expect(await next.ask((it) => [...it.resting()])).toEqual(['sku-1', 'sku-2']);
    await next.track('select_item', 'sku-1');
    expect(await next.ask((it) => [...it.resting()])).toEqual(['sku-2']);
  });
});

describe('capability 8: files that are no export', () => {
  it('capability 8: are refused as a whole, and rows of a later version are left out', async () => {
    const settings = { diversity: 0.5 };
    const now = 4 * 3_600_000;
    for (const file of [null, 'text', {}, { format: 'cesta/shopper/2', interests: { events: [], unwanted: [] }, settings }, { format: 'cesta/shopper/1', interests: { events: {}, unwanted: [] }, settings }, { format: 'cesta/shopper/1', interests: { events: [], unwanted: [] }, settings: { diversity: 7 } }]) expect(await codeOf(() => importable(file, now))).toBe('data.unreadable');
    const row = { event: 'view_item', item_id: 'a', hour: 3 };
    const at = (hour: number): unknown => ({ format: 'cesta/shopper/1', interests: { events: [{ ...row, hour }], unwanted: [] }, settings });
    expect(importable(at(5), now).interests.events).toHaveLength(1);
    expect(await codeOf(() => importable(at(6), now))).toBe('data.unreadable');
    expect(importable({ format: 'cesta/shopper/1', interests: { events: [{ ...row, email: 'x' }, { ...row, event: 'dance' }], unwanted: [] }, settings }, now).interests.events).toEqual([row]);
  });
});

describe('capability 8: an import', () => {
  it('capability 8: lowers the bound of what this device spends, and never raises it', async () => {
    const shopper = createShopper({ url: 'https://shop.example/cesta', defaultDegree: 1 });
    await shopper.loaded;
    const file = (maxEpsilon: number): unknown => ({ format: 'cesta/shopper/1', interests: { events: [], unwanted: [] }, settings: { diversity: maxEpsilon / 10, maxEpsilon } });
    await shopper.import(file(0.5));
    expect(shopper.privacy.settings).toMatchObject({ diversity: 0.05, maxEpsilon: 0.5 });
    await shopper.import(file(8));
    expect(shopper.privacy.settings).toMatchObject({ diversity: 0.8, maxEpsilon: 0.5 });
    await shopper.close();
  });
});

// Three starts of a browser, beside other work.
describe.skipIf(withoutBrowser)('capability 10: erasure on the device', { timeout: 180_000 }, () => {
  it('capability 10: no file of the browser holds an item id, before or after the shopper is forgotten', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cesta-profile-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const site = await servePage(new URL('http://127.0.0.1:9'));
    onTestFinished(() => site.close());
    const visit = async (work: (context: BrowserContext) => Promise<void>): Promise<Buffer> => {
      const context = await launchProfile(folder);
      await work(context).finally(() => context.close());
      return filesBelow(folder);
    };
    const kept = await visit(async (context) => {
      const shopper = await openShopper(context, site.url);
      expect(await shopper.consent({ degree: 2, notice: 'v2' })).toBeNull();
      await shopper.track('view_item', 'zebra-lamp-8841', 'zebra-lamp-8842');
      await shopper.ask((it) => it.close());
      // What is not sealed is found: else the search below would find nothing whatever was there.
      await shopper.page.evaluate(`new Promise((resolve) => {
        const opening = indexedDB.open('control', 1);
        opening.onupgradeneeded = () => opening.result.createObjectStore('rows').put({ id: 'plain-lamp-8843' }, 'row');
        opening.onsuccess = resolve;
      })`);
    });
    expect(holds(kept, 'plain-lamp-8843')).toBe(true);
    expect(holds(kept, 'zebra-lamp')).toBe(false);
    const forgotten = await visit(async (context) => {
      const shopper = await openShopper(context, site.url);
      expect((await shopper.privacy()).stored).toEqual({ events: 2, items: 2, place: 'device' });
      await shopper.ask((it) => it.forget());
      expect(await shopper.kept()).toEqual({ databases: ['control'], entries: [], others: 0 });
    });
    expect(holds(forgotten, 'zebra-lamp')).toBe(false);
    await visit(async (context) => {
      const shopper = await openShopper(context, site.url);
      expect(await shopper.privacy()).toMatchObject({ degree: 0, stored: { events: 0 } });
    });
  });
});

function filesBelow(folder: string): Buffer {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Buffer.concat(files.map((entry) => readFileSync(join(entry.parentPath, entry.name))));
}

/** In either of the encodings that browsers write strings in. */
function holds(bytes: Buffer, text: string): boolean {
  return bytes.includes(text, 0, 'latin1') || bytes.includes(text, 0, 'utf16le');
}
