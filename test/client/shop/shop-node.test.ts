import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, describe, expect, it } from 'vitest';
import { createModelCache } from '../../../client/model-cache.ts';
import { startShopNode, type ShopNode, type ShopNodeEvent, type ShopNodeOptions } from '../../../client/shop/shop-node.ts';
import { historyOf } from '../../../shared/commerce/history.ts';
import type { Dataset, Shopper } from '../../../shared/datasets/dataset.ts';
import { planEvents } from '../../../shared/federation/plan-cost.ts';
import { spendOf, totalSpent } from '../../../client/spends.ts';
import { planHash, planStatement, type Plan } from '../../../shared/federation/plan.ts';
import { canonicalJson } from '../../../shared/protocol/canonical-json.ts';
import { decodeChunk, type ClientMessage } from '../../../shared/protocol/messages.ts';
import { catalogueOf } from '../../ranking/training.ts';
import { examplePlan } from '../../federation/plans.ts';
import { acknowledge, admit, codeOf, coordinator, coordinatorRecord, fakeNetwork, until, type FakeNetwork } from '../fakes.ts';

const root = mkdtempSync(join(tmpdir(), 'cesta-node-'));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;
const freshFolder = (): string => join(root, String((folders += 1)));

/** The shop sells b, c, x; the federation knows a, b, c. */
const federation = catalogueOf('a', 'b', 'c');
const shopper = (degree: Shopper['degree'], ...items: number[]): Shopper => ({ id: `s${items.join('')}`, group: '', degree, history: historyOf([{ time: 1, items }]) });
const dataset: Dataset = {
  name: 'test',
  catalogue: catalogueOf('b', 'c', 'x'),
  shoppers: [shopper(3, 0), shopper(3, 0, 1, 2), shopper(3, 2), shopper(2, 1), shopper(0, 0, 1)],
  report: { lines: 0, used: 0, complaints: [] },
};
const openPlan = examplePlan({ catalogueHash: federation.hash, privacy: { mode: 'none' }, bounds: { ...examplePlan().bounds, clipNorm: null, countValue: 1 } });
const spentAt = (maxEpsilon: number): number => totalSpent({ spends: [spendOf(privatePlan, '', '')], unreadable: 0 }, { maxEpsilon }).epsilon;
const privatePlan = examplePlan({ catalogueHash: federation.hash, privacy: { mode: 'local', epsilon: 3, delta: 1e-5, rounds: 1, noiseStd: 7, mechanism: 'skellam', sampling: 1, filterOrder: 8, shopsPerShopper: 2 } });
const served = (): Promise<Response> => Promise.resolve(new Response(canonicalJson(federation.products)));

interface Rig {
  readonly node: ShopNode;
  readonly network: FakeNetwork;
  readonly events: ShopNodeEvent[];
  readonly stateDir: string;
  readonly sent: () => ClientMessage[];
  readonly say: FakeNetwork['last'];
  /** Plays the coordinator until this node's report is in, and returns it. */
  readonly round: (plan: Plan) => Promise<Int32Array>;
  readonly invite: (plan: Plan) => void;
}

function rig(changes: Partial<ShopNodeOptions> = {}): Rig {
  const network = fakeNetwork();
  const events: ShopNodeEvent[] = [];
  const stateDir = changes.stateDir ?? freshFolder();
  const node = startShopNode({
    shop: 'corner-shop', dataset, coordinator: new URL('http://localhost:8787/cesta/'), stateDir, logger: pino({ level: 'silent' }),
    openSocket: network.openSocket, ...changes, fetch: (url, init) => coordinatorRecord.answer(url) ?? (changes.fetch ?? served)(url, init),
  });
  node.onEvent((event) => void events.push(event));
  const invite = (plan: Plan): void => network.last().say({ type: 'invite', plan, signature: coordinator.sign(planStatement(planHash(plan))), evidence: coordinatorRecord.evidence(plan) });
  const sent = (): ClientMessage[] => network.last().messages();
  return {
    node, network, events, stateDir, invite, sent,
    say: () => network.last(),
    async round(plan) {
      const { round } = plan;
      const socket = network.last();
      socket.frames.length = 0;
      invite(plan);
      await until(() => sent().some((message) => message.type === 'join' && message.round === round), 'joining');
      socket.say({ type: 'train', round, deadlineMs: 10_000 });
      await until(() => sent().some((message) => message.type === 'report' && message.round === round), 'reporting');
      socket.say({ type: 'upload', round });
      await until(() => socket.frames.length === 1, 'uploading');
      acknowledge(socket, round);
      return decodeChunk(socket.frames[0]).data;
    },
  };
}

