import fc from 'fast-check';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { HeldOnDevice } from '../../client/storefront/held-on-device.ts';
import { createShopper } from '../../client/storefront/shopper.ts';
import { servePage, type PageServer } from '../../scripts/storefront/serve-page.ts';
import type { Degree } from '../../shared/commerce/consent.ts';
import { surfaces } from '../../shared/commerce/preferences.ts';
import { codeOf } from '../client/fakes.ts';
import { launchChromium, withoutBrowser } from '../e2e/chromium.ts';
import { coordinatorOf, local, manifestOf, shopOf, siteOf } from '../e2e/devices.ts';
import { openShopper, type ShopperPage } from './shopper-pages.ts';

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

const degrees = [0, 1, 2, 3] as const;
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

describe.skipIf(withoutBrowser)('capability 2: withdraw at any time', () => {
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

  it('capability 2: in the middle of a round, the round goes on without the device', async () => {
    const coordinator = await coordinatorOf({ participants: 3, min: 2 });
    const { url: origin, relay } = await siteOf(coordinator);
    const joining = relay.muteAfter(1, 'join');
    const shopper = await openShopper(await person(), origin, { url: relay.url });
    await shopper.ask((it) => it.set({ maxEpsilon: 100 }));
    await shopper.consent({ degree: 3, notice: 'v2' });
    await shopper.track('view_item', 'sku-1');
    shopOf(0, coordinator);
    shopOf(1, coordinator);
    await joining;
    await shopper.until(({ participation }) => participation !== 'connecting');
    expect(await shopper.consentAtOnce({ degree: 0 })).toBe(0);
    expect(await coordinator.over).toMatchObject({ code: null });
    expect(await manifestOf(coordinator)).toMatchObject({ cohort: 2 });
    expect(relay.sent.filter(({ data }) => typeof data !== 'string')).toEqual([]);
    await shopper.ask((it) => it.consent({ degree: 0 }));
    // What limits the device stays with it: its key, and that it spent nothing.
    expect(await shopper.kept()).toEqual({ ...nothing, databases: ['cesta-device'] });
    expect(await shopper.privacy()).toMatchObject({ participation: 'off', sent: { bytes: 0 }, epsilon: { spent: 0 } });
  });
});

interface Behaviour {
  readonly place: string;
  readonly databases: readonly string[];
  readonly personal: boolean;
  readonly takesPart: boolean;
}

/** What the degrees are said to do. */
const table: Readonly<Record<Degree, Behaviour>> = {
  0: { place: 'nowhere', databases: [], personal: false, takesPart: false },
  1: { place: 'memory', databases: [], personal: true, takesPart: false },
  2: { place: 'device', databases: ['cesta-shopper'], personal: true, takesPart: false },
  3: { place: 'device', databases: ['cesta-device', 'cesta-shopper'], personal: true, takesPart: true },
};

describe.skipIf(withoutBrowser)('capability 3: choose how much to be personalised', () => {
  it('capability 3: each degree stores, ranks and sends as it says, on each surface that is not switched off', async () => {
    const { url: origin, relay } = await siteOf(await coordinatorOf({ participants: 2 }));
    for (const degree of degrees) {
      const { place, databases, personal, takesPart } = table[degree];
      const before = relay.sent.length;
      const shopper = await openShopper(await person(), origin, { url: relay.url });
      await shopper.consent({ degree, notice: 'v2' });
      await shopper.track('view_item', 'sku-1');
      if (takesPart) await shopper.until(({ participation }) => participation === 'waiting' || participation === 'training');
      const kept = await shopper.kept();
      expect([...kept.databases].sort(), `${degree}`).toEqual(databases);
      expect((await shopper.privacy()).stored.place).toBe(place);
      expect(relay.sent.length > before, `${degree}`).toBe(takesPart);
      for (const surface of surfaces) {
        const [on, off] = await behaviourOn(shopper, surface);
        expect(on, `${degree} ${surface}`).toBe(personal ? 1 : 0);
        expect(off, `${degree} ${surface}`).toBe(0);
      }
    }
  });
});

/** Visits a shelf may rank with, with the switch of its surface on, and off. */
async function behaviourOn({ page }: ShopperPage, surface: string): Promise<[number, number]> {
  return page.evaluate(`(() => {
    const { surfaces } = shopper.privacy.settings;
    const on = shopper.visits('${surface}').length;
    shopper.set({ surfaces: { ...surfaces, '${surface}': false } });
    const off = shopper.visits('${surface}').length + shopper.touched('${surface}').size;
    shopper.set({ surfaces });
    return [on, off];
  })()`);
}

describe.skipIf(withoutBrowser)('capability 26: the shopper has a share in the decision how much', () => {
  it('capability 26: a device declines the round that would take it beyond its own bound, and takes part in one within it', async () => {
    const coordinator = await coordinatorOf({ participants: 2, privacy: { ...local, epsilon: 8 } });
    shopOf(0, coordinator);
    const { url: origin, relay } = await siteOf(coordinator);
    const shopper = await openShopper(await person(), origin, { url: relay.url });
    await shopper.consent({ degree: 3, notice: 'v2' });
    await shopper.track('view_item', 'sku-1');
    await expect.poll(() => relay.sent.filter(({ data }) => typeof data === 'string' && data.includes('"decline"')).map(({ data }) => (JSON.parse(data as string) as { code: string }).code), { timeout: 40_000 }).toContain('budget.exhausted');
    expect(await shopper.privacy()).toMatchObject({ sent: { bytes: 0 }, epsilon: { spent: 0, bound: 2 } });
    await shopper.ask((it) => it.set({ maxEpsilon: 20 }));
    expect(await coordinator.over).toMatchObject({ code: null });
    await shopper.until(({ lastRound }) => lastRound !== null);
    const frames = relay.sent.flatMap(({ data }) => (typeof data === 'string' ? [] : [data]));
    const { sent, epsilon, lastRound } = await shopper.privacy();
    expect(sent).toEqual({ bytes: frames.reduce((bytes, frame) => bytes + frame.length, 0), messages: frames.length });
    expect(frames.length).toBe(1);
    const held = await shopper.page.evaluate<HeldOnDevice>('sdk.heldOnDevice({ maxEpsilon: 20 })');
    expect(epsilon).toMatchObject({ spent: held.spent.epsilon, bound: 20 });
    expect([lastRound]).toEqual(held.spends.map(({ round }) => round));
    // In the next visit, too, whatever is chosen then.
    await shopper.ask((it) => it.forget());
    const again = await openShopper(shopper.page.context(), origin, { url: relay.url });
    expect(await again.privacy()).toMatchObject({ degree: 0, lastRound, sent: { bytes: 0 } });
    expect((await again.privacy()).epsilon.spent).toBeGreaterThan(0);
  });
});
