/** The dashboard of a real coordinator in a real browser: what its acceptance tests have in common. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import type { Coordinator } from '../../server/coordinator.ts';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import type { Plan } from '../../shared/federation/plan.ts';
import { coordinatorFor, takePart } from '../server/support/coordinators.ts';
import { taskInput } from '../server/support/fixtures.ts';
import { connectShop, shopNamed } from '../server/support/test-client.ts';

const output = fileURLToPath(new URL('../output', import.meta.url));

export interface Visit {
  readonly page: Page;
  /** Addresses of everything that the page asked for. */
  readonly requests: readonly string[];
  /** Errors of the page and its console, refusals of its policy among them. */
  readonly complaints: readonly string[];
  readonly screenshot: (name: string) => Promise<void>;
}

/** A tab of somebody who was never here before. */
export async function visit(browser: Browser, { url }: Pick<Coordinator, 'url'>, options: BrowserContextOptions & { readonly before?: (page: Page) => Promise<unknown> } = {}): Promise<Visit> {
  const { before, ...context } = options;
  const visitor = await browser.newContext(context);
  onTestFinished(() => visitor.close());
  const page = await visitor.newPage();
  const [requests, complaints]: [string[], string[]] = [[], []];
  page.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
  await before?.(page);
  await page.goto(`${url}/`);
  await page.getByRole('heading', { name: 'Rounds' }).waitFor();
  return {
    page, requests, complaints,
    async screenshot(name) {
      mkdirSync(output, { recursive: true });
      await page.screenshot({ path: join(output, `dashboard-${name}.png`), fullPage: true });
    },
  };
}

const pushed = 59;
const catalogue = createCatalogue(Array.from({ length: 60 }, (_, i) => ({ id: `item-${String(i).padStart(2, '0')}`, title: `thing ${i}` })));

function updateFor(plan: Plan, item: number): Int32Array {
  const update = new Int32Array(plan.statisticLength);
  update[item] = 90 * plan.bounds.gridScale;
  update[update.length - 1] = Math.floor(plan.bounds.countValue * plan.bounds.gridScale);
  return update;
}

/** Three releases of two shops: the second is held back by the canary, since one of them pushed an item. */
export async function withCandidate(): Promise<Coordinator> {
  const coordinator = await coordinatorFor({ task: { ...(taskInput({ rounds: 3 }) as object), canary: {} }, catalogue });
  const clients = await Promise.all(['corner', 'market'].map(async (name) => (await connectShop(coordinator.url, shopNamed(name))).client));
  for (const item of [1, pushed, 1]) await Promise.all(clients.map((client, shop) => takePart(client, (plan) => updateFor(plan, shop === 0 ? item : 1))));
  return coordinator;
}
