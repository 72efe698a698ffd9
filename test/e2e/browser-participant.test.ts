import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemRandom } from '../../client/secure-random.ts';
import type { TakePartOptions } from '../../client/storefront/take-part.ts';
import type { Coordinator } from '../../server/coordinator.ts';
import { historyOf } from '../../shared/commerce/history.ts';
import type { Plan } from '../../shared/federation/plan.ts';
import { startStatistic } from '../../shared/federation/statistic.ts';
import { decodeChunk } from '../../shared/protocol/messages.ts';
import { createModel, parseModelKind } from '../../shared/recommender/registry.ts';
import { launchChromium, withoutBrowser } from './chromium.ts';
import { catalogue, coordinatorOf, local, manifestOf, shopOf, siteOf, visitsTo, type Site, type TaskShape } from './devices.ts';

let browser: Browser;
beforeAll(async () => {
  if (!withoutBrowser) browser = await launchChromium();
});
afterAll(() => browser?.close());

/** The binary frames of each connection that sent any, in order. */
function framesOf({ relay }: Site): Uint8Array[][] {
  const frames = new Map<number, Uint8Array[]>();
  for (const { connection, data } of relay.sent) {
    if (typeof data !== 'string') frames.set(connection, [...(frames.get(connection) ?? []), data]);
  }
  return [...frames.values()];
}

/** The plan of the first round, as the coordinator published it. */
async function firstPlan({ url }: Coordinator): Promise<Plan> {
  const { rounds } = (await (await fetch(`${url}/v1/rounds`)).json()) as { rounds: { plan: Plan }[] };
  return rounds[0].plan;
}

const sequence: TaskShape['model'] = { kind: 'sequence', hyperParameters: { width: 8, blocks: 1, positions: 10 } };

/** A round without protection, in which a browser's report can be compared with what Node makes of the same history. */
async function unprotectedRound(browser: Browser, model: TaskShape['model'], options: Partial<TakePartOptions> = {}): Promise<{ sent: number[]; expected: number[]; wasmRequests: string[] }> {
  const coordinator = await coordinatorOf({ participants: 2, ...(model === undefined ? {} : { model }), privacy: { mode: 'none', rounds: 1 } });
  shopOf(0, coordinator, {});
  const site = await siteOf(coordinator);
  const tab = await site.visitor(browser);
  const wasmRequests: string[] = [];
  tab.page.context().on('request', (request) => void (request.url().endsWith('.wasm') && wasmRequests.push(request.url())));
  const baskets = [[3, 1, 20], [5, 3], [11, 12, 13, 2]];
  await tab.takePart({ history: visitsTo(...baskets), maxEpsilon: null, ...options });
  expect(await tab.done()).toMatchObject({ rounds: 1, epsilonSpent: null });

  const plan = await firstPlan(coordinator);
  const node = createModel(parseModelKind(plan.model.kind), catalogue, plan.model.hyperParameters);
  await node.prepare?.();
  const statistic = startStatistic(node, node.initial(), plan, systemRandom());
  statistic.add(historyOf(baskets.map((items, index) => ({ time: visitsTo(...baskets)[index].time, items }))));
  const [frames] = framesOf(site);
  return { sent: frames.flatMap((frame) => [...decodeChunk(frame).data]), expected: [...statistic.finish()], wasmRequests };
}

/** Backends round single operations differently: 1e-3 of the length of a contribution is far more than that comes to. */
function expectAlike(sent: readonly number[], expected: readonly number[]): void {
  expect(sent).toHaveLength(expected.length);
  const length = Math.hypot(...expected);
  expect(length).toBeGreaterThan(0);
  expect(Math.hypot(...sent.map((value, at) => value - expected[at]))).toBeLessThan(length * 1e-3);
}

