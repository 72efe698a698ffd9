import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRelease } from '../../shared/federation/release.ts';
import { launchChromium, withoutBrowser } from './chromium.ts';
import { idsOn, openSite, screenshot, startFederation, type Federation, type Site, type Visitor } from './demo-shop.ts';

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

const bags = ['20725', '20727', '22382'];

async function look({ page, go }: Visitor, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    await go(`/product/${id}`);
    await page.locator('.product').waitFor();
  }
  await go('/');
}

/** Product ids that stand in a text as words of their own. */
function idsIn(text: string): string[] {
  const words = new Set(text.split(/[^0-9A-Za-z]+/));
  return federation.ids.filter((id) => words.has(id));
}

/** Sizes of the binary frames of each connection that sent any. */
function reportsOf({ relay }: Site): number[][] {
  const sizes = new Map<number, number[]>();
  for (const { connection, data } of relay.sent) if (typeof data !== 'string') sizes.set(connection, [...(sizes.get(connection) ?? []), data.length]);
  return [...sizes.values()];
}

/** Participants whose reports are in the release of a task. */
async function cohortOf(task: string): Promise<number> {
  const { publicKey } = (await (await fetch(`${federation.url}/.well-known/cesta.json`)).json()) as { publicKey: string };
  return (await openRelease(new Uint8Array(await (await fetch(`${federation.url}/v1/tasks/${task}/model`)).arrayBuffer()), publicKey)).manifest.cohort;
}

async function headline(page: Page): Promise<{ messages: number; bytes: number }> {
  const line = page.locator('.headline');
  return { messages: Number(await line.getAttribute('data-messages')), bytes: Number(await line.getAttribute('data-bytes')) };
}

/** Everything that the origin keeps in this browser. */
function stored(page: Page): Promise<{ readonly rows: number; readonly rest: unknown }> {
  return page.evaluate(async () => {
    const rows: unknown[] = [];
    for (const { name = '' } of await indexedDB.databases()) {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const opening = indexedDB.open(name);
        opening.onsuccess = () => resolve(opening.result);
        opening.onerror = () => reject(new Error(name));
      });
      for (const store of database.objectStoreNames) {
        rows.push(...await new Promise<unknown[]>((resolve) => {
          const reading = database.transaction(store).objectStore(store).getAll();
          reading.onsuccess = () => resolve(reading.result as unknown[]);
        }));
      }
      database.close();
    }
    return { rows: rows.length, rest: [{ ...localStorage }, { ...sessionStorage }, document.cookie, await caches.keys()] };
  });
}

