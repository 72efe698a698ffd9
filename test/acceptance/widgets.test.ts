import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CestaOptions } from '../../client/storefront/api.ts';
import type { HeldOnDevice } from '../../client/storefront/held-on-device.ts';
import type { Coordinator } from '../../server/coordinator.ts';
import { launchChromium, withoutBrowser } from '../e2e/chromium.ts';
import { catalogue, coordinatorOf, shopOf, siteOf, type Site } from '../e2e/devices.ts';
import { smallTargets, violations } from '../client/storefront/widgets/site.ts';

/** A coordinator with one release, of which two shops know what goes with what. */
async function released(): Promise<Coordinator> {
  const coordinator = await coordinatorOf({ participants: 2, model: { kind: 'item-knn' }, privacy: { mode: 'none', rounds: 1 } });
  [0, 1].forEach((index) => shopOf(index, coordinator, {}));
  expect(await coordinator.over).toMatchObject({ code: null });
  return coordinator;
}

/** A round that waits for two shops and one device, within what a device spends unless told otherwise. */
function waiting(): Promise<Coordinator> {
  return coordinatorOf({ participants: 3, privacy: { mode: 'local', epsilon: 1.5, delta: 1e-5, rounds: 1 } });
}

/** A page with the SDK as it is, and these widgets in its body. */
async function open(browser: Browser, site: Site, widgets: readonly string[], options: Partial<CestaOptions> = {}): Promise<Page> {
  const { page } = await site.visitor(browser);
  const given = JSON.stringify({ url: site.relay.url, notice: { version: 'v3', url: '/page.html' }, ...options });
  await page.evaluate(`Promise.all([import('/cesta.js'), import('/widgets.js')]).then(([sdk, { defineWidgets }]) => {
    Object.assign(globalThis, { sdk, cesta: sdk.createCesta(${given}) });
    defineWidgets(cesta);
    const main = document.createElement('main');
    main.append(Object.assign(document.createElement('h1'), { textContent: 'Shop' }), ...${JSON.stringify(widgets)}.map((name) => document.createElement(name)));
    document.body.replaceChildren(main);
  })`);
  if (widgets.includes('cesta-privacy')) await page.locator('cesta-privacy [part=degrees]').waitFor();
  if (widgets.includes('cesta-shelf')) await page.locator('cesta-shelf li h3').first().waitFor();
  return page;
}

const reasons = (page: Page): Promise<string[]> => page.locator('cesta-shelf .reason').allTextContents();
const track = (page: Page, event: string, ...items: readonly string[]): Promise<void> => page.evaluate(`cesta.track('${event}', ${JSON.stringify(items.map((item_id) => ({ item_id })))})`);

async function choose(page: Page, degree: 0 | 1 | 2 | 3): Promise<void> {
  await page.locator(`[data-key="degree:${degree}"]`).click();
  await page.getByRole('button', { name: 'Save my choice' }).click();
  await page.waitForFunction(`cesta.privacy.degree === ${degree}`);
}

/** The numbers of the panel, as they stand there. */
async function numbers(page: Page): Promise<Record<string, string>> {
  const [terms, descriptions] = await Promise.all([page.locator('cesta-privacy dt').allTextContents(), page.locator('cesta-privacy dd').allTextContents()]);
  return Object.fromEntries(terms.map((term, index) => [term, descriptions[index]]));
}

const written = (value: number): string => new Intl.NumberFormat('en', { maximumFractionDigits: 2 }).format(Math.ceil(value * 100 - 1e-9) / 100);