// A browser beside other work has little of two cores.
describe.skipIf(withoutBrowser)('a browser that takes part in rounds', { timeout: 180_000 }, () => {
  it('is in the release with a receipt, and what leaves it is frames of one size that name no item', async () => {
    const coordinator = await coordinatorOf({ participants: 4 });
    [0, 1].forEach((index) => shopOf(index, coordinator));
    const site = await siteOf(coordinator);
    const [brief, avid] = [await site.visitor(browser), await site.visitor(browser)];
    expect(await brief.held()).toBeNull();
    await brief.takePart({ history: visitsTo([7]) });
    await avid.takePart({ history: visitsTo([8, 9, 10], [11, 12], [13, 14, 15, 16, 17]) });
    expect(await coordinator.over).toMatchObject({ code: null });

    for (const tab of [brief, avid]) {
      expect(await tab.done()).toMatchObject({ rounds: 1, ended: 'task-over' });
      const held = await tab.held();
      expect(held).toMatchObject({ coordinatorKey: coordinator.publicKey, spends: [{ round: 'trial-1' }] });
      expect(held?.receipts.map(({ receipt: { round, shop } }) => [round, shop])).toEqual([['trial-1', held?.name]]);
      expect(held?.spent.epsilon).toBeGreaterThan(0);
    }
    expect(await manifestOf(coordinator)).toMatchObject({ cohort: 4, privacy: { mode: 'local' } });

    const [first, second] = framesOf(site).map((frames) => frames.map(({ length }) => length));
    expect(first.length).toBe(1);
    expect(second).toEqual(first);
    const ids = catalogue.products.map(({ id }) => id);
    for (const { data } of site.relay.sent) {
      const text = typeof data === 'string' ? data : new TextDecoder('latin1').decode(data);
      expect(ids.filter((id) => text.includes(id))).toEqual([]);
    }
    expect(site.relay.requests.every(({ line, bodyBytes }) => line.startsWith('GET ') && bodyBytes === 0 && ids.every((id) => !line.includes(id)))).toBe(true);
  });

  for (const model of [{ kind: 'popularity' }, { kind: 'als', hyperParameters: { factors: 4 } }]) {
    it(`sends what Node would send for the same history, to the last bit: ${model.kind}`, async () => {
      const { sent, expected } = await unprotectedRound(browser, model);
      expect(sent).toEqual(expected);
    });
  }

  it('trains a model of tensors in WebAssembly, with its own files, as Node does up to rounding', async () => {
    const { sent, expected, wasmRequests } = await unprotectedRound(browser, sequence);
    expect(wasmRequests.filter((url) => url.endsWith('/tfjs-backend-wasm-simd.wasm'))).toHaveLength(1);
    expectAlike(sent, expected);
  });

  it('trains a model of tensors in plain JavaScript where the WebAssembly files are not to be had', async () => {
    const { sent, expected, wasmRequests } = await unprotectedRound(browser, sequence, { wasmPaths: '/no-such-folder/' });
    expect(wasmRequests.every((url) => url.includes('/no-such-folder/'))).toBe(true);
    expectAlike(sent, expected);
  });

  it('trains over rounds from one release to the next', async () => {
    const coordinator = await coordinatorOf({ participants: 3, model: { kind: 'als', hyperParameters: { factors: 4 } }, privacy: { ...local, rounds: 3 } });
    [0, 1].forEach((index) => shopOf(index, coordinator));
    const site = await siteOf(coordinator);
    const tab = await site.visitor(browser);
    await tab.takePart({ history: visitsTo([1, 2], [3]) });
    expect(await coordinator.over).toMatchObject({ code: null });
    expect(await tab.done()).toMatchObject({ rounds: 3 });
    expect((await tab.held())?.receipts.map(({ receipt: { round } }) => round)).toEqual(['trial-1', 'trial-2', 'trial-3']);
    expect(await manifestOf(coordinator)).toMatchObject({ version: 3, cohort: 3 });
  });

  it('is in a masked sum, with the primitives of the browser', async () => {
    const coordinator = await coordinatorOf({ participants: 6, min: 5, privacy: { mode: 'distributed', epsilon: 50, delta: 1e-5, rounds: 1, tolerated: 1, colluding: 1 } });
    [0, 1, 2, 3].forEach((index) => shopOf(index, coordinator));
    const site = await siteOf(coordinator);
    const tabs = [await site.visitor(browser), await site.visitor(browser)];
    await Promise.all(tabs.map((tab, index) => tab.takePart({ history: visitsTo([index]) })));
    expect(await coordinator.over).toMatchObject({ code: null });
    for (const tab of tabs) {
      expect(await tab.done()).toMatchObject({ rounds: 1 });
      expect((await tab.held())?.receipts).toHaveLength(1);
    }
    expect(await manifestOf(coordinator)).toMatchObject({ cohort: 6, privacy: { mode: 'distributed' } });
  });

  it('whose tab is closed in the middle is missed by nobody', async () => {
    const coordinator = await coordinatorOf({ participants: 3, min: 2 });
    shopOf(0, coordinator);
    const site = await siteOf(coordinator);
    const [leaver, stayer] = [await site.visitor(browser), await site.visitor(browser)];
    const joined = site.relay.muteAfter(1, 'join');
    await leaver.takePart();
    await leaver.next('up');
    await stayer.takePart({ history: visitsTo([2]) });
    await joined;
    await leaver.page.close();
    expect(await coordinator.over).toMatchObject({ code: null });
    expect(await stayer.done()).toMatchObject({ rounds: 1 });
    expect(framesOf(site)).toHaveLength(1);
    expect(await manifestOf(coordinator)).toMatchObject({ cohort: 2 });
  });

  it('leaves at once when consent is withdrawn, and the round is without it', async () => {
    const coordinator = await coordinatorOf({ participants: 3, min: 2 });
    const site = await siteOf(coordinator);
    const [withdrawing, stayer] = [await site.visitor(browser), await site.visitor(browser)];
    const joined = site.relay.muteAfter(1, 'join');
    await withdrawing.takePart();
    await withdrawing.next('up');
    await stayer.takePart({ history: visitsTo([2]) });
    shopOf(0, coordinator);
    await joined;
    await withdrawing.consent(2);
    expect(await withdrawing.done()).toMatchObject({ rounds: 0, ended: 'withdrawn' });
    expect(await coordinator.over).toMatchObject({ code: null });
    expect(framesOf(site)).toHaveLength(1);
    expect(await manifestOf(coordinator)).toMatchObject({ cohort: 2 });
  });

  it('declines rounds without privacy and beyond its limit, and takes part in one tab at a time', async () => {
    const coordinator = await coordinatorOf({ participants: 2, min: 2, privacy: { mode: 'none', rounds: 1 } });
    shopOf(0, coordinator, {});
    const site = await siteOf(coordinator);
    const tab = await site.visitor(browser);
    await tab.takePart({ maxEpsilon: 5 });
    expect(await tab.next('declined')).toMatchObject({ code: 'privacy.mode-unavailable' });
    const second = await tab.another();
    await second.takePart({ maxEpsilon: 5 });
    expect(await second.done()).toBe('node.name-taken');
    expect(framesOf(site)).toEqual([]);
    expect((await tab.held())?.spends).toEqual([]);
  });

  it('takes part from the page of `cesta browser`, with a history from a file, once consent is given', async () => {
    const coordinator = await coordinatorOf({ participants: 2 });
    shopOf(0, coordinator);
    const { page } = await (await siteOf(coordinator)).visitor(browser);
    await page.setInputFiles('#file', { name: 'history.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(visitsTo([1, 2]))) });
    await page.fill('#epsilon', '100');
    await page.click('#start');
    expect(await page.textContent('#status')).toBe('Not taking part.');
    await page.check('#consent');
    await page.click('#start');
    expect(await coordinator.over).toMatchObject({ code: null });
    await page.waitForFunction(() => document.getElementById('status')?.textContent?.includes('1 receipts') === true);
    expect(await page.textContent('#log')).toContain('trained on 2 items of the catalogue');
    expect(await manifestOf(coordinator)).toMatchObject({ cohort: 2 });
  });

  it('says so when its worker cannot be loaded', async () => {
    const site = await siteOf(await coordinatorOf({ participants: 2 }));
    const tab = await site.visitor(browser);
    await tab.takePart({ workerUrl: '/no-such-worker.js' });
    expect(await tab.done()).toBe('config.invalid');
  });
});
