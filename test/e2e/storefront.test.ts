import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, withoutBrowser } from './chromium.ts';
import { idsOn, openSite, screenshot, startFederation, violationsOf, type Federation } from './demo-shop.ts';

let federation: Federation;
let browser: Browser;
beforeAll(async () => {
  if (withoutBrowser) return;
  [federation, browser] = await Promise.all([startFederation(), launchChromium()]);
});
afterAll(async () => {
  await browser?.close();
  await federation?.close();
});

const cakestand = '22423';
const pages: readonly (readonly [name: string, path: string, title: RegExp])[] = [
  ['home', '/', /^Gifts and things for the home \|/],
  ['product', `/product/${cakestand}`, /^Regency cakestand 3 tier \|/],
  ['list', '/list?department=kitchen', /^Kitchen and table \|/],
  ['basket', '/basket', /^Your basket \|/],
  ['privacy', '/privacy', /^Privacy in this shop \|/],
];

/** As the keyboard does: forward until this is focused. */
async function tabTo(page: Page, isThere: (label: string) => boolean, most = 120): Promise<void> {
  for (let step = 0; step < most; step++) {
    await page.keyboard.press('Tab');
    const label = await page.evaluate(() => {
      let focused = document.activeElement;
      while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
      return focused === null ? '' : `${focused.localName} ${focused.getAttribute('name') ?? ''} ${focused.getAttribute('aria-label') ?? focused.textContent ?? ''}`;
    });
    if (isThere(label)) return;
  }
  throw new Error(`expected to reach it within ${most} steps`);
}

describe.skipIf(withoutBrowser)('the demo shop', () => {
  for (const [name, path, title] of pages) {
    it(`has a page ${name} with an address and a title, and nothing for axe to find: light, dark, and 320 pixels wide`, async () => {
      const { page, errors, go } = await (await openSite(federation)).visitor(browser);
      if (name === 'basket') {
        await go(`/product/${cakestand}`);
        await page.getByRole('button', { name: 'Add to basket' }).click();
      }
      await go(path);
      await expect.poll(() => page.title()).toMatch(title);
      expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe(path);
      if (name !== 'privacy' && name !== 'list') await page.locator('cesta-shelf li[data-item]').first().waitFor();
      await page.locator('cesta-privacy input[name=degree]').first().waitFor();
      for (const [look, width, colorScheme] of [['light', 1280, 'light'], ['dark', 1280, 'dark'], ['narrow', 320, 'dark']] as const) {
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme });
        expect([look, await violationsOf(page)]).toEqual([look, []]);
        expect([look, await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)]).toEqual([look, 0]);
        await screenshot(page, `shop-${name}-${look}`);
      }
      expect(errors).toEqual([]);
    });
  }

  it('answers an address that is opened directly, the way back, and one that is no page', async () => {
    const { page, go } = await (await openSite(federation)).visitor(browser);
    await page.goto(`${new URL(page.url()).origin}/product/${cakestand}`);
    await page.getByRole('heading', { level: 1, name: 'Regency cakestand 3 tier' }).waitFor();
    await go('/list?q=lunch+bag');
    await expect.poll(() => page.locator('main .card').count()).toBeGreaterThan(5);
    await page.goBack();
    await page.getByRole('heading', { level: 1, name: 'Regency cakestand 3 tier' }).waitFor();
    expect((await fetch(`${new URL(page.url()).origin}/nowhere`)).status).toBe(404);
  });

  it('ranks again at once when three products were looked at, says because of what, and asks nobody', async () => {
    const { page, requests, go } = await (await openSite(federation)).visitor(browser);
    // What the page loads last, of itself.
    await page.locator('cesta-privacy input[name=degree]').first().waitFor();
    const popular = await idsOn(page, 'home');
    expect(popular).toHaveLength(8);
    const asked = requests.length;
    for (const id of ['20725', '20727', '22382']) {
      await go(`/product/${id}`);
      await page.locator(`main img`).first().waitFor();
    }
    await go('/');
    await expect.poll(() => page.locator('cesta-shelf[surface=home] .reason').first().textContent()).toMatch(/^Because of .*[Ll]unch bag/);
    expect(await idsOn(page, 'home')).not.toEqual(popular);
    expect(requests.slice(asked)).toEqual([]);
    await page.getByRole('heading', { name: 'You looked at' }).waitFor();
    await screenshot(page, 'shop-because-you-viewed');
  });

  it('works with the keyboard alone: search, look, buy for pretence, choose a degree', async () => {
    const { page } = await (await openSite(federation)).visitor(browser);
    await tabTo(page, (label) => label.startsWith('input q'));
    await page.keyboard.type('cakestand');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toContain('Search: cakestand');
    await tabTo(page, (label) => label.includes('Regency cakestand 3 tier'));
    await page.keyboard.press('Enter');
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe('Regency cakestand 3 tier');
    await tabTo(page, (label) => label.includes('Add to basket'));
    await page.keyboard.press('Enter');
    await page.getByText('Regency cakestand 3 tier is in your basket.').waitFor();
    await page.reload();
    // The basket was in the page's memory: a new page has none.
    await page.getByRole('link', { name: 'Basket (0)' }).waitFor();
    await tabTo(page, (label) => label.includes('Add to basket'));
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Basket (1)' }).focus();
    await page.keyboard.press('Enter');
    await tabTo(page, (label) => label.includes('Pretend to buy'));
    await page.keyboard.press('Enter');
    await page.getByText('nothing was sold').first().waitFor();
    await page.locator('cesta-privacy input[name=degree]').nth(1).focus();
    await page.keyboard.press('ArrowDown');
    await tabTo(page, (label) => label.includes('Save my choice'));
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('#drawer').getAttribute('data-degree')).toBe('2');
  });

  it('speaks four languages, one of them from right to left, widgets included', async () => {
    const { page, errors } = await (await openSite(federation)).visitor(browser);
    for (const [language, name, direction, add] of [['es', 'Regalos y cosas para el hogar', 'ltr', 'Guardar'], ['pl', 'Prezenty i rzeczy do domu', 'ltr', 'Zapisz'], ['ar', 'هدايا وأشياء للمنزل', 'rtl', '']] as const) {
      await page.locator('header select').selectOption(language);
      await page.getByRole('heading', { level: 1, name }).waitFor();
      expect(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir])).toEqual([language, direction]);
      await expect.poll(() => page.locator('cesta-privacy [data-key="save:"]').textContent()).toContain(add);
      await page.locator(`cesta-shelf[surface=home] section[lang=${language}] li[data-item]`).first().waitFor();
    }
    expect(await violationsOf(page)).toEqual([]);
    await screenshot(page, 'shop-home-arabic');
    expect(errors).toEqual([]);
  });
});
