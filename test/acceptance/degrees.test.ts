import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { measureDatabase } from '../../client/storefront/device-constants.ts';
import { servePage } from '../../scripts/storefront/serve-page.ts';
import type { HeldOnDevice } from '../../client/storefront/held-on-device.ts';
import { degrees, type Degree } from '../../shared/commerce/consent.ts';
import { surfaces } from '../../shared/commerce/preferences.ts';
import { launchChromium, withoutBrowser } from '../e2e/chromium.ts';
import { coordinatorOf, local, shopOf, siteOf } from '../e2e/devices.ts';
import { openShopper, type ShopperPage } from './shopper-pages.ts';

let browser: Browser;
beforeAll(async () => {
  if (!withoutBrowser) browser = await launchChromium();
});
afterAll(() => browser?.close());

async function person(): Promise<BrowserContext> {
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  return context;
}

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

// A browser beside other work has little of two cores.
const patience = { timeout: 180_000 };

describe.skipIf(withoutBrowser)('capability 3: choose how much to be personalised', patience, () => {
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

describe.skipIf(withoutBrowser)('capability 26: the shopper has a share in the decision how much', patience, () => {
  it('capability 26: rounds have what reports to experiments left of the bound, and no seat where nothing is left', async () => {
    const site = await servePage(new URL('http://127.0.0.1:9'));
    onTestFinished(() => site.close());
    const shopper = await openShopper(await person(), site.url);
    await shopper.page.evaluate(`new Promise((resolve) => {
      globalThis.heard = [];
      shopper.subscribe(() => heard.push(shopper.privacy.participation));
      const opening = indexedDB.open(${JSON.stringify(measureDatabase)}, 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore('records').put({ salt: null, met: {}, reached: {}, reports: {}, epsilonSpent: 2 }, 'measure');
      opening.onsuccess = () => resolve(opening.result.close());
    })`);
    expect(await shopper.consent({ degree: 3, notice: 'v2' })).toBeNull();
    for (const maxEpsilon of [1, 2]) await shopper.page.evaluate(`(shopper.set({ maxEpsilon: ${maxEpsilon} }), shopper.export())`);
    await shopper.page.waitForTimeout(500);
    expect(await shopper.page.evaluate('[...new Set(heard)]')).toEqual(['off']);
    await shopper.ask((it) => it.set({ maxEpsilon: 2.5 }));
    await shopper.until(({ participation }) => participation !== 'off');
  });

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
