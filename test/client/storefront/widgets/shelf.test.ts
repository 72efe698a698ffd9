import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, withoutBrowser } from '../../../e2e/chromium.ts';
import type { PageScope } from './page.ts';
import { smallTargets, violations, widgetSite, type WidgetSite } from './site.ts';

declare const cesta: PageScope['cesta'];
declare const shelfOf: PageScope['shelfOf'];

const shelf = '<cesta-shelf surface="home" limit="4"></cesta-shelf>';

describe.skipIf(withoutBrowser)('<cesta-shelf>', () => {
  let browser: Browser;
  let site: WidgetSite;
  beforeAll(async () => {
    [browser, site] = await Promise.all([launchChromium(), widgetSite('test/client/storefront/widgets/page.ts')]);
  });
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    expect(site.complaints.splice(0)).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  const titles = (page: Page): Promise<string[]> => page.locator('cesta-shelf h3').allTextContents();
  const asked = (page: Page, method: string): Promise<unknown[]> => page.evaluate((name) => cesta.asked.filter(([asks]) => asks === name).map(([, ...parameters]) => parameters), method);

  it('shows cards with title, price, link and the reason they are there, without a fault that axe finds or a small target', async () => {
    const page = await site.open(browser, shelf, { query: '?pictures' });
    await page.locator('cesta-shelf li h3').first().waitFor();
    expect(await titles(page)).toEqual(['Bag a', 'Bag b', 'Bag c', 'Bag d']);
    const first = page.locator('cesta-shelf li').first();
    expect(await first.locator('[part=price]').textContent()).toBe('€9.50');
    expect(await first.locator('a').getAttribute('href')).toBe('#a');
    expect(await page.locator('cesta-shelf .reason').allTextContents()).toEqual(expect.arrayContaining(['Because of Seen bag, from your visits on this device', 'Popular in this shop']));
    expect(await page.locator('cesta-shelf').getByRole('list').count()).toBe(1);
    expect(await page.locator('cesta-shelf').getByRole('region', { name: 'Recommended' }).count()).toBe(1);
    expect(await violations(page)).toEqual([]);
    expect(await smallTargets(page)).toEqual([]);
  });

  it('says "in this visit" at degree 1, and offers nothing to remember at degree 0', async () => {
    const page = await site.open(browser, shelf);
    await page.getByRole('button', { name: 'Not interested in Bag a' }).waitFor();
    await page.evaluate(() => ((cesta.privacy = { ...cesta.privacy, degree: 1 }), cesta.change('privacy')));
    await page.getByText('Because of Seen bag, from this visit').first().waitFor();
    await page.evaluate(() => ((cesta.privacy = { ...cesta.privacy, degree: 0 }), cesta.change('privacy')));
    await page.getByRole('button', { name: 'Personal: Off. Change' }).waitFor();
    expect(await page.getByRole('button', { name: /Not interested/ }).count()).toBe(0);
  });

  it('holds the place of its cards before there is a release, and nothing moves when they come', async () => {
    const page = await site.open(browser, `${shelf}<p id="below">Below</p>`, { query: '?wait&pictures' });
    await page.locator('cesta-shelf').getByRole('button', { name: /Personal/ }).waitFor({ state: 'detached' });
    const below = (): Promise<number> => page.evaluate(() => document.getElementById('below')?.getBoundingClientRect().top ?? NaN);
    expect(await page.locator('cesta-shelf li.coming').count()).toBe(4);
    const before = await below();
    await page.evaluate(() => cesta.begin());
    await page.locator('cesta-shelf li h3').first().waitFor();
    expect(await below()).toBe(before);
  });

  it('keeps the focus on the same item while the order changes, and on the same place when the item goes', async () => {
    const page = await site.open(browser, shelf);
    const focused = (): Promise<string | undefined> => page.evaluate(() => (document.querySelector('cesta-shelf')?.shadowRoot?.activeElement as HTMLElement | null)?.dataset['key']);
    await page.locator('cesta-shelf a').nth(1).focus();
    await page.evaluate(() => ((cesta.shelf = shelfOf('d', 'c', 'b', 'a')), cesta.change('history')));
    await page.locator('cesta-shelf li').first().filter({ hasText: 'Bag d' }).waitFor();
    expect(await focused()).toBe('link:b');
    await page.getByRole('button', { name: 'Not interested in Bag c' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('Bag c', { exact: true }).waitFor({ state: 'detached' });
    expect(await asked(page, 'notInterested')).toEqual([['c']]);
    expect(await focused()).toBe('hide:b');
  });

  it('tells of a burst of changes once, politely, and not of the first shelf', async () => {
    const page = await site.open(browser, shelf);
    await page.locator('cesta-shelf h3').first().waitFor();
    await page.evaluate(async () => {
      const told: string[] = [];
      Object.assign(globalThis, { told });
      const node = document.querySelector('cesta-shelf')?.shadowRoot?.querySelector('[role=status]');
      new MutationObserver(() => told.push(node?.textContent ?? '')).observe(node as Node, { childList: true });
      for (const order of [['b', 'a', 'c', 'd'], ['c', 'a', 'b', 'd'], ['d', 'b', 'a']]) {
        cesta.shelf = shelfOf(...order);
        cesta.change('history');
        cesta.change('settings');
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    });
    await page.locator('cesta-shelf [role=status]').filter({ hasText: /updated/ }).waitFor({ state: 'attached' });
    expect(await page.evaluate(() => (globalThis as unknown as { told: string[] }).told)).toEqual(['3 recommendations updated']);
  });

  it('notes each card once as shown, and a click as a selection that the page may take over', async () => {
    const page = await site.open(browser, shelf, { viewport: { width: 1000, height: 900 } });
    await page.waitForFunction(() => cesta.asked.filter(([method]) => method === 'track').flatMap(([, , ids]) => ids as string[]).length === 4);
    await page.evaluate(() => cesta.change('history'));
    await page.locator('cesta-shelf a').first().click();
    await expect.poll(() => new URL(page.url()).hash).toBe('#a');
    await page.evaluate(() => document.addEventListener('cesta-select', (event) => event.preventDefault()));
    await page.locator('cesta-shelf a').nth(1).click();
    expect(new URL(page.url()).hash).toBe('#a');
    const tracked = await asked(page, 'track');
    expect(tracked.filter((call) => (call as string[])[0] === 'select_item')).toEqual([['select_item', ['a']], ['select_item', ['b']]]);
    expect(tracked.filter((call) => (call as string[])[0] === 'view_item_list').flatMap((call) => (call as string[][])[1]).sort()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('does not count what is below the fold', async () => {
    const page = await site.open(browser, `${'<p>tall</p>'.repeat(60)}${shelf}`, { viewport: { width: 800, height: 400 } });
    await page.locator('cesta-shelf li h3').first().waitFor({ state: 'attached' });
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    expect(await asked(page, 'track')).toEqual([]);
    await page.locator('cesta-shelf').scrollIntoViewIfNeeded();
    await page.waitForFunction(() => cesta.asked.some(([method, event]) => method === 'track' && event === 'view_item_list'));
  });

  it('sets the variety by keyboard, and follows when it is set elsewhere', async () => {
    const page = await site.open(browser, shelf);
    const range = page.getByRole('slider', { name: 'Variety' });
    await range.focus();
    await page.keyboard.press('ArrowRight');
    expect(await asked(page, 'set')).toEqual([[{ diversity: 0.3 }]]);
    await page.evaluate(() => cesta.set({ diversity: 0.9 }));
    await page.waitForFunction(() => (document.querySelector('cesta-shelf')?.shadowRoot?.querySelector('input')?.getAttribute('aria-valuetext') ?? '') === 'more, 90%');
  });

  it('opens the privacy panel in a dialog that gives the focus back, unless the page has a place of its own', async () => {
    const page = await site.open(browser, shelf);
    await page.getByRole('button', { name: 'Personal: This device. Change' }).press('Enter');
    await page.getByRole('dialog').getByRole('radio', { name: /^Help improve/ }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await expect.poll(() => page.evaluate(() => (document.querySelector('cesta-shelf')?.shadowRoot?.activeElement as HTMLElement | null)?.dataset['key'])).toBe('degree:');
    await page.evaluate(() => document.addEventListener('cesta-privacy-open', (event) => event.preventDefault()));
    await page.getByRole('button', { name: /^Personal/ }).click();
    expect(await page.getByRole('dialog').count()).toBe(0);
  });

  it('says in words that it is empty, or that it failed and how to try again', async () => {
    const page = await site.open(browser, shelf, { query: '?wait' });
    await page.evaluate(() => cesta.fail());
    await page.getByRole('alert').filter({ hasText: 'Recommendations cannot be shown just now.' }).waitFor();
    expect(await violations(page)).toEqual([]);
    const retry = page.getByRole('button', { name: 'Try again' });
    await retry.focus();
    const kept = await page.evaluate(async () => {
      const active = (): Element | null | undefined => document.querySelector('cesta-shelf')?.shadowRoot?.activeElement;
      const before = active();
      cesta.change('history');
      await new Promise((resolve) => setTimeout(resolve, 20));
      return before !== null && before === active();
    });
    expect(kept).toBe(true);
    await retry.press('Enter');
    await page.locator('cesta-shelf h3').first().waitFor();
    await page.evaluate(() => ((cesta.shelf = []), cesta.change('history')));
    await page.getByText('There is nothing to recommend here yet.').waitFor();
  });

  it('follows its attributes', async () => {
    const page = await site.open(browser, shelf);
    await page.locator('cesta-shelf h3').first().waitFor();
    await page.evaluate(() => {
      const element = document.querySelector('cesta-shelf');
      element?.setAttribute('heading', 'For your trip');
      element?.setAttribute('limit', '2');
    });
    await page.getByRole('heading', { name: 'For your trip' }).waitFor();
    expect(await titles(page)).toEqual(['Bag a', 'Bag b']);
  });

  it('runs from right to left in Arabic, title by title in the direction of its words', async () => {
    const page = await site.open(browser, '<cesta-shelf></cesta-shelf>', { lang: 'ar', dir: 'rtl' });
    await page.getByRole('heading', { name: 'مقترحات' }).waitFor();
    await page.locator('cesta-shelf li h3').first().waitFor();
    const [first, second] = await page.locator('cesta-shelf li').evaluateAll((cards) => cards.map((card) => card.getBoundingClientRect().left));
    expect(first).toBeGreaterThan(second);
    expect(await page.locator('cesta-shelf a').first().getAttribute('dir')).toBe('auto');
    expect(await violations(page)).toEqual([]);
    await page.evaluate(() => ((document.documentElement.lang = 'pl'), (document.documentElement.dir = 'ltr')));
    await page.getByRole('heading', { name: 'Polecane' }).waitFor();
  });

  it('stands still for those who asked for that, and keeps its edges in forced colours', async () => {
    const moving = (page: Page): Promise<number> => page.evaluate(() => document.querySelector('cesta-shelf')?.shadowRoot?.querySelector('li')?.getAnimations().length ?? NaN);
    const page = await site.open(browser, shelf, { query: '?wait', reducedMotion: 'no-preference' });
    expect(await moving(page)).toBe(1);
    await page.emulateMedia({ reducedMotion: 'reduce', forcedColors: 'active' });
    expect(await moving(page)).toBe(0);
    await page.evaluate(() => cesta.begin());
    await page.locator('cesta-shelf h3').first().waitFor();
    const edges = await page.locator('cesta-shelf li, cesta-shelf li > button').evaluateAll((elements) => elements.map((element) => {
      const { borderTopWidth, borderTopColor, color } = getComputedStyle(element);
      return borderTopWidth === '1px' && borderTopColor === color;
    }));
    expect(edges).toEqual(edges.map(() => true));
    expect(edges.length).toBe(8);
  });
});
