import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, withoutBrowser } from './chromium.ts';
import { catalogue, coordinatorOf, manifestOf, shopOf, siteOf, visitsTo, type Site } from './devices.ts';

let browser: Browser;
beforeAll(async () => {
  if (!withoutBrowser) browser = await launchChromium();
});
afterAll(() => browser?.close());

/** Sizes of the binary frames of each connection that sent any, in order. */
function frameSizes({ relay }: Site): number[][] {
  const sizes = new Map<number, number[]>();
  for (const { connection, data } of relay.sent) {
    if (typeof data !== 'string') sizes.set(connection, [...(sizes.get(connection) ?? []), data.length]);
  }
  return [...sizes.values()];
}

describe.skipIf(withoutBrowser)('a browser that takes part in rounds', () => {
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
      const summary = await tab.done();
      expect(summary).toMatchObject({ rounds: 1, ended: 'task-over' });
      const held = await tab.held();
      expect(held).toMatchObject({ coordinatorKey: coordinator.publicKey, spends: [{ round: 'trial-1' }] });
      expect(held?.receipts.map(({ receipt: { round, shop } }) => [round, shop])).toEqual([['trial-1', held?.name]]);
      expect(held?.spent.epsilon).toBeGreaterThan(0);
    }
    expect(await manifestOf(coordinator)).toMatchObject({ cohort: 4, privacy: { mode: 'local' } });

    const [first, second] = frameSizes(site);
    expect(first.length).toBe(1);
    expect(second).toEqual(first);
    const ids = catalogue.products.map(({ id }) => id);
    for (const { data } of site.relay.sent) {
      const text = typeof data === 'string' ? data : new TextDecoder('latin1').decode(data);
      expect(ids.filter((id) => text.includes(id))).toEqual([]);
    }
    expect(site.relay.requests.every(({ line, bodyBytes }) => line.startsWith('GET ') && bodyBytes === 0 && ids.every((id) => !line.includes(id)))).toBe(true);
  });
});
