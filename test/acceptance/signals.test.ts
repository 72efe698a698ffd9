import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { servePage, type PageServer } from '../../scripts/storefront/serve-page.ts';
import { launchChromium, withoutBrowser } from '../e2e/chromium.ts';
import { openShopper, type ShopperPage } from './shopper-pages.ts';

let browser: Browser;
let site: PageServer;
beforeAll(async () => {
  if (withoutBrowser) return;
  [browser, site] = await Promise.all([launchChromium(), servePage(new URL('http://127.0.0.1:9'))]);
});
afterAll(() => Promise.all([browser?.close(), site?.close()]));

/** A person whose pages run this before everything else, as a browser or a consent tool would. */
async function personWith(script: string): Promise<BrowserContext> {
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  await context.addInitScript(script);
  return context;
}

/** A shopper of degree 2 with two events on the device. */
async function shopperOfDegree2(script = ''): Promise<ShopperPage> {
  const shopper = await openShopper(await personWith(script), site.url);
  expect(await shopper.consent({ degree: 2, notice: 'v2' })).toBeNull();
  await shopper.track('view_item', 'sku-1', 'sku-2');
  return shopper;
}

const gpc = 'Object.defineProperty(Navigator.prototype, "globalPrivacyControl", { value: true });';

/** A consent tool of TCF 2.2 that tells its listeners what `globalThis.tcData` is, now and whenever `globalThis.tell()` is called. */
const tcf = (data: unknown): string => `
  globalThis.tcData = ${JSON.stringify(data)};
  const listeners = [];
  globalThis.__tcfapi = (command, version, callback) => {
    if (command !== 'addEventListener' || version !== 2) return;
    listeners.push(callback);
    callback({ ...globalThis.tcData, listenerId: listeners.length }, true);
  };
  globalThis.tell = (data) => { globalThis.tcData = data; for (const listener of listeners) listener(data, true); };`;

const decided = (...purposes: readonly number[]): unknown => ({ gdprApplies: true, eventStatus: 'useractioncomplete', purpose: { consents: Object.fromEntries(purposes.map((purpose) => [purpose, true])) } });
const everything = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