describe('a shop node', () => {
  it('dials the coordinator below its address, publishes its products and pins the key it met', async () => {
    const { network, node, stateDir, sent } = rig();
    expect(network.last().url).toBe('ws://localhost:8787/cesta/v1/rounds/live');
    admit(network.last(), { openCatalogue: true });
    await until(() => sent().length === 3);
    expect(sent()[2]).toMatchObject({ type: 'products', last: true, products: dataset.catalogue.products });
    await node.close();
    const again = rig({ stateDir });
    admit(again.network.last(), { key: 'ab'.repeat(32) });
    expect(await codeOf(() => again.node.done)).toBe('coordinator.untrusted');
  });

  it('trusts the coordinator key it is given, and no other: neither one it meets nor one it had pinned', async () => {
    const { network, node, stateDir } = rig({ coordinatorKey: 'ab'.repeat(32) });
    admit(network.last());
    expect(await codeOf(() => node.done)).toBe('coordinator.untrusted');
    expect(await codeOf(() => rig({ stateDir, coordinatorKey: coordinator.publicKey }))).toBe('config.invalid');
    expect(await codeOf(() => rig({ coordinatorKey: 'no key' }))).toBe('config.invalid');
    const given = rig({ coordinatorKey: coordinator.publicKey });
    admit(given.network.last());
    expect(given.events.map(({ kind }) => kind)).toEqual(['up']);
    await given.node.close();
  });

  it('speaks TLS to a coordinator that does', async () => {
    const { network, node } = rig({ coordinator: new URL('https://cesta.example.org') });
    expect(network.last().url).toBe('wss://cesta.example.org/v1/rounds/live');
    await node.close();
  });

  it('sums consenting shoppers only, in the federation\'s coordinates, and accounts for the rest', async () => {
    const { round, events, network, node } = rig();
    admit(network.last());
    const { gridScale } = openPlan.bounds;
    const half = Math.floor(gridScale / Math.sqrt(2));
    // Shopper 1 has b; shopper 2 has b and c (and x, outside); shopper 3 has x only; the others gave no consent.
    expect([...(await round(openPlan))]).toEqual([0, gridScale + half, half, 2 * gridScale]);
    expect(events.find(({ kind }) => kind === 'trained')).toMatchObject({
      round: 'main-1', mapping: { shoppers: 2, withheld: 2, outside: 1, itemsMapped: 3, itemsOutside: 2 },
    });
    await node.close();
  });

  it('adds noise that is new for each noising and of the plan\'s size', async () => {
    const reports: Int32Array[] = [];
    const { round, network, node } = rig();
    admit(network.last());
    for (let number = 1; number <= 60; number += 1) reports.push(await round({ ...privatePlan, round: `main-${number}` }));
    expect(new Set(reports.map((report) => report.join())).size).toBe(60);
    // Coordinate 0 is an item nobody of this shop has: pure noise. 60 draws of a variance lie within a factor 2 of it,
    // but for a probability below 1e-5 (chi-squared, 60 degrees of freedom, at 30 and 120).
    const variance = reports.reduce((sum, [first]) => sum + first ** 2, 0) / 60;
    const expected = (7 * privatePlan.bounds.gridScale) ** 2;
    expect(variance / expected).toBeGreaterThan(0.5);
    expect(variance / expected).toBeLessThan(2);
    await node.close();
  });

  it('has the spend on disk before it announces, let alone sends, what it spent it on', async () => {
    const { round, network, node, stateDir } = rig({ maxEpsilon: 6 });
    const onDisk: string[] = [];
    admit(network.last());
    network.last().onSend = (data) => {
      if (typeof data === 'string' && !data.includes('"report"')) return;
      onDisk.push(readFileSync(join(stateDir, 'corner-shop', 'spends.jsonl'), 'utf8'));
    };
    await round(privatePlan);
    expect(onDisk.length).toBe(2);
    for (const text of onDisk) expect(JSON.parse(text)).toMatchObject({ events: planEvents(privatePlan), round: 'main-1', planHash: planHash(privatePlan) });
    await node.close();
    expect(await node.done).toEqual({ rounds: 1, epsilonSpent: spentAt(6), ended: 'closed' });
  });

  it('remembers across restarts what it spent, and declines at its own limit', async () => {
    // Room for one round and a little, not for two.
    const limit = 1.1 * spentAt(1);
    const first = rig({ maxEpsilon: limit });
    admit(first.network.last());
    await first.round(privatePlan);
    await first.node.close();
    const second = rig({ maxEpsilon: limit, stateDir: first.stateDir });
    admit(second.network.last());
    second.invite({ ...privatePlan, round: 'main-2' });
    await until(() => second.sent().length === 3);
    expect(second.sent()[2]).toMatchObject({ type: 'decline', round: 'main-2', code: 'budget.exhausted' });
    await second.node.close();
    expect(await second.node.done).toEqual({ rounds: 0, epsilonSpent: spentAt(limit), ended: 'closed' });
  });

  it('says that its spend has no bound once it reported without privacy', async () => {
    const { round, network, node } = rig();
    admit(network.last());
    await round(openPlan);
    await node.close();
    expect(await node.done).toEqual({ rounds: 1, epsilonSpent: null, ended: 'closed' });
  });

  it('does not train on a catalogue that is not the plan\'s, and tries again at the next invitation', async () => {
    const answers = [() => Promise.reject(new Error('no route')), () => Promise.resolve(new Response(canonicalJson(dataset.catalogue.products))), served];
    const { network, node, invite, sent } = rig({ fetch: () => (answers.shift() ?? served)() });
    admit(network.last());
    for (const [index, answer] of ['network.unreachable', 'catalogue.invalid', 'join'].entries()) {
      invite({ ...openPlan, round: `main-${index}` });
      await until(() => sent().length === 3 + index);
      const last = sent().at(-1);
      expect(last?.type === 'decline' ? last.code : last?.type).toBe(answer);
    }
    await node.close();
  });

  it('declines a round whose ring has no room for its shoppers', async () => {
    const { network, node, invite, sent } = rig();
    admit(network.last());
    invite({ ...openPlan, bounds: { ...openPlan.bounds, maxShoppersPerShop: 2 } });
    await until(() => sent().length === 3);
    expect(sent()[2]).toMatchObject({ type: 'decline', code: 'privacy.infeasible' });
    await node.close();
  });

  it('answers a small ring by the room it declares, not by the shoppers it has', async () => {
    const { network, node, invite, sent } = rig({ capacity: 1_000 });
    admit(network.last());
    invite({ ...openPlan, bounds: { ...openPlan.bounds, maxShoppersPerShop: 999 } });
    await until(() => sent().length === 3);
    expect(sent()[2]).toMatchObject({ type: 'decline', code: 'privacy.infeasible', message: 'maxShoppersPerShop: expected room for 1000, got 999' });
    await node.close();
    expect(() => rig({ capacity: 1 })).toThrow(/capacity: expected room for/);
  });

  it('declines to start from a release that it cannot have', async () => {
    const fetched: string[] = [];
    const { network, node, invite, sent } = rig({
      fetch: (url) => {
        fetched.push(url);
        return url.endsWith('catalogue') ? served() : Promise.resolve(new Response(Uint8Array.of(1, 2, 3)));
      },
    });
    admit(network.last());
    invite({ ...openPlan, baseRelease: 'ab'.repeat(32) });
    await until(() => sent().length === 3);
    network.last().say({ type: 'train', round: 'main-1', deadlineMs: 10_000 });
    await until(() => sent().length === 4);
    expect(sent()[3]).toMatchObject({ type: 'decline', code: 'release.untrusted' });
    expect(fetched.at(-1)).toBe(`http://localhost:8787/cesta/v1/tasks/main/model/${'ab'.repeat(32)}`);
    await node.close();
    expect(await node.done).toEqual({ rounds: 0, epsilonSpent: 0, ended: 'closed' });
  });

  it('shares catalogue and model with the other nodes of its process', async () => {
    let fetches = 0;
    const fetch = (): Promise<Response> => {
      fetches += 1;
      return served();
    };
    const modelCache = createModelCache();
    const rigs = [rig({ modelCache, fetch }), rig({ modelCache, fetch })];
    for (const { network } of rigs) admit(network.last());
    await Promise.all(rigs.map(({ round }) => round(openPlan)));
    expect(fetches).toBe(1);
    expect(await modelCache.model({ kind: 'popularity', hyperParameters: {} }, federation)).toBe(await modelCache.model({ kind: 'popularity', hyperParameters: {} }, federation));
    await Promise.all(rigs.map(({ node }) => node.close()));
  });
});

