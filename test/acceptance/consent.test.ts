import fc from 'fast-check';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Measure } from '../../client/storefront/measure.ts';
import { createShopper } from '../../client/storefront/shopper.ts';
import { servePage, type PageServer } from '../../scripts/storefront/serve-page.ts';
import { degrees } from '../../shared/commerce/consent.ts';
import { codeOf } from '../client/fakes.ts';
import { launchChromium, withoutBrowser } from '../e2e/chromium.ts';
import { coordinatorOf, manifestOf, shopOf, siteOf } from '../e2e/devices.ts';
import { rigs } from '../client/shop/storefront-api/rig.ts';
import { openShopper } from './shopper-pages.ts';

let browser: Browser;
let site: PageServer;
beforeAll(async () => {
  if (withoutBrowser) return;
  [browser, site] = await Promise.all([launchChromium(), servePage(new URL('http://127.0.0.1:9'))]);
});
afterAll(() => Promise.all([browser?.close(), site?.close()]));

async function person(): Promise<BrowserContext> {
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  return context;
}

const startShop = rigs();
const nothing = { databases: [], entries: [], others: 0 };

describe('capability 1: explicit consent before collecting', () => {
  it.skipIf(withoutBrowser)('capability 1: a hundred events at degree 0 leave nothing in the browser, and send nothing', async () => {
    const shopper = await openShopper(await person(), site.url);
    for (let index = 0; index < 100; index += 1) await shopper.track('view_item', `sku-${index}`);
    expect(await shopper.kept()).toEqual(nothing);
    expect(shopper.requests.filter(({ line, bodyBytes }) => bodyBytes > 0 || !line.startsWith('GET ') || line.includes('sku-'))).toEqual([]);
    expect(await shopper.privacy()).toMatchObject({ degree: 0, stored: { events: 0, items: 0, place: 'nowhere' }, sent: { bytes: 0, messages: 0 } });
  });

  it('capability 1: no sequence of calls without the current notice raises the degree', async () => {
    const call = fc.record({ degree: fc.constantFrom(...degrees), notice: fc.constantFrom(undefined, '', 'v1', 'V2', 'v2 '), despiteGpc: fc.boolean() }, { requiredKeys: ['degree'] });
    await fc.assert(fc.asyncProperty(fc.constantFrom(0 as const, 1 as const), fc.array(call, { maxLength: 12 }), async (defaultDegree, calls) => {
      const shopper = createShopper({ url: 'https://shop.example/cesta', notice: { version: 'v2' }, defaultDegree });
      await shopper.loaded;
      for (const { notice, ...rest } of calls) {
        const before = shopper.degree;
        const code = await codeOf(() => shopper.consent({ ...rest, ...(notice === undefined ? {} : { notice }) }));
        expect(shopper.degree).toBeLessThanOrEqual(before);
        expect(code).toBe(rest.degree > before ? 'consent.notice' : 'no error');
      }
      await shopper.close();
    }), { numRuns: 60 });
  });

  it.skipIf(withoutBrowser)('capability 1: a page begins at what it may, never above 1, until the shopper chose; and consent to an older notice does not count', async () => {
    const context = await person();
    const first = await openShopper(context, site.url, { defaultDegree: 1 });
    expect((await first.privacy()).degree).toBe(1);
    await first.track('view_item', 'sku-1');
    expect(await first.consent({ degree: 2, notice: 'v2' })).toBeNull();
    const again = await openShopper(context, site.url);
    expect(await again.privacy()).toMatchObject({ degree: 2, chosen: 2, stored: { events: 1, place: 'device' } });
    const later = await openShopper(context, site.url, { notice: { version: 'v3' } });
    expect(await later.privacy()).toMatchObject({ degree: 0, stored: { events: 0, place: 'nowhere' } });
    expect(await later.kept()).toEqual(nothing);
  });

  it.skipIf(withoutBrowser)('capability 1: where pages begin at 1, a refusal is remembered, as one flag and nothing else', async () => {
    const context = await person();
    const first = await openShopper(context, site.url, { defaultDegree: 1 });
    await first.consent({ degree: 0 });
    const again = await openShopper(context, site.url, { defaultDegree: 1 });
    await again.track('view_item', 'sku-1');
    expect(await again.privacy()).toMatchObject({ degree: 0, chosen: 0 });
    expect(await again.kept()).toEqual({ ...nothing, entries: ['cesta-shopper={"degree":0}'] });
  });
});

