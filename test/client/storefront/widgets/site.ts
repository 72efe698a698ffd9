/** Serves a page with the widgets under the policy of a strict shop, and opens it in Chromium. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { bundleForBrowsers } from '../../../../server/web/bundle.ts';
import { answerFile, pagePolicy } from '../../../../server/web/serve-files.ts';
import { createHttpServer, listen } from '../../../../server/listen.ts';

export interface WidgetSite {
  readonly origin: string;
  /** A page with these elements in its body; what the policy forbids, and any error of a script, ends up in `complaints`. */
  open(browser: Browser, body: string, options?: { readonly query?: string; readonly lang?: string; readonly dir?: string } & BrowserContextOptions): Promise<Page>;
  readonly complaints: string[];
  close(): Promise<void>;
}

/** @param entry The script of the page, below the project. */
export async function widgetSite(entry: string): Promise<WidgetSite> {
  const { files } = await bundleForBrowsers({ page: entry });
  const served = new Map(files.map((file) => [`/${file.path}`, file]));
  let document = '';
  const server = createHttpServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const page = { path: 'page.html', bytes: new TextEncoder().encode(document) };
    answerFile(response, pathname === '/' ? page : served.get(pathname), pagePolicy());
  });
  const origin = await listen(server, '127.0.0.1', 0);
  const complaints: string[] = [];
  return {
    origin, complaints,
    async open(browser, body, { query = '', lang = 'en', dir, ...context } = {}) {
      document = `<!doctype html><html lang="${lang}"${dir === undefined ? '' : ` dir="${dir}"`}><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>Shop</title><link rel="icon" href="data:,"><main><h1>Shop</h1>${body}</main><script type="module" src="/page.js"></script></html>`;
      const page = await (await browser.newContext(context)).newPage();
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
      await page.goto(`${origin}/${query}`);
      return page;
    },
    close: () => new Promise((resolve) => void server.close(() => resolve()).closeAllConnections()),
  };
}

/** What axe finds wrong with the page, shadow roots included. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(options: unknown): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } };
    const { violations: found } = await axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
    return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ').slice(0, 400)}`);
  });
}

/** Controls whose target is smaller than 24 by 24 CSS pixels. */
export function smallTargets(page: Page): Promise<string[]> {
  return page.evaluate(() => [...document.querySelectorAll('cesta-shelf, cesta-privacy')].flatMap((host) => (
    [...(host.shadowRoot?.querySelectorAll<HTMLElement>('a[href], button, input, summary') ?? [])]
      .filter((element) => element.checkVisibility())
      .map((element) => ({ element, box: element.getBoundingClientRect() }))
      .filter(({ box }) => box.width < 24 || box.height < 24)
      .map(({ element, box }) => `${element.outerHTML.slice(0, 100)} ${box.width}x${box.height}`))));
}