describe.skipIf(withoutBrowser)('capability 25: signals of the browser and of consent tools', () => {
  it('capability 25: Global Privacy Control holds a degree at 2, until the person raises it having seen that', async () => {
    const shopper = await shopperOfDegree2(gpc);
    expect((await shopper.privacy()).cap).toEqual({ degree: 2, by: 'gpc' });
    expect(await shopper.consent({ degree: 3, notice: 'v2' })).toBe('consent.capped');
    expect((await shopper.privacy()).degree).toBe(2);
    expect(await shopper.consent({ degree: 3, notice: 'v2', despiteGpc: true })).toBeNull();
    expect(await shopper.privacy()).toMatchObject({ degree: 3, cap: null });
    const again = await openShopper(shopper.page.context(), site.url);
    expect(await again.privacy()).toMatchObject({ degree: 3, cap: null });
  });

  it('capability 25: Google Consent Mode, denied, holds a degree at 1 and erases what the device kept', async () => {
    const shopper = await shopperOfDegree2('globalThis.dataLayer = []; globalThis.gtag = function () { dataLayer.push(arguments); };');
    await shopper.page.evaluate('gtag("consent", "update", { ad_storage: "denied" })');
    expect((await shopper.privacy()).degree).toBe(2);
    expect(await shopper.page.evaluate('(gtag("consent", "update", { personalization_storage: "denied" }), shopper.degree)')).toBe(1);
    expect(await shopper.privacy()).toMatchObject({ cap: { degree: 1, by: 'consent-mode' }, stored: { place: 'memory' } });
    await expect.poll(() => shopper.kept()).toEqual({ databases: [], entries: [], others: 0 });
    expect(await shopper.consent({ degree: 2, notice: 'v2' })).toBe('consent.capped');
    // A signal that is gone raises nothing.
    expect(await shopper.page.evaluate('(gtag("consent", "update", { personalization_storage: "granted" }), shopper.degree)')).toBe(1);
    expect(await shopper.privacy()).toMatchObject({ chosen: 1, cap: null });
  });

  it('capability 25: a default of Consent Mode waits for the choice that the tool remembers, and erases nothing meanwhile', async () => {
    const context = (await shopperOfDegree2()).page.context();
    await context.addInitScript('globalThis.dataLayer = []; globalThis.gtag = function () { dataLayer.push(arguments); }; gtag("consent", "default", { personalization_storage: "denied", wait_for_update: 600000 });');
    const shopper = await openShopper(context, site.url);
    expect(await shopper.privacy()).toMatchObject({ degree: 1, chosen: 2, cap: { by: 'consent-mode' }, stored: { events: 0 } });
    await shopper.page.evaluate('gtag("consent", "update", { personalization_storage: "granted" })');
    await shopper.until(({ degree, stored }) => degree === 2 && stored.events === 2);
  });

  it('capability 25: a consent tool that comes after this code is heard as well', async () => {
    const shopper = await shopperOfDegree2();
    await shopper.page.evaluate(tcf({ ...decided(1) as object, eventStatus: 'cmpuishown' }));
    await shopper.until(({ degree, cap }) => degree === 1 && cap?.by === 'tcf');
    await shopper.page.evaluate(`tell(${JSON.stringify(decided(2))})`);
    expect(await shopper.privacy()).toMatchObject({ degree: 1, chosen: 1 });
    await expect.poll(() => shopper.kept()).toEqual({ databases: [], entries: [], others: 0 });
  });

  it('capability 25: a lower choice is one also while a signal holds the degree further down', async () => {
    const context = await personWith('globalThis.dataLayer = [];');
    expect(await (await openShopper(context, site.url)).consent({ degree: 3, notice: 'v2' })).toBeNull();
    await context.addInitScript('globalThis.dataLayer = [["consent", "default", { personalization_storage: "denied", wait_for_update: 600000 }]];');
    const shopper = await openShopper(context, site.url);
    expect(await shopper.consent({ degree: 2 })).toBeNull();
    expect(await shopper.privacy()).toMatchObject({ degree: 1, chosen: 2 });
  });

  it('capability 25: a default of Consent Mode that no choice follows is one', async () => {
    const context = (await shopperOfDegree2()).page.context();
    await context.addInitScript('globalThis.dataLayer = [["consent", "default", { personalization_storage: "denied", wait_for_update: 50 }]];');
    const shopper = await openShopper(context, site.url);
    await shopper.until(({ chosen }) => chosen === 1);
    await expect.poll(() => shopper.kept()).toEqual({ databases: [], entries: [], others: 0 });
  });

  it('capability 25: TCF purposes hold a degree down: 1 and 5 or 6 for the device, 10 for the rounds', async () => {
    const context = await personWith(tcf(decided(...everything.filter((purpose) => purpose !== 10))));
    const shopper = await openShopper(context, site.url);
    expect(await shopper.consent({ degree: 3, notice: 'v2' })).toBe('consent.capped');
    expect(await shopper.consent({ degree: 2, notice: 'v2' })).toBeNull();
    await shopper.track('view_item', 'sku-1');
    expect((await shopper.privacy()).cap).toEqual({ degree: 2, by: 'tcf' });
    const say = (data: unknown): Promise<unknown> => shopper.page.evaluate(`(tell(${JSON.stringify(data)}), shopper.degree)`);
    expect(await say(decided(1, 5))).toBe(2);
    expect(await say(decided(1, 6, 10))).toBe(2);
    expect(await say({ ...decided(1) as object, eventStatus: 'cmpuishown' })).toBe(1);
    // Undecided: held down, but nothing is lost.
    expect(await say(decided(...everything))).toBe(2);
    await shopper.until(({ stored }) => stored.events === 1 && stored.place === 'device');
    expect(await say(decided(5, 6, 10))).toBe(1);
    await expect.poll(() => shopper.kept()).toEqual({ databases: [], entries: [], others: 0 });
    expect(await say({ gdprApplies: false })).toBe(1);
    expect((await shopper.privacy()).cap).toBeNull();
  });
});
