/** Releases are scored by real shops before they are served; what breaks them is a shop that lies. */
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startShopNode } from '../../client/shop/shop-node.ts';
import { verifyRecord } from '../../scripts/verify.ts';
import type { Coordinator } from '../../server/coordinator.ts';
import type { CoordinatorOptions } from '../../server/coordinator-options.ts';
import { openLibsqlStorage } from '../../server/storage/libsql-storage.ts';
import type { ReleaseRecord } from '../../server/storage/storage.ts';
import { historyOf } from '../../shared/commerce/history.ts';
import type { Dataset } from '../../shared/datasets/dataset.ts';
import { purposeOf, type Plan } from '../../shared/federation/plan.ts';
import { coordinatorFor } from '../server/support/coordinators.ts';
import { catalogue, silent, taskInput } from '../server/support/fixtures.ts';
import { temporaryFolder } from '../server/support/folders.ts';
import { connectShop, joinRound, reportUpdate, shopNamed } from '../server/support/test-client.ts';

/** Everybody bought 0 and then 1, which an honest release ranks first of what is new. */
const dataset: Dataset = {
  name: 'test', catalogue,
  shoppers: Array.from({ length: 8 }, (_, i) => ({ id: `shopper-${i}`, group: '', degree: 3 as const, history: historyOf([{ time: 1, items: [0] }, { time: 2, items: [1] }]) })),
  report: { lines: 0, used: 0, complaints: [] },
};

const gated = (input: unknown, gate: object = {}): unknown => ({ ...(input as object), gate });

interface Stage {
  readonly folder: string;
  readonly dataDir: string;
  readonly logged: { readonly level: number; readonly msg: string }[];
  coordinator(options?: Partial<CoordinatorOptions>): Promise<Coordinator>;
}

function stage(task: unknown): Stage {
  const folder = temporaryFolder();
  const dataDir = join(folder, 'coordinator');
  const logged: { level: number; msg: string }[] = [];
  const logger = pino({ level: 'warn' }, { write: (line: string) => void logged.push(JSON.parse(line) as { level: number; msg: string }) });
  return { folder, dataDir, logged, coordinator: (options = {}) => coordinatorFor({ task, dataDir, logger, ...options }) };
}

function joinShops({ folder }: Stage, { url }: Coordinator, names: readonly string[], options: { maxEpsilon?: number } = {}) {
  return names.map((shop) => {
    const node = startShopNode({ shop, dataset, coordinator: new URL(url), stateDir: join(folder, 'shops'), logger: silent, ...options });
    onTestFinished(() => node.close());
    return node;
  });
}

const nothing = (plan: Plan): Int32Array => new Int32Array(plan.statisticLength);

/** So many shoppers' worth, within the bounds of the plan, in some coordinates. */
const lie = (plan: Plan, shoppers: Readonly<Record<number, number>>): Int32Array => {
  const update = nothing(plan);
  for (const [index, count] of Object.entries(shoppers)) update[Number(index)] = count * plan.bounds.gridScale;
  return update;
};

/** A third shop, which says what a test wants of it, or declines. Counts its rounds of training and its evaluations from 1. */
async function joinLiar({ url }: Coordinator, say: (plan: Plan, nth: number) => Int32Array | 'decline'): Promise<void> {
  const { client } = await connectShop(url, shopNamed('liar'));
  const seen = { training: 0, evaluation: 0 };
  const takePart = async (): Promise<void> => {
    for (;;) {
      const { plan } = await client.next('invite');
      const answer = say(plan, (seen[purposeOf(plan)] += 1));
      if (answer === 'decline') client.say({ type: 'decline', round: plan.round, code: 'plan.invalid', message: 'no' });
      else await reportInvited(client, plan, answer);
    }
  };
  // Ends with the connection.
  takePart().catch(() => undefined);
}

type Client = Parameters<typeof joinRound>[0];

async function reportInvited(client: Client, plan: Plan, update: Int32Array): Promise<void> {
  await joinRound({ ...client, next: (type) => (type === 'invite' ? Promise.resolve({ plan } as never) : client.next(type)) });
  await reportUpdate(client, plan, update);
}

