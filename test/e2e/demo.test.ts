/**
 * The demo as it is started: a short year of real orders over real sockets, three addresses that answer, a malicious shop that
 * joins, an attacker's view, and nothing left when it ends.
 */
import { readFileSync, readdirSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BackstageState } from '../../scripts/demo/backstage/state.ts';
import type { DemoAddresses, DemoResult } from '../../scripts/demo/demo.ts';
import { budgetSchema } from '../../server/http/schemas.ts';
import { qualitySchema } from '../../server/dashboard/schemas.ts';
import { violations } from '../client/storefront/widgets/site.ts';
import { launchChromium, withoutBrowser } from './chromium.ts';
import { openWorkshop, type Running, type Workshop } from './processes.ts';

const rounds = 4;
const waitMs = 240_000;

/** Processes that this test's demo started, by what their command line says. */
function processesOf(folder: string): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return line.includes(folder) ? [line] : [];
    } catch {
      // It ended meanwhile.
      return [];
    }
  });
}

describe('the demo', () => {
  let workshop: Workshop;
  let demo: Running;
  let addresses: DemoAddresses;
  let lines: () => readonly unknown[];
  beforeAll(async () => {
    workshop = openWorkshop();
    demo = workshop.run(['demo', '--json', '--port', '0', '--shops', '5', '--rounds', String(rounds), '--month-seconds', '8'], { TMPDIR: workshop.folder });
    lines = () => demo.stdout().split('\n').filter(Boolean).map((line) => JSON.parse(line) as unknown);
    await demo.until(/"addresses":\{[^}]*\}.*\n/);
    ({ addresses } = lines()[0] as { readonly addresses: DemoAddresses });
  }, waitMs);
  afterAll(() => workshop.close());

  it('answers at its three addresses before a round has ended', async () => {
    expect(Object.keys(addresses)).toEqual(['dashboard', 'shop', 'backstage']);
    for (const url of [addresses.dashboard, addresses.shop, addresses.backstage]) {
      const response = await fetch(url);
      expect(response.status, url).toBe(200);
      expect(await response.text()).toContain('<!doctype html>');
    }
    expect(lines()).toHaveLength(1);
  }, waitMs);

  describe.skipIf(withoutBrowser)('backstage', () => {
    let browser: Browser;
    let page: Page;
    const problems: string[] = [];
    beforeAll(async () => {
      browser = await launchChromium();
      page = await browser.newPage({ viewport: { width: 360, height: 740 } });
      page.on('pageerror', ({ message }) => problems.push(message));
      page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
      await page.goto(addresses.backstage);
    }, waitMs);
    afterAll(() => browser.close());

    /** As a keyboard alone reaches it. */
    async function pressByKeyboard(name: string): Promise<void> {
      const wanted = page.getByRole('button', { name, exact: true });
      await wanted.waitFor();
      for (let tabs = 0; tabs < 40; tabs += 1) {
        await page.keyboard.press('Tab');
        if (await wanted.evaluate((button) => button === document.activeElement)) return page.keyboard.press('Enter');
      }
      throw new Error(`expected ${name} to be reached by the keyboard`);
    }

    it('adds a malicious shop that gets into sums, and shows what it did', async () => {
      await pressByKeyboard('Add a malicious shop');
      await page.getByText('The malicious shop is in the federation.').waitFor({ timeout: waitMs });
      await page.getByText(/Its report is in [1-9]/).waitFor({ timeout: waitMs });
      expect(await page.getByRole('img', { name: 'Test shoppers who see the pushed item' }).count()).toBe(1);
    }, waitMs);

    it('shows what an attacker sees, as bars and as figures', async () => {
      await pressByKeyboard('See what an attacker sees');
      await page.getByRole('img', { name: 'How often the attacker tells who was in the sum' }).waitFor({ timeout: waitMs });
      const { attackersView } = await stateOf(page);
      expect(attackersView.state).toBe('done');
      if (attackersView.state !== 'done') return;
      const { without, with: noised } = attackersView.result;
      expect(without.low).toBeGreaterThan(0.9);
      expect(noised.high).toBeLessThan(without.low);
      expect(noised.low).toBeGreaterThan(0.4);
    }, waitMs);

    it('shows that a median holds where a sum does not', async () => {
      await pressByKeyboard('Compare sum and median');
      await page.getByRole('img', { name: 'The same attack on a sum and on a median' }).waitFor({ timeout: waitMs });
      const { comparison } = await stateOf(page);
      if (comparison.state !== 'done') throw new Error('expected the comparison to be done');
      const exposure = (rule: string, attacker: string): number | undefined => comparison.result.rows.find((row) => row.rule === rule && row.attacker === attacker)?.exposure;
      expect(exposure('sum', 'malicious shop')).toBeGreaterThan(0.05);
      expect(exposure('median of groups', 'malicious shop')).toBeLessThan(0.02);
      expect(exposure('sum', 'nobody')).toBeLessThan(0.02);
    }, waitMs);

    it('has no fault that axe finds, does not scroll sideways on a phone, and breaks no rule of its policy', async () => {
      for (const summary of await page.locator('summary').all()) await summary.click();
      expect(await violations(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth)).toBe(true);
      await page.emulateMedia({ colorScheme: 'dark' });
      expect(await violations(page)).toEqual([]);
      expect(problems).toEqual([]);
    }, waitMs);
  });

  it('ends the year with a measured release a round and the budget it promised', async () => {
    await demo.until(/"models":.*\n/);
    const result = lines()[1] as DemoResult;
    expect(result.models.map(({ name }) => name)).toEqual(['popularity', 'local-only', 'release', 'release-without-noise', 'item-knn-central']);
    expect(result.releases.map(({ version }) => version)).toEqual(Array.from({ length: rounds }, (_, index) => index + 1));
    expect(result.releases.at(-1)?.month).toBe('Dec 2011');
    const [popularity] = result.models;
    expect(result.releases.at(-1)?.row.ndcg10).toBeGreaterThan(popularity.ndcg10);
    const quality = qualitySchema.parse(await (await fetch(new URL('/v1/quality', addresses.dashboard))).json());
    expect(quality.releases.map(({ ndcg10 }) => ndcg10)).toEqual(result.releases.map(({ row }) => row.ndcg10));
    const budget = budgetSchema.parse(await (await fetch(new URL('/v1/budget', addresses.dashboard))).json());
    expect(budget.epsilonLimit).toBe(3);
    expect(budget.epsilonSpent).toBeGreaterThan(2.9);
    expect(budget.epsilonSpent).toBeLessThanOrEqual(3);
    expect(result.releases.at(-1)?.epsilon).toBe(budget.epsilonSpent);
  }, waitMs);

  it('leaves no process and no file when it is told to end', async () => {
    expect(processesOf(workshop.folder).length).toBeGreaterThan(0);
    demo.kill('SIGINT');
    expect(await demo.ended).toBe(0);
    expect(processesOf(workshop.folder)).toEqual([]);
    expect(readdirSync(workshop.folder).filter((name) => name.startsWith('cesta-demo-'))).toEqual([]);
  }, waitMs);
});

async function stateOf(page: Page): Promise<BackstageState> {
  return page.evaluate(async () => {
    const response = await fetch('/api/state', { headers: { 'x-backstage-token': document.documentElement.dataset['token'] ?? '' } });
    return (await response.json()) as BackstageState;
  });
}
