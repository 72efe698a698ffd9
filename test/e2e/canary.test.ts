/** A shop pushes an item that nobody bought, within the bounds of its plan; the canary sees it in the release. */
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startShopNode } from '../../client/shop/shop-node.ts';
import { verifyRecord } from '../../scripts/verify.ts';
import { releasesSchema } from '../../server/http/schemas.ts';
import type { Coordinator } from '../../server/coordinator.ts';
import { createCatalogue } from '../../shared/commerce/catalogue.ts';
import { historyOf } from '../../shared/commerce/history.ts';
import type { Dataset } from '../../shared/datasets/dataset.ts';
import { purposeOf, type Plan } from '../../shared/federation/plan.ts';
import { coordinatorFor } from '../server/support/coordinators.ts';
import { silent, taskInput } from '../server/support/fixtures.ts';
import { temporaryFolder } from '../server/support/folders.ts';
import { connectShop, joinRound, reportUpdate, shopNamed } from '../server/support/test-client.ts';

const pushed = 59;

const dataset: Dataset = {
  name: 'test',
  catalogue: createCatalogue(Array.from({ length: 60 }, (_, i) => ({ id: `item-${String(i).padStart(2, '0')}`, title: `thing ${i}` }))),
  shoppers: Array.from({ length: 8 }, (_, i) => ({ id: `shopper-${i}`, group: '', degree: 3 as const, history: historyOf([{ time: 1, items: [i] }, { time: 2, items: [i + 1] }]) })),
  report: { lines: 0, used: 0, complaints: [] },
};

/** Three rounds with two honest shops and one that lies in the second. */
async function attacked(task: object): Promise<Coordinator> {
  const folder = temporaryFolder();
  const coordinator = await coordinatorFor({ task: { ...(taskInput({ rounds: 3, min: 3, target: 3 }) as object), canary: {}, ...task }, dataDir: join(folder, 'coordinator'), catalogue: dataset.catalogue });
  for (const shop of ['a', 'b']) {
    const node = startShopNode({ shop, dataset, coordinator: new URL(coordinator.url), stateDir: join(folder, 'shops'), logger: silent });
    onTestFinished(() => node.close());
  }
  const { client } = await connectShop(coordinator.url, shopNamed('liar'));
  const takePart = async (): Promise<void> => {
    for (let trainings = 0; ;) {
      const { plan } = await client.next('invite');
      if (purposeOf(plan) === 'training') trainings += 1;
      await joinRound({ ...client, next: (type) => (type === 'invite' ? Promise.resolve({ plan } as never) : client.next(type)) });
      await reportUpdate(client, plan, updateFor(plan, purposeOf(plan) === 'training' && trainings === 2));
    }
  };
  // Ends with the connection.
  takePart().catch(() => undefined);
  expect(await coordinator.over).toMatchObject({ code: null });
  return coordinator;
}

function updateFor(plan: Plan, isPush: boolean): Int32Array {
  const update = new Int32Array(plan.statisticLength);
  if (isPush) update[pushed] = 90 * plan.bounds.gridScale;
  return update;
}

const releasesOf = async ({ url }: Coordinator) => releasesSchema.parse(await (await fetch(`${url}/v1/releases`)).json()).releases;
const purposesOf = async ({ url }: Coordinator): Promise<string[]> => ((await (await fetch(`${url}/v1/rounds`)).json()) as { rounds: { purpose: string }[] }).rounds.map(({ purpose }) => purpose);

describe('a task with a canary', () => {
  it('holds back a release in which an item jumps, says which, counts it, and goes on from what is served', async () => {
    const coordinator = await attacked({});
    const [third, second, first] = await releasesOf(coordinator);
    expect([first.state, second.state, third.state]).toEqual(['served', 'candidate', 'serving']);
    expect(second.canary).toMatchObject({ items: [{ item: 'item-59', served: 0 }] });
    expect([first.canary, third.canary]).toEqual([null, null]);
    const figures = await (await fetch(`${coordinator.url}/metrics`)).text();
    for (const outcome of ['held', 'passed']) expect(figures).toContain(`cesta_canary_total{outcome="${outcome}"} 1\n`);
    expect(await verifyRecord(new URL(coordinator.url))).toMatchObject({ findings: [], tasks: [{ released: 3, held: 1, release: { version: 3 } }] });
  });

  it('does not leave to a gate what the canary held back', async () => {
    const coordinator = await attacked({ gate: {} });
    expect((await releasesOf(coordinator)).map(({ version, state }) => `${version} ${state}`)).toEqual(['3 serving', '2 candidate', '1 served']);
    expect(await purposesOf(coordinator)).toEqual(['training', 'training', 'training', 'evaluation']);
  });
});
