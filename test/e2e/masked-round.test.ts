import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { startShopNode, type ShopNode, type ShopNodeEvent, type ShopNodeOptions } from '../../client/shop/shop-node.ts';
import { startCoordinator, type Coordinator } from '../../server/coordinator.ts';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { historyOf } from '../../shared/commerce/history.ts';
import type { Dataset } from '../../shared/datasets/dataset.ts';
import type { BudgetReport } from '../../shared/federation/budget-report.ts';
import { openRelease } from '../../shared/federation/release.ts';

const root = mkdtempSync(join(tmpdir(), 'cesta-masked-'));
afterAll(() => rmSync(root, { recursive: true }));
const logger = pino({ level: 'silent' });
const catalogue = createCatalogue(['apple', 'bread', 'cheese', 'dates'].map((id) => ({ id, title: `some ${id}` })));

function datasetOf(index: number): Dataset {
  const shoppers = Array.from({ length: 10 }, (_, i) => ({ id: `${index}-${i}`, group: '', degree: 3 as const, history: historyOf([{ time: 1, items: [i % 4 === 0 ? 1 : 0] }]) }));
  return { name: 'test', catalogue, shoppers, report: { lines: 0, used: 0, complaints: [] } };
}

async function coordinatorOf(changes: { min?: number; rounds?: number } = {}): Promise<Coordinator> {
  const { min = 5, rounds = 1 } = changes;
  const coordinator = await startCoordinator({
    task: {
      name: 'masked', model: { kind: 'popularity' },
      privacy: { mode: 'distributed', epsilon: 50, delta: 1e-5, rounds, tolerated: 1, colluding: 1 },
      cohort: { minParticipants: min, targetParticipants: 6, overSelection: 1 },
      deadlines: { recruitingMs: 5_000, trainingMs: 20_000 }, maxShoppersPerShop: 100,
    },
    dataDir: mkdtempSync(join(root, 'coordinator-')), port: 0, logger, retryMs: 20, gatherMs: 60_000, stageMs: 5_000, catalogue,
  });
  onTestFinished(() => coordinator.close());
  return coordinator;
}

interface Shop {
  readonly node: ShopNode;
  readonly events: ShopNodeEvent[];
}

function shopOf(index: number, { url }: Coordinator, changes: Partial<ShopNodeOptions> = {}): Shop {
  const node = startShopNode({ shop: `Shop-${index}`, dataset: datasetOf(index), coordinator: new URL(url), stateDir: mkdtempSync(join(root, 'shop-')), logger, maxEpsilon: 100, ...changes });
  onTestFinished(() => node.close());
  const events: ShopNodeEvent[] = [];
  node.onEvent((event) => void events.push(event));
  return { node, events };
}

const leaveOnceTrained = ({ node }: Shop): void => void node.onEvent(({ kind }) => void (kind === 'trained' && node.close()));

async function budgetOf({ url }: Coordinator): Promise<BudgetReport> {
  return (await (await fetch(`${url}/v1/budget`)).json()) as BudgetReport;
}

async function sharesOf({ url, publicKey }: Coordinator): Promise<{ readonly cohort: number; readonly shoppers: number; readonly mode: string }> {
  const { manifest } = await openRelease(new Uint8Array(await (await fetch(`${url}/v1/model`)).arrayBuffer()), publicKey);
  return { cohort: manifest.cohort, shoppers: manifest.shoppers, mode: manifest.privacy.mode };
}

describe('a masked round over real sockets', () => {
  it('releases the sum of all shops, charged once, in the public record', async () => {
    const coordinator = await coordinatorOf();
    const shops = [0, 1, 2, 3, 4, 5].map((index) => shopOf(index, coordinator));
    expect(await coordinator.over).toMatchObject({ code: null });
    const summaries = await Promise.all(shops.map(({ node }) => node.done));
    expect(summaries.map(({ rounds }) => rounds)).toEqual([1, 1, 1, 1, 1, 1]);
    const { cohort, shoppers, mode } = await sharesOf(coordinator);
    expect([cohort, mode]).toEqual([6, 'distributed']);
    // Sixty, give or take the noise of epsilon 50.
    expect(Math.abs(shoppers - 60)).toBeLessThan(12);
    expect(await budgetOf(coordinator)).toMatchObject({ mode: 'distributed', roundsCharged: 1, roundsLeft: 0 });
    for (const { events } of shops) expect(events.find(({ kind }) => kind === 'round-done')).toMatchObject({ took: 'part' });
  });

  it('goes on without a shop that leaves when its statistic is made, with the noise it was planned with', async () => {
    const coordinator = await coordinatorOf();
    const shops = [0, 1, 2, 3, 4, 5].map((index) => shopOf(index, coordinator));
    leaveOnceTrained(shops[2]);
    expect(await coordinator.over).toMatchObject({ code: null });
    const { cohort, shoppers } = await sharesOf(coordinator);
    expect(cohort).toBe(5);
    expect(Math.abs(shoppers - 50)).toBeLessThan(12);
  });

  it('fails for free when more leave than the noise was planned for, and is tried again', async () => {
    const coordinator = await coordinatorOf();
    const shops = [0, 1, 2, 3].map((index) => shopOf(index, coordinator));
    const leavers = [4, 5].map((index) => shopOf(index, coordinator));
    leavers.forEach(leaveOnceTrained);
    const failed = new Promise<string>((resolve) => void coordinator.onRound(({ failure }) => void (failure !== null && resolve(failure.code))));
    expect(await failed).toBe('secagg.too-few');
    // Nothing was revealed, so nothing was spent.
    await expect.poll(async () => (await budgetOf(coordinator)).roundsCharged).toBe(0);
    shops.push(shopOf(6, coordinator), shopOf(7, coordinator));
    expect(await coordinator.over).toMatchObject({ code: null });
    expect((await budgetOf(coordinator)).roundsCharged).toBe(1);
  });

  it('is declined by a shop that lists its peers when there are more strangers than may collude', async () => {
    const coordinator = await coordinatorOf();
    const wary = shopOf(0, coordinator, { peers: new Map([['shop-1', 'ab'.repeat(32)]]) });
    const shops = [1, 2, 3, 4, 5].map((index) => shopOf(index, coordinator));
    await expect.poll(() => wary.events.find(({ kind }) => kind === 'declined'), { timeout: 20_000 }).toMatchObject({ code: 'secagg.invalid' });
    // The others are enough.
    expect(await coordinator.over).toMatchObject({ code: null });
    expect(shops.length).toBe(5);
  });
});