describe.skipIf(withoutBrowser)('the widgets on the SDK and a coordinator', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  it('capability 13: each card says why it is there, and only with what was viewed here', async () => {
    const site = await siteOf(await released());
    const page = await open(browser, site, ['cesta-shelf', 'cesta-privacy'], { defaultDegree: 1 });
    expect((await reasons(page)).filter((text) => text.startsWith('Because'))).toEqual([]);
    const [viewed] = catalogue.products;
    await track(page, 'view_item', viewed.id);
    await page.getByText(`Because of ${viewed.title}, from this visit`).first().waitFor();
    const told = await reasons(page);
    expect(told).toHaveLength(8);
    expect(new Set(told.filter((text) => text.startsWith('Because')))).toEqual(new Set([`Because of ${viewed.title}, from this visit`]));
    await choose(page, 2);
    await page.getByText(`Because of ${viewed.title}, from your visits on this device`).first().waitFor();
    expect(await violations(page)).toEqual([]);
    expect(await smallTargets(page)).toEqual([]);

    // What is taken back explains nothing any more.
    await page.getByText('Edit interests').click();
    await page.getByRole('button', { name: `Remove ${viewed.title}`, exact: true }).press('Enter');
    await page.getByText('No interests are stored.').waitFor();
    await page.waitForFunction(() => ![...(document.querySelector('cesta-shelf')?.shadowRoot?.querySelectorAll('.reason') ?? [])].some(({ textContent }) => textContent?.startsWith('Because')));
  });

  it('capability 14: the numbers of the panel are those that were measured outside of it', async () => {
    const coordinator = await waiting();
    const site = await siteOf(coordinator);
    const page = await open(browser, site, ['cesta-privacy']);
    expect(await numbers(page)).toMatchObject({ Stored: '0 events about 0 items: nothing is stored', 'Sent from this page': '0 bytes in 0 messages', 'Last round': 'None yet', Training: 'Takes no part' });

    await choose(page, 2);
    const [a, b] = catalogue.products;
    await track(page, 'view_item', a.id, b.id);
    await track(page, 'add_to_cart', a.id);
    await page.getByText('3 events about 2 items, on this device').waitFor();
    expect(site.relay.sent).toEqual([]);
    expect(site.relay.requests.filter(({ line, bodyBytes }) => bodyBytes > 0 || !line.startsWith('GET '))).toEqual([]);
    expect((await numbers(page))['Sent from this page']).toBe('0 bytes in 0 messages');

    [0, 1].forEach((index) => shopOf(index, coordinator));
    await choose(page, 3);
    expect(await coordinator.over).toMatchObject({ code: null });
    await page.waitForFunction(() => document.querySelector('cesta-privacy')?.shadowRoot?.querySelector('dl')?.textContent?.includes('trial-1'));
    const frames = site.relay.sent.map(({ data }) => data).filter((data) => typeof data !== 'string');
    const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
    expect(bytes).toBeGreaterThan(0);
    const held = await page.evaluate<HeldOnDevice>('sdk.heldOnDevice({ maxEpsilon: 2, maxDelta: cesta.privacy.epsilon.delta })');
    expect(held.receipts.map(({ receipt }) => receipt.round)).toEqual(['trial-1']);
    const told = await numbers(page);
    expect(told).toMatchObject({ 'Sent from this page': `${written(bytes)} bytes in ${frames.length} ${frames.length === 1 ? 'message' : 'messages'}`, 'Last round': 'trial-1', Stored: '3 events about 2 items, on this device' });
    expect(held.spent.epsilon).toBeGreaterThan(0);
    expect(told['Privacy spent']).toContain(`Epsilon ${written(held.spent.epsilon)} of at most 2.`);
    expect(told['Privacy spent']).toContain(`at most ${written(Math.exp(held.spent.epsilon))} times better`);

    // Erasing ends what is stored, and not what was spent.
    await page.getByRole('button', { name: 'Erase all' }).click();
    await page.getByRole('button', { name: 'Yes, erase' }).click();
    await page.getByText('0 events about 0 items: nothing is stored').waitFor();
    expect((await numbers(page))['Privacy spent']).toBe(told['Privacy spent']);
  });

  it('capability 2: withdrawing in the panel takes no more clicks than granting, and is in force with the last of them', async () => {
    const site = await siteOf(await waiting());
    const page = await open(browser, site, ['cesta-privacy']);
    await page.evaluate(`globalThis.clicks = 0; addEventListener('pointerup', () => { clicks += 1; }, true)`);
    await choose(page, 3);
    await page.getByText('Saved: Help improve').waitFor();
    const granting = await page.evaluate<number>('clicks');
    expect(granting).toBeGreaterThan(0);
    await choose(page, 0);
    expect(await page.evaluate('[cesta.privacy.degree, cesta.privacy.participation, cesta.interests().events.length]')).toEqual([0, 'off', 0]);
    expect(await page.evaluate<number>('clicks') - granting).toBeLessThanOrEqual(granting);
  });
});