async function releasesIn({ dataDir }: Stage): Promise<Pick<ReleaseRecord, 'version' | 'state'>[]> {
  const storage = await openLibsqlStorage(dataDir);
  const releases = await storage.releases('trial', { before: 99, limit: 99 });
  await storage.close();
  return releases.map(({ version, state }) => ({ version, state })).reverse();
}

interface Round {
  readonly purpose: string;
  readonly state: string;
  readonly result: { readonly decision: string; readonly gain: number; readonly served: number; readonly testable: number; readonly servedGain: number | null } | null;
}

const roundsOf = async ({ url }: Coordinator): Promise<Round[]> => ((await (await fetch(`${url}/v1/rounds`)).json()) as { rounds: Round[] }).rounds;
const servedVersion = async ({ url }: Coordinator): Promise<string | null> => (await fetch(`${url}/v1/model`)).headers.get('cesta-version');

describe('a gated task', () => {
  it.each(['local', 'distributed'] as const)('in mode %s serves a candidate that shops found as good, charged, and in a record that adds up', async (mode) => {
    const masked = { privacy: { mode, rounds: 2, epsilon: 50, delta: 1e-5, tolerated: 1, colluding: 1 }, cohort: { minParticipants: 5, targetParticipants: 5, overSelection: 1 } };
    const parts = stage(gated({ ...(taskInput({ mode: 'local', rounds: 2 }) as object), ...(mode === 'distributed' ? masked : { privacy: { mode, rounds: 2, epsilon: 50, delta: 1e-5 } }) }, { tolerance: 0.9 }));
    const coordinator = await parts.coordinator();
    joinShops(parts, coordinator, mode === 'distributed' ? ['a', 'b', 'c', 'd', 'e'] : ['a', 'b'], { maxEpsilon: 100 });
    expect(await coordinator.over).toMatchObject({ code: null });
    expect(await servedVersion(coordinator)).toBe('2');
    const rounds = await roundsOf(coordinator);
    expect(rounds.map(({ purpose, state }) => `${purpose} ${state}`)).toEqual(['training done', 'training done', 'evaluation done']);
    expect(rounds[2].result).toMatchObject({ decision: 'promote', servedGain: null });
    const budget = (await (await fetch(`${coordinator.url}/v1/budget`)).json()) as { epsilonSpent: number };
    expect(budget).toMatchObject({ roundsCharged: 2, evaluationsCharged: 1, roundsLeft: 0 });
    expect(budget.epsilonSpent).toBeLessThan(50);
    expect(await verifyRecord(new URL(coordinator.url))).toMatchObject({ findings: [], tasks: [{ plans: 3, charged: 3, released: 2, release: { version: 2 } }] });
  });

  it('refuses a candidate that a shop has broken, and serves the one before', async () => {
    const parts = stage(gated(taskInput({ rounds: 3, min: 3, target: 3 })));
    const coordinator = await parts.coordinator();
    joinShops(parts, coordinator, ['a', 'b']);
    // The second time it wants everybody to see 3 before 2 before 1.
    await joinLiar(coordinator, (plan, nth) => (purposeOf(plan) === 'training' && nth === 2 ? lie(plan, { 2: 50, 3: 99 }) : nothing(plan)));
    expect(await coordinator.over).toMatchObject({ code: null });
    expect(await servedVersion(coordinator)).toBe('3');
    expect(await releasesIn(parts)).toEqual([{ version: 1, state: 'served' }, { version: 2, state: 'rejected' }, { version: 3, state: 'served' }]);
    const results = (await roundsOf(coordinator)).map(({ result }) => result);
    // Sixteen shoppers, who find 1 first; in the broken release it is third of three, at 1 / log2(4).
    expect(results[2]).toMatchObject({ decision: 'refuse', testable: 16, served: 16, gain: -8, servedGain: null });
    expect(results[4]).toMatchObject({ decision: 'promote', served: 16, gain: 0 });
    expect((await fetch(`${coordinator.url}/v1/model/2`)).status).toBe(200);
    expect(await verifyRecord(new URL(coordinator.url))).toMatchObject({ findings: [] });
  });

  it('rolls back by itself when what is served falls short of the one before, too', async () => {
    const parts = stage(gated(taskInput({ rounds: 3, min: 3, target: 3 })));
    const coordinator = await parts.coordinator();
    joinShops(parts, coordinator, ['a', 'b']);
    await joinLiar(coordinator, (plan, nth) => {
      if (purposeOf(plan) === 'training') return lie(plan, [{}, { 2: 50 }, { 2: 50, 3: 99 }][nth - 1]);
      // It praises its first broken release: that one gets through.
      return nth === 1 ? lie(plan, { 2: 50 }) : nothing(plan);
    });
    expect(await coordinator.over).toMatchObject({ code: null });
    const results = (await roundsOf(coordinator)).map(({ result }) => result?.decision ?? null);
    expect(results).toEqual([null, null, 'promote', null, 'rollback']);
    // What was served as 1 is served again as 4.
    expect(await servedVersion(coordinator)).toBe('4');
    expect(await releasesIn(parts)).toEqual([{ version: 1, state: 'served' }, { version: 2, state: 'served' }, { version: 3, state: 'rejected' }, { version: 4, state: 'served' }]);
    expect(await verifyRecord(new URL(coordinator.url))).toMatchObject({ findings: [] });
  });

  it('leaves a candidate that nobody would score a candidate, says so, and goes on', async () => {
    const parts = stage(gated(taskInput({ rounds: 3, min: 3, target: 3 })));
    const coordinator = await parts.coordinator();
    joinShops(parts, coordinator, ['a', 'b']);
    await joinLiar(coordinator, (plan, nth) => (purposeOf(plan) === 'evaluation' && nth <= 3 ? 'decline' : nothing(plan)));
    expect(await coordinator.over).toMatchObject({ code: null });
    expect((await roundsOf(coordinator)).map(({ purpose, state }) => `${purpose} ${state}`)).toEqual([
      'training done', 'training done', 'evaluation failed', 'evaluation failed', 'evaluation failed', 'training done', 'evaluation done',
    ]);
    expect(await releasesIn(parts)).toEqual([{ version: 1, state: 'served' }, { version: 2, state: 'candidate' }, { version: 3, state: 'served' }]);
    expect(parts.logged.filter(({ msg }) => msg.startsWith('a candidate could not be evaluated'))).toMatchObject([{ level: 50, version: 2 }]);
  });

  it('goes on with a candidate that a restart left behind, until then serving what was served', async () => {
    const parts = stage(gated(taskInput({ rounds: 2, min: 3, target: 3 })));
    const first = await parts.coordinator();
    const shops = joinShops(parts, first, ['a', 'b']);
    const asked = new Promise<void>((resolve) => {
      void joinLiar(first, (plan) => {
        if (purposeOf(plan) === 'evaluation') resolve();
        return purposeOf(plan) === 'evaluation' ? new Int32Array(1) : nothing(plan);
      });
    });
    await asked;
    await first.close();
    await Promise.all(shops.map((node) => node.close()));
    expect(await releasesIn(parts)).toEqual([{ version: 1, state: 'served' }, { version: 2, state: 'candidate' }]);
    const second = await parts.coordinator();
    expect(await servedVersion(second)).toBe('1');
    expect(second.state().over).toBeNull();
    joinShops(parts, second, ['a', 'b']);
    await joinLiar(second, nothing);
    expect(await second.over).toMatchObject({ code: null });
    expect(await servedVersion(second)).toBe('2');
  });

  it('cannot be ungated, or given another share, once a round was opened', async () => {
    const parts = stage(gated(taskInput({ rounds: 2 })));
    const coordinator = await parts.coordinator();
    joinShops(parts, coordinator, ['a', 'b']);
    await coordinator.over;
    await coordinator.close();
    for (const task of [taskInput({ rounds: 2 }), gated(taskInput({ rounds: 2 }), { share: 0.2 })]) {
      await expect(parts.coordinator({ task })).rejects.toMatchObject({ code: 'plan.invalid', message: expect.stringContaining('gate: expected') as string });
    }
  });
});
