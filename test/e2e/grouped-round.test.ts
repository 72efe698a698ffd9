import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startShopNode, type ShopNode, type ShopNodeEvent } from '../../client/shop/shop-node.ts';
import { verifyRecord } from '../../scripts/verify.ts';
import { startCoordinator, type Coordinator } from '../../server/coordinator.ts';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { historyOf } from '../../shared/commerce/history.ts';
import type { Dataset } from '../../shared/datasets/dataset.ts';
import type { BudgetReport } from '../../shared/federation/budget-report.ts';
import { openRelease, type Manifest } from '../../shared/federation/release.ts';
import { silent as logger } from '../server/support/fixtures.ts';
import { temporaryFolder } from '../server/support/folders.ts';

const catalogue = createCatalogue(['apple', 'bread', 'cheese', 'dates'].map((id) => ({ id, title: `some ${id}` })));
const honestShoppers = 20;
const dates = 3;

/** Honest shops sell apples and bread; one has made up fifty times as many shoppers, who buy nothing but dates. */
function datasetOf(shop: number, isMalicious: boolean): Dataset {
  const shoppers = Array.from({ length: isMalicious ? 50 * honestShoppers : honestShoppers }, (_, i) => ({
    id: `${shop}-${i}`, group: '', degree: 3 as const, history: historyOf([{ time: 1, items: [isMalicious ? dates : i % 2] }]),
  }));
  return { name: 'test', catalogue, shoppers, report: { lines: 0, used: 0, complaints: [] } };
}

async function coordinatorOf(groups: number, shops: number, robust: object): Promise<Coordinator> {
  const coordinator = await startCoordinator({
    task: {
      name: 'grouped', model: { kind: 'popularity' },
      privacy: { mode: 'distributed', epsilon: 50, delta: 1e-5, rounds: 1, tolerated: 1, colluding: 1 },
      cohort: { minParticipants: 4 * groups, targetParticipants: shops, overSelection: 1 },
      deadlines: { recruitingMs: 10_000, trainingMs: 30_000 }, maxShoppersPerShop: 50 * honestShoppers, ...robust,
    },
    dataDir: join(temporaryFolder(), 'coordinator'), port: 0, logger, retryMs: 20, gatherMs: 60_000, stageMs: 20_000, catalogue,
  });
  onTestFinished(() => coordinator.close());
  return coordinator;
}

interface Shop {
  readonly node: ShopNode;
  readonly events: ShopNodeEvent[];
}

function joinShops({ url }: Coordinator, count = 15): Shop[] {
  const folder = temporaryFolder();
  return Array.from({ length: count }, (_, index) => {
    const node = startShopNode({ shop: `Shop-${index}`, dataset: datasetOf(index, index === 0), coordinator: new URL(url), stateDir: mkdtempSync(join(folder, 'shop-')), logger, maxEpsilon: 100 });
    onTestFinished(() => node.close());
    const events: ShopNodeEvent[] = [];
    node.onEvent((event) => void events.push(event));
    return { node, events };
  });
}

/** What the model says of a shopper: how often it bought apples, bread, cheese, dates. */
async function releaseOf({ url, publicKey }: Coordinator): Promise<{ readonly manifest: Manifest; readonly perShopper: number[] }> {
  const { manifest, tensors } = await openRelease(new Uint8Array(await (await fetch(`${url}/v1/model`)).arrayBuffer()), publicKey);
  const popularity = tensors['popularity'].data as Float32Array;
  return { manifest, perShopper: [...popularity].map((value) => value / manifest.shoppers) };
}

describe('a masked round in groups over real sockets', () => {
  it('keeps what one shop made up out of the release, which a plain sum is full of', async () => {
    const plain = await coordinatorOf(3, 15, {});
    const grouped = await coordinatorOf(3, 15, { robust: { rule: 'median', byzantine: 1, groups: 3 } });
    joinShops(plain);
    const shops = joinShops(grouped);
    expect(await plain.over).toMatchObject({ code: null });
    expect(await grouped.over).toMatchObject({ code: null });
    await Promise.all(shops.map(({ node }) => node.done));
    expect((await releaseOf(plain)).perShopper[dates]).toBeGreaterThan(0.5);
    const { manifest, perShopper } = await releaseOf(grouped);
    expect(Math.abs(perShopper[dates])).toBeLessThan(0.1);
    expect(perShopper[0]).toBeGreaterThan(0.4);
    // A mean of the groups' counts without the smallest and the largest, by their number: 3 x 100.
    expect(Math.abs(manifest.shoppers - 15 * honestShoppers)).toBeLessThan(60);
    expect(manifest).toMatchObject({ cohort: 15, robust: { rule: 'median', byzantine: 1, reports: 3 } });
    expect(manifest.privacy.assumptions.join(' ')).toContain('drawn into 3 groups');
    for (const { events } of shops) expect(events.find(({ kind }) => kind === 'round-done')).toMatchObject({ took: 'part' });
    // Charged once, whatever the number of groups, on all sides.
    const budget = (await (await fetch(`${grouped.url}/v1/budget`)).json()) as BudgetReport;
    expect(budget).toMatchObject({ mode: 'distributed', roundsCharged: 1, roundsLeft: 0 });
    const { findings, tasks } = await verifyRecord(new URL(grouped.url), { coordinatorKey: grouped.publicKey, retryMs: 1 });
    expect(findings).toEqual([]);
    expect(tasks).toMatchObject([{ charged: 1, released: 1 }]);
    expect(tasks[0].epsilon).toBeCloseTo(budget.epsilonSpent ?? 0, 6);
  });

  it('releases without a group that lost too many, whose members hear so', async () => {
    const coordinator = await coordinatorOf(4, 16, { robust: { rule: 'trimmed-mean', byzantine: 1, groups: 4 } });
    const shops = joinShops(coordinator, 16);
    const [{ node: leaver }] = shops;
    leaver.onEvent(({ kind }) => void (kind === 'trained' && leaver.close()));
    expect(await coordinator.over).toMatchObject({ code: null });
    const { manifest } = await releaseOf(coordinator);
    expect(manifest).toMatchObject({ cohort: 12, robust: { reports: 3 } });
    await Promise.all(shops.map(({ node }) => node.done));
    const left = shops.filter(({ events }) => events.some((event) => event.kind === 'round-failed' && event.message.includes('group')));
    expect(left.length).toBe(3);
    for (const { events } of left) expect(events.find(({ kind }) => kind === 'round-done')).toMatchObject({ took: 'no part' });
    expect((await verifyRecord(new URL(coordinator.url), { retryMs: 1 })).findings).toEqual([]);
  });
});