/** The shop node's API below the page's own origin, as behind a shop's own server; unreachable while `isAway`. */
async function shopBehind(context: BrowserContext, shop: { url: string; isAway: boolean }): Promise<string[]> {
  const withdrawn: string[] = [];
  await context.route('**/shop/**', async (route) => {
    const request = route.request();
    if (shop.isAway) return route.abort();
    const body = request.postData();
    const answer = await fetch(`${shop.url}${new URL(request.url()).pathname.slice('/shop'.length)}`, { method: request.method(), headers: await request.allHeaders(), ...(body === null ? {} : { body }) });
    if (request.method() === 'DELETE') withdrawn.push(`${answer.status} ${request.url().split('/').at(-1)}`);
    await route.fulfill({ status: answer.status, contentType: 'application/json', body: await answer.text() });
  });
  return withdrawn;
}

describe.skipIf(withoutBrowser)('capability 1: a signed receipt', () => {
  it('capability 1: is kept on the device; a withdrawal that the shop cannot hear is told in the next visit, and nothing else is kept for it', async () => {
    const context = await person();
    const rig = await startShop();
    const shop = { url: rig.api.url, isAway: false };
    const withdrawn = await shopBehind(context, shop);
    const shopper = await openShopper(context, site.url, { shop: '/shop' });
    expect(await shopper.consent({ degree: 2, notice: 'v2' })).toBeNull();
    const { receipts } = await shopper.privacy();
    expect(receipts).toMatchObject([{ record: { degree: 2, notice: { version: 'v2' } } }]);
    const again = await openShopper(context, site.url, { shop: '/shop' });
    expect((await again.privacy()).receipts).toEqual(receipts);

    // Another shop node answers than the one whose key is pinned here.
    shop.url = (await startShop()).api.url;
    expect(await again.consent({ degree: 3, notice: 'v2' })).toBe('consent.untrusted');
    expect((await again.privacy()).degree).toBe(2);
    Object.assign(shop, { url: rig.api.url, isAway: true });
    await again.consent({ degree: 0 });
    expect(withdrawn).toEqual([]);
    const { databases, entries } = await again.kept();
    expect([databases, entries.map((entry) => entry.replace(/[0-9a-f]{64}/, 'SECRET'))]).toEqual([[], [`cesta-shopper={"withdrawals":[{"id":"${receipts[0].record.record_id}","secret":"SECRET"}]}`]]);
    shop.isAway = false;
    const last = await openShopper(context, site.url, { shop: '/shop' });
    expect(withdrawn).toEqual([`200 ${receipts[0].record.record_id}`]);
    expect(await last.kept()).toEqual(nothing);
  });
});

