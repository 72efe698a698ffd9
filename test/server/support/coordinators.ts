/** Coordinators on free ports over folders of their own, closed with their test. */
import { onTestFinished } from 'vitest';
import { startCoordinator, type Coordinator } from '../../../server/coordinator.ts';
import type { CoordinatorOptions } from '../../../server/coordinator-options.ts';
import type { Plan } from '../../../shared/federation/plan.ts';
import { catalogue, silent, taskInput } from './fixtures.ts';
import { temporaryFolder } from './folders.ts';
import { connectShop, joinRound, reportUpdate, shopNamed, type MessageOf, type TestClient } from './test-client.ts';

/** With the small catalogue of the fixtures unless `catalogue` is given, undefined for an open one. */
export async function coordinatorFor(options: Partial<CoordinatorOptions> & { open?: boolean } = {}): Promise<Coordinator> {
  const { open = false, ...rest } = options;
  const coordinator = await startCoordinator({
    task: taskInput(), dataDir: options.dataDir ?? temporaryFolder(), port: 0, logger: silent, retryMs: 20,
    ...(open ? {} : { catalogue }),
    ...rest,
  });
  onTestFinished(() => coordinator.close());
  return coordinator;
}

/** One contribution on the grid of the plan: each item once, for one shopper. */
export function oneOfEach(plan: Plan): Int32Array {
  const update = new Int32Array(plan.statisticLength).fill(plan.bounds.gridScale);
  update[update.length - 1] = Math.floor(plan.bounds.countValue * plan.bounds.gridScale);
  return update;
}

/** One shopper who bought nothing. */
export function nothingButShoppers(plan: Plan): Int32Array {
  return oneOfEach(plan).fill(0, 0, -1);
}

/** Goes through one round in good faith. */
export async function takePart(client: TestClient, update: (plan: Plan) => Int32Array = oneOfEach): Promise<MessageOf<'round-done'>> {
  const plan = await joinRound(client);
  await reportUpdate(client, plan, update(plan));
  return client.next('round-done');
}

/** Connects shops of these names and takes them through one round together. */
export async function runRound(url: string, names: readonly string[]): Promise<{ clients: TestClient[]; done: MessageOf<'round-done'> }> {
  const clients = await Promise.all(names.map(async (name) => (await connectShop(url, shopNamed(name))).client));
  const [done] = await Promise.all(clients.map((client) => takePart(client)));
  return { clients, done };
}