describe('a shop node ends', () => {
  it('when it is closed: it leaves the open round and spends nothing any more', async () => {
    const { network, node, invite, sent, stateDir, events } = rig();
    admit(network.last());
    invite(privatePlan);
    await until(() => sent().length === 3);
    network.last().say({ type: 'train', round: 'main-1', deadlineMs: 10_000 });
    await node.close();
    await node.close();
    expect(sent().at(-1)).toMatchObject({ type: 'leave', round: 'main-1' });
    expect(await node.done).toEqual({ rounds: 0, epsilonSpent: 0, ended: 'closed' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(() => readFileSync(join(stateDir, 'corner-shop', 'spends.jsonl'))).toThrow();
    expect(events.at(-1)).toEqual({ kind: 'over', error: null });
  });

  it('when the task is over, and after the first release if that was asked for', async () => {
    const over = rig();
    admit(over.network.last());
    over.network.last().say({ type: 'task-over', code: null, message: 'all rounds done' });
    expect(await over.node.done).toMatchObject({ ended: 'task-over' });
    const once = rig({ once: true });
    admit(once.network.last());
    await once.round(openPlan);
    once.network.last().say({ type: 'round-done', round: 'main-1', version: 1, sha256: 'ab'.repeat(32) });
    expect(await once.node.done).toMatchObject({ ended: 'once', rounds: 1 });
  });

  it('with the error that trying again cannot mend', async () => {
    const { network, node } = rig();
    network.last().open();
    network.last().say({ type: 'error', code: 'node.name-taken', message: 'taken', hint: '' });
    expect(await codeOf(() => node.done)).toBe('node.name-taken');
    await node.close();
  });
});

describe('the log of a shop node', () => {
  it('says when the coordinator goes and when it is back, and keeps quiet in between', async () => {
    const lines: { level: number; msg: string; shop: string }[] = [];
    const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number]) });
    const { network, node } = rig({ logger });
    admit(network.last());
    network.last().lose('going down');
    await until(() => network.sockets.length === 2);
    network.last().lose('refused');
    await until(() => network.sockets.length === 3);
    admit(network.last(), { session: 2 });
    await node.close();
    expect(lines.every(({ shop }) => shop === 'corner-shop')).toBe(true);
    expect(lines.map(({ level, msg }) => `${level} ${msg}`)).toEqual([
      '30 first contact: the key of the coordinator is pinned from now on', '30 connected to the coordinator',
      '40 the coordinator is away; trying again', '30 the coordinator is still away', '30 the coordinator is back', '30 connection closed',
    ]);
  });
});