describe.skipIf(withoutBrowser)('capability 2: withdraw at any time', () => {
  it('capability 2: tells the shop what it is owed also where the device\'s store does not open', async () => {
    const context = await person();
    const asked: string[] = [];
    await context.route('**/shop/**', (route) => {
      asked.push(`${route.request().method()} ${new URL(route.request().url()).pathname}`);
      return route.fulfill({ status: 200, contentType: 'application/json', body: '{}' });
    });
    await context.addInitScript('Object.defineProperty(Navigator.prototype, "locks", { value: undefined });');
    const id = 'ab'.repeat(16);
    const shopper = await openShopper(context, site.url);
    await shopper.page.evaluate(`localStorage.setItem('cesta-shopper', JSON.stringify({ degree: 2, notice: 'v2', withdrawals: [{ id: '${id}', secret: '${'cd'.repeat(32)}' }] }))`);
    await expect(openShopper(context, site.url, { shop: '/shop' })).rejects.toThrow('whose storage can be sealed');
    expect(asked).toEqual([`DELETE /shop/v1/consents/${id}`]);
  });

  it('capability 2: withdraws at the shop the receipt that another tab put in the place of the one known here, when a degree falls to 2 and when it falls below', async () => {
    const context = await person();
    const rig = await startShop();
    const shop = { url: rig.api.url, isAway: false };
    const withdrawn = await shopBehind(context, shop);
    const shopper = await openShopper(context, site.url, { shop: '/shop' });
    expect(await shopper.consent({ degree: 2, notice: 'v2' })).toBeNull();
    for (const degree of [2, 0] as const) {
      const other = await openShopper(context, site.url, { shop: '/shop' });
      expect(await other.consent({ degree: 3, notice: 'v2' })).toBeNull();
      const [replacing] = (await other.privacy()).receipts;
      await other.ask((it) => it.close());
      // This tab is as good as one that did not hear of it: whatever it knows, the disk is what counts.
      await shopper.until((privacy) => privacy.degree === 3);
      await shopper.consent({ degree });
      await expect.poll(() => withdrawn.some((line) => line === `200 ${replacing.record.record_id}`)).toBe(true);
      if (degree === 2) await shopper.until(({ receipts }) => receipts.length === 1 && receipts[0].record.degree === 2);
    }
    await expect.poll(() => shopper.kept()).toMatchObject({ databases: ['cesta-device'], entries: [] });
  });

  it('capability 2: what the device kept is out of reach within the call, and gone after it, in every tab', async () => {
    const context = await person();
    const shopper = await openShopper(context, site.url);
    await shopper.consent({ degree: 2, notice: 'v2' });
    await shopper.track('view_item', 'sku-1', 'sku-2');
    const other = await openShopper(context, site.url);
    expect((await other.privacy()).stored).toEqual({ events: 2, items: 2, place: 'device' });
    expect(await shopper.consentAtOnce({ degree: 0 })).toBe(0);
    expect(await shopper.ask((it) => it.visits('home'))).toEqual([]);
    await other.until(({ degree }) => degree === 0);
    expect(await other.ask((it) => it.interests())).toEqual({ events: [], unwanted: [] });
    await shopper.ask((it) => it.consent({ degree: 0 }));
    await other.track('view_item', 'sku-3');
    expect(await shopper.kept()).toEqual(nothing);
  });

  it('capability 2: a page hears of a withdrawal made elsewhere before it listened, while it was kept aside, and where it shows no notice', async () => {
    const context = await person();
    const shopper = await openShopper(context, site.url);
    await shopper.consent({ degree: 3, notice: 'v2' });
    const other = await openShopper(context, site.url, { notice: undefined });
    expect((await other.privacy()).degree).toBe(3);
    await shopper.consent({ degree: 2 });
    await other.until(({ degree }) => degree === 2);
    // As another tab does; a page hears nothing of what it changes itself.
    const early = await openShopper(context, site.url, {}, () => localStorage.setItem('cesta-shopper', '{}'));
    expect(await early.privacy()).toMatchObject({ degree: 0, stored: { place: 'nowhere' } });
    await early.consent({ degree: 3, notice: 'v2' });
    expect(await early.page.evaluate('(localStorage.clear(), dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })), shopper.degree)')).toBe(0);
  });

  it('capability 2: a signal against the rounds withdraws at the shop, and its end brings nothing back', async () => {
    const context = await person();
    const rig = await startShop();
    const withdrawn = await shopBehind(context, { url: rig.api.url, isAway: false });
    const shopper = await openShopper(context, site.url, { shop: '/shop' });
    expect(await shopper.consent({ degree: 3, notice: 'v2', despiteGpc: true })).toBeNull();
    // What was said about a signal that was not there does not count for one that comes.
    expect((await shopper.kept()).entries).toEqual(['cesta-shopper={"degree":3,"notice":"v2"}']);
    const [{ record }] = (await shopper.privacy()).receipts;
    await shopper.ask((it) => it.close());
    const signal = (isOn: boolean): Promise<unknown> => context.addInitScript(`Object.defineProperty(Navigator.prototype, "globalPrivacyControl", { value: ${isOn}, configurable: true });`);
    await signal(true);
    const held = await openShopper(context, site.url, { shop: '/shop' });
    expect(await held.privacy()).toMatchObject({ degree: 2, chosen: 2, cap: { by: 'gpc' }, stored: { place: 'device' } });
    await expect.poll(() => withdrawn).toEqual([`200 ${record.record_id}`]);
    await signal(false);
    const again = await openShopper(context, site.url, { shop: '/shop' });
    expect(await again.privacy()).toMatchObject({ degree: 2, chosen: 2, cap: null });
  });

  it('capability 2: a tab that is closed over it withdrew all the same', async () => {
    const context = await person();
    const shopper = await openShopper(context, site.url);
    await shopper.consent({ degree: 2, notice: 'v2' });
    await shopper.track('view_item', 'sku-1');
    await shopper.ask((it) => it.close());
    // As it is left when the browser dies before the database is deleted.
    await shopper.page.evaluate('localStorage.clear()');
    await shopper.page.close();
    const again = await openShopper(context, site.url);
    expect(await again.privacy()).toMatchObject({ degree: 0, stored: { events: 0 } });
    expect(await again.kept()).toEqual(nothing);
  });

  it('capability 2: what was measured is forgotten when less than 3 is chosen, though no page measures just then', async () => {
    const shopper = await openShopper(await person(), site.url);
    await shopper.consent({ degree: 3, notice: 'v2' });
    const record = (): Promise<unknown> => shopper.ask(() => new Promise((resolve) => {
      const opening = indexedDB.open('cesta-measure', 1);
      opening.onsuccess = () => {
        const reading = opening.result.transaction('records').objectStore('records').get('measure');
        reading.onsuccess = () => (opening.result.close(), resolve(reading.result));
      };
    }));
    const arm = await shopper.ask(async (it) => {
      const { sdk } = globalThis as unknown as { sdk: { openMeasure(options: object): Promise<Measure> } };
      const measure = await sdk.openMeasure({ cesta: it, shop: '/' });
      const subject = { id: 'order', arms: ['one'], from: '2020-01-01T00:00:00Z', to: '2099-01-01T00:00:00Z', measure: { epsilon: 1, afterDays: 7 } };
      const met = await measure.arm(subject);
      await measure.note(subject, 'click');
      measure.close();
      return met;
    });
    expect(arm).toBe(0);
    expect(await record()).toMatchObject({ reached: { order: 2 } });
    const exported = await shopper.ask((it) => it.export());
    expect(exported.measured).toMatchObject({ reached: { order: 2 }, epsilonSpent: 0 });
    expect(JSON.stringify(exported.measured)).not.toContain('salt');
    await shopper.consent({ degree: 2, notice: 'v2' });
    expect(await record()).toEqual({ salt: null, met: {}, reached: {}, reports: {}, epsilonSpent: 0 });
  });

  it('capability 2: in the middle of a round, the round goes on without the device', async () => {
    const coordinator = await coordinatorOf({ participants: 3, min: 2 });
    const { url: origin, relay } = await siteOf(coordinator);
    const reporting = relay.muteAfter(1, 'report');
    const shopper = await openShopper(await person(), origin, { url: relay.url });
    await shopper.ask((it) => it.set({ maxEpsilon: 100 }));
    await shopper.consent({ degree: 3, notice: 'v2' });
    await shopper.track('view_item', 'sku-1');
    shopOf(0, coordinator);
    shopOf(1, coordinator);
    // Its update is made and announced; the coordinator's word to send it does not come through.
    await reporting;
    expect(await shopper.consentAtOnce({ degree: 0 })).toBe(0);
    expect(await coordinator.over).toMatchObject({ code: null });
    expect(await manifestOf(coordinator)).toMatchObject({ cohort: 2 });
    const texts = relay.sent.flatMap(({ data }) => (typeof data === 'string' ? [(JSON.parse(data) as { type: string }).type] : []));
    expect(texts.slice(-2)).toEqual(['report', 'leave']);
    expect(relay.sent).toHaveLength(texts.length);
    await shopper.ask((it) => it.consent({ degree: 0 }));
    // What limits the device stays with it: its key, and what it had on record before it announced anything.
    expect(await shopper.kept()).toEqual({ ...nothing, databases: ['cesta-device'] });
    expect(await shopper.privacy()).toMatchObject({ participation: 'off', sent: { bytes: 0 }, lastRound: null });
    expect((await shopper.privacy()).epsilon.spent).toBeGreaterThan(0);
  });
});
