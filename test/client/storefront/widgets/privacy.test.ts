import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { PrivacyState } from '../../../../client/storefront/api.ts';
import { launchChromium, withoutBrowser } from '../../../e2e/chromium.ts';
import type { PageScope } from './page.ts';
import { smallTargets, violations, widgetSite, type WidgetSite } from './site.ts';

declare const cesta: PageScope['cesta'];

const panel = '<cesta-privacy></cesta-privacy>';

describe.skipIf(withoutBrowser)('<cesta-privacy>', () => {
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

  async function open(body = panel, options: Parameters<WidgetSite['open']>[2] = {}): Promise<Page> {
    const page = await site.open(browser, body, options);
    await page.locator('cesta-privacy [part=degrees]').waitFor();
    return page;
  }
  const asked = (page: Page, method: string): Promise<unknown[]> => page.evaluate((name) => cesta.asked.filter(([asks]) => asks === name).map(([, ...parameters]) => parameters), method);
  const alter = (page: Page, changes: Partial<PrivacyState>): Promise<void> => page.evaluate((state) => {
    cesta.privacy = { ...cesta.privacy, ...state };
    cesta.change('privacy');
  }, changes);
  const focused = (page: Page): Promise<string | null> => page.evaluate(() => (document.querySelector('cesta-privacy')?.shadowRoot?.activeElement as HTMLElement | null)?.dataset['key'] ?? null);

  for (const [lang, dir] of [['en', 'ltr'], ['es', 'ltr'], ['pl', 'ltr'], ['ar', 'rtl']] as const) {
    it(`has no fault that axe finds and no small target, with everything open: ${lang}`, async () => {
      const page = await open(panel, { lang, dir });
      for (const fold of await page.locator('cesta-privacy summary').all()) await fold.click();
      expect(await violations(page)).toEqual([]);
      expect(await smallTargets(page)).toEqual([]);
      expect(await page.locator('cesta-privacy section').evaluate((element) => [element.getAttribute('lang'), getComputedStyle(element).direction])).toEqual([lang, dir]);
    });
  }

  it('takes as many steps down as up: one choice, and one to save it', async () => {
    const page = await open();
    for (const degree of [3, 0, 1, 2]) {
      await page.getByRole('radio').and(page.locator(`[data-key="degree:${degree}"]`)).click();
      await page.getByRole('button', { name: 'Save my choice' }).click();
      await page.waitForFunction((wanted) => cesta.privacy.degree === wanted, degree);
    }
    expect(await asked(page, 'consent')).toEqual([3, 0, 1, 2].map((degree) => [{ degree, notice: 'v3' }]));
    await page.getByRole('status').filter({ hasText: 'Saved: This device' }).waitFor();
  });

  it('gives its four choices the same weight, each with its consequences, and ticks what is in force', async () => {
    const page = await open();
    const choices = page.locator('cesta-privacy [part=choice]');
    expect(await choices.count()).toBe(4);
    const looks = await choices.evaluateAll((labels) => labels.map((label) => {
      const { fontSize, fontWeight, color, backgroundColor, opacity } = getComputedStyle(label);
      return JSON.stringify([fontSize, fontWeight, color, backgroundColor, opacity, getComputedStyle(label.querySelector('b') as Element).fontWeight, label.querySelector('input')?.getBoundingClientRect().width]);
    }));
    expect(new Set(looks).size).toBe(1);
    expect((await choices.allTextContents()).every((text) => text.split(' ').length > 12)).toBe(true);
    expect(await page.locator('cesta-privacy [name=degree]:checked').getAttribute('value')).toBe('2');
  });

  it('gives nothing in passing: arrow keys choose, and only Enter or the button saves', async () => {
    const page = await open();
    await page.locator('[data-key="degree:2"]').focus();
    await page.keyboard.press('ArrowDown');
    expect(await focused(page)).toBe('degree:3');
    expect(await asked(page, 'consent')).toEqual([]);
    await alter(page, { sent: { bytes: 10, messages: 1 } });
    await page.getByText('10 bytes in 1 message').waitFor();
    expect(await page.locator('cesta-privacy [name=degree]:checked').getAttribute('value')).toBe('3');
    await page.keyboard.press('Enter');
    await page.getByRole('status').filter({ hasText: 'Saved: Help improve' }).waitFor();
    expect(await focused(page)).toBe('degree:3');
  });

  it('with Global Privacy Control goes above what is let only by a second step, which says why', async () => {
    const page = await open();
    await alter(page, { cap: { degree: 2, by: 'gpc' } });
    await page.getByText('Your browser asks shops not to share your data (Global Privacy Control).').waitFor();
    await page.locator('[data-key="degree:3"]').click();
    await page.getByRole('button', { name: 'Save my choice' }).click();
    expect(await asked(page, 'consent')).toEqual([]);
    expect(await focused(page)).toBe('gpc:');
    await page.locator('[data-key="degree:1"]').click();
    expect(await page.getByRole('button', { name: /all the same/ }).count()).toBe(0);
    await page.locator('[data-key="degree:3"]').click();
    await page.getByRole('button', { name: 'Save my choice' }).click();
    await page.getByRole('button', { name: 'I have seen this. Choose “Help improve” all the same' }).click();
    await page.waitForFunction(() => cesta.privacy.degree === 3);
    expect(await asked(page, 'consent')).toEqual([[{ degree: 3, notice: 'v3', despiteGpc: true }]]);
  });

  it('leaves above what a consent tool lets out of reach, and says where to change that', async () => {
    const page = await open();
    await alter(page, { degree: 1, cap: { degree: 1, by: 'tcf' } });
    await page.getByText('What you chose in the consent tool of this page lets it go no higher than “This visit”.').waitFor();
    expect(await page.locator('cesta-privacy [name=degree]:enabled').evaluateAll((radios) => radios.map((radio) => (radio as HTMLInputElement).value))).toEqual(['0', '1']);
  });

  it('says in words why a choice was not taken', async () => {
    const page = await open();
    for (const [code, words] of [['network.unreachable', 'The shop does not answer'], ['consent.notice', 'The notice has changed'], ['consent.capped', 'A signal of your browser']] as const) {
      await page.evaluate((refusal) => (cesta.refusal = refusal), code);
      await page.locator('[data-key="degree:3"]').click();
      await page.getByRole('button', { name: 'Save my choice' }).click();
      await page.getByRole('alert').filter({ hasText: words }).waitFor();
      // What is ticked is what is in force.
      await expect.poll(() => page.locator('[data-key="degree:2"]').isChecked()).toBe(true);
    }
  });

  it('is worked by keyboard alone, from the notice to the receipts', async () => {
    const page = await open();
    const visited: string[] = [];
    for (let step = 0; step < 80; step += 1) {
      await page.keyboard.press('Tab');
      const key = await focused(page);
      if (key === null) break;
      visited.push(key);
      const isVisible = await page.evaluate(() => getComputedStyle(document.querySelector('cesta-privacy')?.shadowRoot?.activeElement as Element).outlineStyle !== 'none');
      expect(isVisible, key).toBe(true);
      if (key.startsWith('surfaces:') || key.startsWith('channels:')) await page.keyboard.press('Space');
      if (key.startsWith('fold:')) await page.keyboard.press('Enter');
      if (key.startsWith('bound:')) await page.keyboard.press('ArrowUp');
    }
    expect(visited).toEqual(['notice:', 'degree:2', 'save:', 'surfaces:home', 'surfaces:product', 'surfaces:cart', 'surfaces:email', 'channels:site', 'channels:email', 'channels:push', 'channels:sms', 'bound:2', 'fold:interests', 'remove:seen', 'remove:b', 'remove:a', 'export:', 'import:', 'erase:', 'fold:receipts']);
    expect(await page.evaluate(() => cesta.privacy.settings)).toMatchObject({
      surfaces: { home: false, product: false, cart: false, email: false }, channels: { site: false, email: true, push: true, sms: true }, maxEpsilon: 1,
    });
  });

  it('takes an interest back, and keeps the place in the list', async () => {
    const page = await open();
    await page.getByText('Edit interests').click();
    const remove = page.getByRole('button', { name: 'Remove b', exact: true });
    await remove.focus();
    await page.keyboard.press('Enter');
    await remove.waitFor({ state: 'detached' });
    expect(await asked(page, 'removeFromHistory')).toEqual([['b']]);
    expect(await focused(page)).toBe('remove:a');
    expect(await page.getByRole('button', { name: 'Remove Bag seen' }).count()).toBe(1);
    expect(await page.locator('cesta-privacy [part=unwanted]').textContent()).toBe('z');
  });

  it('hands out a copy, takes one back, and refuses what is none', async () => {
    const page = await open();
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download a copy' }).click()]);
    expect(download.suggestedFilename()).toBe('cesta.json');
    const copy: unknown = JSON.parse(await readFile(await download.path(), 'utf8'));
    expect(copy).toMatchObject({ format: 'cesta/shopper/1', interests: { unwanted: ['z'] } });
    const file = page.getByLabel('Load a copy');
    await file.setInputFiles({ name: 'copy.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(copy)) });
    await page.getByRole('status').filter({ hasText: 'The copy is in use now.' }).waitFor();
    expect(await asked(page, 'import')).toEqual([[copy]]);
    await file.setInputFiles({ name: 'copy.json', mimeType: 'application/json', buffer: Buffer.from('{') });
    await page.getByRole('alert').filter({ hasText: 'This file holds no copy that can be read.' }).waitFor();
    expect(await asked(page, 'import')).toHaveLength(1);
  });

  it('erases after asking once, and takes a no', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'Erase all' }).press('Enter');
    await page.getByRole('button', { name: 'No, keep it' }).press('Enter');
    expect(await asked(page, 'forget')).toEqual([]);
    expect(await focused(page)).toBe('erase:');
    await page.getByRole('button', { name: 'Erase all' }).click();
    await page.getByRole('button', { name: 'Yes, erase' }).click();
    await page.getByRole('status').filter({ hasText: 'Erased.' }).waitFor();
    expect(await asked(page, 'forget')).toEqual([[]]);
    expect(await page.locator('cesta-privacy [name=degree]:checked').getAttribute('value')).toBe('0');
  });

  it('shows its state as it changes, with a bound that has no name', async () => {
    const page = await open();
    await alter(page, {
      degree: 3, stored: { events: 1200, items: 40, place: 'device' }, sent: { bytes: 2048, messages: 2 }, epsilon: { spent: 1, bound: 3, delta: 1e-5 }, lastRound: 'main-4', participation: 'waiting',
      settings: { diversity: 0, maxEpsilon: 3, surfaces: { home: true, product: true, cart: true, email: true }, channels: { site: true, email: false, push: false, sms: false } },
    });
    await page.getByText('1,200 events about 40 items, on this device').waitFor();
    expect(await page.locator('cesta-privacy dd').allTextContents()).toEqual([
      '1,200 events about 40 items, on this device', '2,048 bytes in 2 messages',
      'Epsilon 1 of at most 3. Who sees all results can bet on whether you took part with odds at most 2.72 times better, but for a chance of 0.00001.', 'main-4', 'Waiting for a round',
    ]);
    expect(await page.getByRole('radio', { name: 'As set now: odds on whether you took part get at most 20.09 times better (epsilon 3)' }).isChecked()).toBe(true);
  });

  it('capability 29: at degree 3 says what leaves and what epsilon means, and promises nothing beyond it', async () => {
    const page = await open();
    await alter(page, { degree: 3, chosen: 3, participation: 'waiting', epsilon: { spent: 1, bound: 2, delta: 1e-5 } });
    await page.getByText('Waiting for a round').waitFor();
    const text = await page.locator('cesta-privacy section').innerText();
    expect(text).toMatch(/numbers made from what you did leave this device, cut to a limit and with noise added first/);
    expect(text).toMatch(/cannot be picked out of it again\. Epsilon bounds what it can tell about you/);
    expect(text).toMatch(/Epsilon 1 of at most 2\./);
    expect(text).toMatch(/one answer, made random, goes to the shop/);
    expect(text).not.toMatch(/anonym|nothing leaves|never leaves|guarantee|100 ?%/i);
  });

  it('can be read on a dark page, too', async () => {
    const page = await open(panel, { colorScheme: 'dark' });
    expect(await page.locator('cesta-privacy section').evaluate((element) => getComputedStyle(element).color)).toBe('rgb(255, 255, 255)');
    expect(await violations(page)).toEqual([]);
  });

  it('fits a width of 320 pixels without scrolling sideways, the shelf beside it, too', async () => {
    const page = await open(`<cesta-shelf></cesta-shelf>${panel}`, { query: '?pictures', viewport: { width: 320, height: 640 }, lang: 'pl' });
    await page.locator('cesta-shelf li h3').first().waitFor();
    for (const fold of await page.locator('cesta-privacy summary').all()) await fold.click();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  });

  it('speaks the words of the shop in its notice', async () => {
    const page = await open(panel, { query: '?notice' });
    expect(await page.locator('cesta-privacy [part=notice] li').allTextContents()).toEqual(['What we note', 'Why we do', 'Where it is']);
    expect(await page.getByRole('link', { name: 'Read it in full' }).getAttribute('href')).toBe('/notice');
  });
});