describe.skipIf(withoutBrowser)('what leaves the demo shop', () => {
  for (const degree of [0, 1, 2] as const) {
    it(`capability 11: at degree ${degree} no body, no query and no frame holds an item, and the drawer stays at nothing`, async () => {
      const site = await openSite(federation);
      const visitor = await site.visitor(browser);
      const { page, requests } = visitor;
      if (degree !== 1) await visitor.choose(degree);
      await look(visitor, bags);
      await page.getByRole('link', { name: 'All products' }).click();
      await page.locator('main .card a').first().click();
      await page.getByRole('button', { name: 'Add to basket' }).click();
      await page.getByRole('link', { name: 'Basket (1)' }).click();
      await page.getByRole('button', { name: 'Pretend to buy' }).click();
      await page.getByText('nothing was sold').first().waitFor();
      expect(requests.length).toBeGreaterThan(5);
      expect(requests.map(({ body, url }) => idsIn(body + new URL(url).search))).toEqual(requests.map(() => []));
      expect(requests.every(({ method, body }) => method === 'GET' && body === '')).toBe(true);
      expect(site.relay.requests.every(({ line, bodyBytes }) => bodyBytes === 0 && idsIn(line).length === 0)).toBe(true);
      expect(site.relay.sent).toEqual([]);
      expect(await headline(page)).toEqual({ messages: 0, bytes: 0 });
    });
  }

  it('capability 11, 14: at degree 3 one message of one size leaves in a round, whatever the history, and the drawer counts its very bytes', async () => {
    const site = await openSite(federation);
    const [brief, avid] = [await site.visitor(browser), await site.visitor(browser)];
    await look(brief, bags.slice(0, 1));
    await look(avid, federation.ids.filter((_id, index) => index % 150 === 0));
    const { round } = await federation.openRound(2);
    for (const visitor of [brief, avid]) await visitor.choose(3);
    for (const { page } of [brief, avid]) await page.locator('.noise').waitFor({ timeout: 40_000 });
    // A drawer shows a message when it is handed to the socket.
    await expect.poll(() => reportsOf(site).length).toBe(2);

    const [first, second, ...others] = reportsOf(site);
    expect(others).toEqual([]);
    expect(second).toEqual(first);
    const bytes = first.reduce((sum, size) => sum + size, 0);
    for (const { page } of [brief, avid]) {
      expect(await headline(page)).toEqual({ messages: 1, bytes });
      await page.getByText(`Round ${round}: ${bytes.toLocaleString('en-GB')} bytes`).waitFor();
      await expect.poll(() => page.getByText(/^Spent on this device: epsilon 0\.\d\d of at most/).count()).toBe(1);
      await expect.poll(() => page.locator('cesta-privacy').getByText(/1 message\b/).count()).toBe(1);
    }
    for (const { data } of site.relay.sent) expect(idsIn(typeof data === 'string' ? data : '')).toEqual([]);
    await screenshot(brief.page, 'shop-degree-3', { fullPage: true });
  });

  it('capability 14: the drawer adds up the bytes of what the page fetched, and lists every address that page and worker asked for', async () => {
    const site = await openSite(federation);
    const visitor = await site.visitor(browser);
    const { page, requests } = visitor;
    const sizes: Promise<number>[] = [];
    // From a new page on, so that no answer is missed.
    page.context().on('response', (response) => void sizes.push(response.body().then(({ length }) => length, () => 0)));
    const before = requests.length;
    await page.reload();
    await page.locator('cesta-shelf[surface=home] li[data-item]').first().waitFor();
    await page.locator('cesta-privacy input[name=degree]').first().waitFor();
    await look(visitor, bags);
    const bytes = async (): Promise<number> => (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    const shown = async (name: string): Promise<number> => Number(await page.locator('.downloads').getAttribute(name));
    await expect.poll(async () => [await shown('data-bytes') - await bytes(), await shown('data-count') - sizes.length]).toEqual([0, 0]);

    await federation.openRound(1);
    await visitor.choose(3);
    await page.locator('.noise').waitFor({ timeout: 40_000 });
    const listed = (): Promise<string[]> => page.locator('#drawer td[dir=ltr]').evaluateAll((cells) => [...new Set(cells.map(({ textContent }) => textContent ?? '').filter((text) => text.startsWith('GET ')))].sort());
    const asked = (): string[] => [...new Set(requests.slice(before).map(({ method, url }) => `${method} ${url.slice(site.url.length)}`))].sort();
    // Of the worker's own, which may come after all that the page asks for.
    await expect.poll(asked).toContainEqual(expect.stringMatching(/^GET \/cesta\/v1\/log\//));
    await expect.poll(async () => JSON.stringify(await listed()) === JSON.stringify(asked()) ? [] : [await listed(), asked()]).toEqual([]);
  });

  it('capability 19: asks its own origin alone, in every degree and in a round', async () => {
    const site = await openSite(federation, { withShop: true });
    const visitor = await site.visitor(browser);
    await look(visitor, bags);
    await federation.openRound(1);
    for (const degree of [2, 3] as const) await visitor.choose(degree);
    await visitor.page.locator('.noise').waitFor({ timeout: 40_000 });
    expect([...new Set(visitor.requests.map(({ url }) => new URL(url).origin))]).toEqual([site.url]);
    expect(visitor.errors).toEqual([]);
    // Choices go to the shop node for its signed receipt; what was looked at is not among them.
    const posted = visitor.requests.filter(({ method }) => method !== 'GET');
    expect(posted.map(({ method, url }) => `${method} ${new URL(url).pathname}`)).toContain('POST /shop/v1/consents');
    expect(posted.flatMap(({ body }) => idsIn(body))).toEqual([]);
    await expect.poll(() => visitor.page.locator('#drawer').textContent()).toContain(`${posted.filter(({ body }) => body !== '').length} sent choices`);
  });

  it('capability 2: back at degree 0 nothing is kept, and the shelf is the one that everybody sees', async () => {
    const site = await openSite(federation);
    const visitor = await site.visitor(browser);
    const { page } = visitor;
    await visitor.choose(0);
    const popular = await idsOn(page, 'home');
    expect(popular).toHaveLength(8);
    await visitor.choose(2);
    await look(visitor, bags);
    await expect.poll(() => idsOn(page, 'home')).not.toEqual(popular);
    // Sealed, so that no item is to be read there; but it is there.
    await expect.poll(async () => (await stored(page)).rows).toBeGreaterThan(0);
    await visitor.choose(0);
    await expect.poll(() => idsOn(page, 'home')).toEqual(popular);
    // The choice alone: without it the shop would begin with degree 1 again.
    await expect.poll(() => stored(page)).toEqual({ rows: 0, rest: [{ 'cesta-shopper': '{"degree":0}' }, {}, '', []] });
  });

  it('capability 2: back at degree 0 in the middle of a round, the round is without this device', async () => {
    const site = await openSite(federation);
    const visitor = await site.visitor(browser);
    await look(visitor, bags);
    const joined = site.relay.muteAfter(1, 'join');
    const { task } = await federation.openRound(1, 2);
    await visitor.choose(3);
    await joined;
    await visitor.choose(0);
    await expect.poll(async () => (await fetch(`${federation.url}/v1/tasks/${task}/model`)).status, { timeout: 30_000 }).toBe(200);
    expect(await cohortOf(task)).toBe(2);
    expect(reportsOf(site)).toEqual([]);
    expect(await headline(visitor.page)).toEqual({ messages: 0, bytes: 0 });
    await expect.poll(async () => (await stored(visitor.page)).rest).toEqual([{ 'cesta-shopper': '{"degree":0}' }, {}, '', []]);
  });
});
