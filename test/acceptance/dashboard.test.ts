/** The operator's dashboard, as an operator meets it: a real coordinator, a real federation, a real browser. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Quality } from '../../server/dashboard/schemas.ts';
import { objections } from '../e2e/axe.ts';
import { launchChromium, withoutBrowser } from '../e2e/chromium.ts';
import { federation } from '../e2e/recorded-federation.ts';
import { codeOf } from '../server/support/codes.ts';
import { coordinatorFor, oneOfEach } from '../server/support/coordinators.ts';
import { taskInput } from '../server/support/fixtures.ts';
import { temporaryFolder } from '../server/support/folders.ts';
import { connectShop, joinRound, reportUpdate, shopNamed } from '../server/support/test-client.ts';
import { visit, withCandidate } from './dashboard-rig.ts';

let browser: Browser;
beforeAll(async () => {
  if (!withoutBrowser) browser = await launchChromium();
});
afterAll(async () => {
  if (!withoutBrowser) await browser.close();
});

const quality: Quality = {
  baselines: [{ name: 'popularity', ndcg10: 0.05 }, { name: 'local-only', ndcg10: 0.07 }, { name: 'central', ndcg10: 0.14, ndcg10Interval: [0.13, 0.15] }],
  releases: [{ task: 'trial', version: 1, ndcg10: 0.06, ndcg10Interval: [0.05, 0.07] }, { task: 'trial', version: 2, ndcg10: 0.11, ndcg10Interval: [0.1, 0.12] }, { task: 'another', version: 1, ndcg10: 0.99 }],
  note: 'Last baskets of shoppers, held out.',
};

function qualityFile(): string {
  const path = join(temporaryFolder(), 'quality.json');
  writeFileSync(path, JSON.stringify(quality));
  return path;
}

const section = (page: Page, name: string) => page.getByRole('region', { name, exact: true }).first();
const textOf = async (page: Page, name: string): Promise<string> => (await section(page, name).innerText()).replaceAll(/\s+/g, ' ');

/** Presses Tab until the element of this name has the focus. */
async function tabTo(page: Page, name: string | RegExp): Promise<void> {
  for (let steps = 0; steps < 150; steps += 1) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(() => {
      const element = document.activeElement;
      return element instanceof HTMLInputElement ? (element.labels?.[0]?.textContent ?? '') : (element?.textContent ?? '');
    });
    if (typeof name === 'string' ? focused === name : name.test(focused)) return;
  }
  throw new Error(`expected the keyboard to reach ${String(name)}, got round the page without it`);
}

