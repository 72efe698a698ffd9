import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CestaOptions } from '../../client/storefront/api.ts';
import type { Coordinator } from '../../server/coordinator.ts';
import { launchChromium, withoutBrowser } from '../e2e/chromium.ts';
import { catalogue, coordinatorOf, shopOf, siteOf, type Site } from '../e2e/devices.ts';

/** A coordinator with one release, of which two shops know what goes with what. */
async function released(): Promise<Coordinator> {
  const coordinator = await coordinatorOf({ participants: 2, model: { kind: 'item-knn' }, privacy: { mode: 'none', rounds: 1 } });
  [0, 1].forEach((index) => shopOf(index, coordinator, {}));
  expect(await coordinator.over).toMatchObject({ code: null });
  return coordinator;
}

/** A page with the SDK as it is, and both widgets on it. */
async function open(browser: Browser, site: Site, options: Partial<CestaOptions> = {}): Promise<Page> {
  const { page } = await site.visitor(browser);
  const given = JSON.stringify({ url: site.relay.url, notice: { version: 'v3', url: '/page.html' }, ...options });
  await page.evaluate(`Promise.all([import('/cesta.js'), import('/widgets.js')]).then(([{ createCesta }, { defineWidgets }]) => {
    globalThis.cesta = createCesta(${given});
    defineWidgets(cesta);
    document.body.replaceChildren(document.createElement('cesta-shelf'), document.createElement('cesta-privacy'));
  })`);
  await page.locator('cesta-privacy [part=degrees]').waitFor();
  await page.locator('cesta-shelf li h3').first().waitFor();
  return page;
}

const reasons = (page: Page): Promise<string[]> => page.locator('cesta-shelf .reason').allTextContents();
const view = (page: Page, ...items: readonly string[]): Promise<void> => page.evaluate(`cesta.track('view_item', ${JSON.stringify(items.map((item_id) => ({ item_id })))})`);

describe.skipIf(withoutBrowser)('the widgets on a shop of their own', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  it('capability 13: each card says why it is there, and only with what was viewed here', async () => {
    const site = await siteOf(await released());
    const page = await open(browser, site, { defaultDegree: 1 });
    expect(await reasons(page)).not.toEqual(expect.arrayContaining([expect.stringContaining('Because')]));
    const [viewed] = catalogue.products;
    await view(page, viewed.id);
    await page.getByText(`Because you viewed ${viewed.title} in this visit`).first().waitFor();
    const told = await reasons(page);
    expect(told).toHaveLength(8);
    expect(told.filter((text) => text.startsWith('Because'))).toEqual(told.filter((text) => text === `Because you viewed ${viewed.title} in this visit`));
  });
});