// A browser beside other work has little of two cores.
describe.skipIf(withoutBrowser)('the dashboard', { timeout: 180_000 }, () => {
  it('capability 19: shows a federation at work in every section, and asks nobody but its own coordinator', async () => {
    const house = federation(2);
    const coordinator = await house.coordinator({ quality: qualityFile() });
    const { page, requests, complaints, screenshot } = await visit(browser, coordinator);
    await page.getByText('No round was opened since the coordinator started').waitFor();
    const shops = ['corner-shop', 'market-hall'].map((name) => house.join(coordinator, name));
    await page.getByRole('status').getByText('Round 2 of trial is done: 2 reports, release 2.').waitFor({ state: 'attached' });
    await page.getByText('release 2 is served').waitFor();

    await page.getByRole('paragraph').filter({ hasText: '2 rounds ended, 0 of them without a release' }).waitFor();
    await page.getByRole('table', { name: 'Newest entries' }).getByText('Round trial-2 ended in release 2').waitFor();
    await page.getByRole('table', { name: 'Releases, newest first' }).getByText('served now').waitFor();
    await expect.poll(() => textOf(page, 'Rounds')).toMatch(/Round 2 of trial round done .*2 participants were invited, 2 joined, 0 working, 2 reported, 0 dropped\..*Opened .*Duration .*Received meanwhile [\d.]+ kB.*2 rounds ended, 0 of them without a release/);
    expect(await page.getByRole('img', { name: /2 joined, 0 working, 2 reported/ }).count()).toBe(1);
    await expect.poll(() => textOf(page, 'Quality')).toContain('NDCG@10 went from 0.06 at release 1 to 0.11 at release 2; to compare with: popularity 0.05, each shop alone 0.07, all data in one place, no privacy 0.14.');
    expect(await textOf(page, 'Quality')).not.toContain('0.99');
    await expect.poll(() => textOf(page, 'Privacy budget')).toMatch(/Epsilon 3 of 3 is spent: 100 %\..*e\^3 = 20\.1: a guess of 50 % may become one of 95\.3 %.*one shopper in one shop.*Delta 0\.00001.*What it assumes/);
    await expect.poll(() => textOf(page, 'Nodes')).toMatch(/Connected \d.*sign in/);
    await expect.poll(() => textOf(page, 'Public record')).toMatch(/Entries \d+ .*Round trial-2 ended in release 2/);
    expect(await page.content()).not.toMatch(/corner-shop|market-hall/);

    for (const name of ['Quality of the releases (NDCG@10)', 'Privacy budget spent', 'Epsilon after each release', 'How long rounds took']) {
      const chart = page.getByRole('img', { name, exact: true });
      expect([name, await chart.evaluate((svg) => svg.querySelector('desc')?.textContent)]).toEqual([name, expect.stringMatching(/\d/)]);
    }
    await page.getByText('Show the data of Quality of the releases').click();
    expect(await page.getByRole('table', { name: 'Quality of the releases (NDCG@10)' }).innerText()).toMatch(/popularity\t0\.05[\s\S]*release 2\t0\.11\t0\.1 to 0\.12/);
    await page.getByRole('button', { name: 'Verify in this browser' }).click();
    await page.getByText('The record adds up.').waitFor();
    await screenshot('wide');

    expect(requests.length).toBeGreaterThan(10);
    expect(requests.filter((address) => new URL(address).origin !== coordinator.url && !address.startsWith('data:,'))).toEqual([]);
    expect(complaints).toEqual([]);
    await Promise.all(shops.map(({ node }) => node.close()));
  });

  it('capability 17: finds the entry of the public record that was changed on the way, a budget that is not what the record says, and a key that is another', async () => {
    const house = federation(2);
    const coordinator = await house.coordinator({ roundsWanted: 1 });
    const shops = ['one', 'two'].map((name) => house.join(coordinator, name));
    await Promise.all(shops.map(({ until }) => until('round-done')));
    await Promise.all(shops.map(({ node }) => node.close()));
    const { page } = await visit(browser, coordinator);
    const verify = async (key = ''): Promise<string> => {
      await page.getByLabel('Key of the coordinator, if you know it').fill(key);
      await page.getByRole('button', { name: 'Verify in this browser' }).click();
      await page.locator('#verification .success, #verification .failure, .verify [role=alert]').waitFor();
      return page.locator('.verify').innerText();
    };
    expect(await verify(coordinator.publicKey)).toContain('The record adds up.');

    await page.route('**/v1/log/tile/entries/**', async (route) => {
      const response = await route.fetch();
      const body = await response.body();
      // One bit of a digit in the digest of the release, which the fourth entry from here names.
      const at = body.lastIndexOf('"version":');
      body[at - 3] ^= 1;
      await route.fulfill({ response, body });
    });
    expect(await verify()).toMatch(/The record does not add up\.\s+Entry \d+: /);
    await page.unroute('**/v1/log/tile/entries/**');

    await page.route('**/budget', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json() as object), epsilonSpent: 0.1 } });
    });
    expect(await verify()).toMatch(/The record does not add up\.\s+task trial, budget: expected epsilon [\d.]+ spent, from the events in the log, got 0\.1/);
    await page.unroute('**/budget');

    expect(await verify('ab'.repeat(32))).toContain('log.untrusted');
    expect(await verify()).toContain('The record adds up.');
  });

  it('capability 21: lets an operator in by token and one-time code alone, and decides of releases by keyboard, each after a second question', async () => {
    const coordinator = await withCandidate();
    const { firstOperator } = coordinator;
    if (firstOperator === null) throw new Error('expected a first operator');
    const { page, screenshot } = await visit(browser, coordinator);
    await page.getByRole('table', { name: 'Releases, newest first' }).getByText('candidate: held back, held by the canary for 1 item').waitFor();
    expect(await page.getByRole('button', { name: /Promote|Reject|Roll back/ }).count()).toBe(0);
    const enter = async (code: string): Promise<void> => {
      await tabTo(page, 'Operator token');
      await page.keyboard.type(firstOperator.token);
      await tabTo(page, 'One-time code');
      await page.keyboard.type(code);
      await page.keyboard.press('Enter');
    };
    const code = codeOf(firstOperator.otpauth, Date.now());
    await enter(code === '000000' ? '000001' : '000000');
    await page.getByRole('alert').getByText('admin.unauthorised').waitFor();
    await page.getByLabel('Operator token').fill('');
    await page.getByLabel('One-time code').fill('');
    await enter(codeOf(firstOperator.otpauth, Date.now()));
    await page.getByText('Signed in as admin.').waitFor();
    await page.getByRole('table', { name: 'Nodes by name' }).waitFor();
    await expect.poll(() => textOf(page, 'Nodes')).toMatch(/corner .*market /);
    expect(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie])).toEqual([0, 0, '']);

    const focused = (): Promise<string | null | undefined> => page.evaluate(() => document.activeElement?.textContent);
    const decide = async (name: string, outcome: string): Promise<void> => {
      if (await focused() !== name) await tabTo(page, name);
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      // Back where it was asked, and nothing was done.
      await expect.poll(focused).toBe(name);
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').waitFor();
      await expect.poll(() => page.evaluate(() => document.activeElement?.closest('dialog') !== null)).toBe(true);
      await page.keyboard.press('Enter');
      await page.getByRole('status').getByText(outcome).waitFor();
    };
    await decide('Roll back to what was served before', 'Release 4 is served: the parameters of the one before.');
    await page.getByText('served now, the parameters of 1').waitFor();
    // The list that has release 5 comes when the keyboard is on an older one already.
    let letThrough = (): void => undefined;
    const held = new Promise<void>((resolve) => (letThrough = resolve));
    await page.route('**/v1/tasks/trial/releases', (route) => held.then(() => route.continue()));
    await decide('Promote release 3', 'Release 5 is served.');
    await tabTo(page, 'Reject release 2');
    letThrough();
    await page.getByText('served now, the parameters of 3').waitFor();
    expect(await focused()).toBe('Reject release 2');
    await decide('Reject release 2', 'Release 2 is rejected.');
    await page.getByRole('table', { name: 'Releases, newest first' }).getByText('rejected').waitFor();
    expect(await (await fetch(`${coordinator.url}/v1/releases`)).json()).toMatchObject({ releases: [{ version: 5, state: 'serving', restores: 3 }, { version: 4, restores: 1 }, { version: 3 }, { version: 2, state: 'rejected' }, { version: 1 }] });
    await screenshot('operator');

    await tabTo(page, 'Sign out');
    await page.keyboard.press('Enter');
    await page.getByText('You have signed out.').waitFor();
    expect(await page.getByRole('button', { name: /Promote|Reject|Roll back/ }).count()).toBe(0);
    expect(await textOf(page, 'Nodes')).not.toContain('corner');
  });

  it('follows who joined, works, reported and dropped; holds still when it is told to; and asks where the stream breaks', async () => {
    const coordinator = await coordinatorFor({ task: taskInput({ min: 2, target: 3, rounds: 2, trainingMs: 150_000 }), roundsWanted: 1 });
    let breaks = 0;
    const broken = await visit(browser, coordinator, {
      before: (page) => page.route('**/v1/rounds/stream', (route) => {
        breaks += 1;
        return route.abort();
      }),
    });
    await broken.page.getByText('The live stream broke: the coordinator is asked every few seconds instead.').waitFor();
    const { page } = await visit(browser, coordinator);
    await page.getByText('Live.').waitFor();
    const clients = await Promise.all(['a', 'b', 'c'].map(async (name) => (await connectShop(coordinator.url, shopNamed(name))).client));
    const plans = await Promise.all(clients.map(joinRound));
    await page.getByText('3 participants were invited, 3 joined, 3 working, 0 reported, 0 dropped.').waitFor();
    await expect.poll(() => textOf(page, 'Rounds')).toMatch(/Round 1 of trial shops train .*Deadline \d/);
    await reportUpdate(clients[0], plans[0], oneOfEach(plans[0]));
    clients[2].hangUp();
    await page.getByText('3 participants were invited, 3 joined, 1 working, 1 reported, 1 dropped.').waitFor();
    const pause = page.getByRole('button', { name: 'Pause live updates' });
    await pause.click();
    await page.getByText('Paused: the figures hold still.').waitFor();
    await reportUpdate(clients[1], plans[1], oneOfEach(plans[1]));
    await clients[1].next('round-done');
    await broken.page.getByText('Round 1 of trial is done: 2 reports, release 1.').waitFor({ state: 'attached' });
    expect(await textOf(page, 'Rounds')).toContain('1 working, 1 reported, 1 dropped');
    await pause.click();
    await page.getByText('3 joined, 0 working, 2 reported, 1 dropped').waitFor();
    await expect.poll(() => textOf(page, 'Quality')).toContain('Nobody has measured the releases.');
    await expect.poll(() => textOf(page, 'Privacy budget')).toContain('Nothing is promised.');
    expect(breaks).toBeGreaterThan(0);
    // Of more shops than there are: it opens no round, which would set its share of the budget aside.
    await coordinator.tasks.create(taskInput({ name: 'second', mode: 'local', min: 9, target: 9 }));
    await page.getByLabel('Task').selectOption('second');
    await page.getByRole('paragraph').filter({ hasText: 'Epsilon 0 of 3 is spent: 0 %.' }).waitFor();
    await expect.poll(() => textOf(page, 'Releases')).toContain('Nothing was released yet.');
  });

  it('has nothing that axe-core objects to, and needs no scrolling sideways: in light and dark, on a phone, in forced colours', async () => {
    const house = federation(2);
    const coordinator = await house.coordinator({ roundsWanted: 1, quality: qualityFile() });
    const shops = ['one', 'two'].map((shop) => house.join(coordinator, shop));
    await Promise.all(shops.map(({ until }) => until('round-done')));
    const { page, screenshot, complaints } = await visit(browser, coordinator);
    await page.getByRole('table', { name: 'Releases, newest first' }).waitFor();
    await page.getByRole('button', { name: 'Verify in this browser' }).click();
    await page.getByText('The record adds up.').waitFor();
    for (const summary of await page.locator('summary').all()) await summary.click();
    const desk = { width: 1280, height: 800 };
    const phone = { width: 320, height: 640 };
    for (const [name, media, viewport] of [
      ['light', { colorScheme: 'light' }, desk],
      ['dark', { colorScheme: 'dark' }, desk],
      ['light-phone', { colorScheme: 'light' }, phone],
      ['dark-phone', { colorScheme: 'dark' }, phone],
      ['forced-colours', { forcedColors: 'active', reducedMotion: 'reduce' }, desk],
    ] as const) {
      await page.emulateMedia(media);
      await page.setViewportSize(viewport);
      await page.waitForFunction((width) => [...document.querySelectorAll('.chart svg')].every((svg) => svg.getBoundingClientRect().width <= width), viewport.width);
      expect([name, await objections(page)]).toEqual([name, []]);
      expect([name, await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)]).toEqual([name, 0]);
      await screenshot(name);
    }
    expect(complaints).toEqual([]);
  });
});
