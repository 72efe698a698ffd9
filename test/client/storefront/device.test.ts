import { describe, expect, it } from 'vitest';
import { deviceName, startDevice, type Device, type DeviceEvent, type DeviceSettings } from '../../../client/storefront/device.ts';
import { openDeviceRecords } from '../../../client/storefront/device-records.ts';
import { noWitnesses } from '../../../shared/ledger/witness-policy.ts';
import { planEvents } from '../../../shared/federation/plan-cost.ts';
import { planHash, planStatement, type Plan } from '../../../shared/federation/plan.ts';
import { canonicalJson } from '../../../shared/protocol/canonical-json.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';
import { decodeChunk, type ClientMessage } from '../../../shared/protocol/messages.ts';
import { examplePlan } from '../../federation/plans.ts';
import { catalogueOf } from '../../ranking/training.ts';
import { acknowledge, admit, codeOf, coordinator, coordinatorRecord, fakeNetwork, until, type FakeNetwork } from '../fakes.ts';
import { memoryDeviceStore, type MemoryDeviceStore } from './memory-device-store.ts';

const federation = catalogueOf('a', 'b', 'c');
const openPlan = examplePlan({ catalogueHash: federation.hash, privacy: { mode: 'none' }, bounds: { ...examplePlan().bounds, clipNorm: null, countValue: 1 } });
const privatePlan = examplePlan({ catalogueHash: federation.hash });
const settings: DeviceSettings = {
  url: 'http://localhost:8787/cesta', degree: 3, history: [{ time: 1, items: ['b', 'unheard of'] }, { time: 2, items: ['c', 'b'] }],
  maxEpsilon: 100, maxDelta: 1e-4, coordinatorKey: null, tasks: null, witnesses: noWitnesses,
};

interface Rig {
  readonly device: Device;
  readonly network: FakeNetwork;
  readonly events: DeviceEvent[];
  readonly store: MemoryDeviceStore;
  readonly sent: <T extends ClientMessage['type']>(type: T) => Promise<Extract<ClientMessage, { type: T }>>;
  readonly invite: (plan: Plan) => void;
  /** Plays the coordinator until the report is in, and returns it. */
  readonly round: (plan: Plan) => Promise<Int32Array>;
}

async function rig(changes: Partial<DeviceSettings> = {}, store = memoryDeviceStore()): Promise<Rig> {
  const network = fakeNetwork();
  const events: DeviceEvent[] = [];
  const device = await startDevice({
    settings: { ...settings, ...changes }, store, tell: (event) => void events.push(event), openSocket: network.openSocket,
    fetch: (url) => coordinatorRecord.answer(url) ?? Promise.resolve(new Response(canonicalJson(federation.products))),
  });
  admit(network.last());
  const sent: Rig['sent'] = async (type) => {
    const found = () => network.last().messages().find((message) => message.type === type);
    await until(() => found() !== undefined, type);
    return found() as never;
  };
  const invite = (plan: Plan): void => network.last().say({ type: 'invite', plan, signature: coordinator.sign(planStatement(planHash(plan))), evidence: coordinatorRecord.evidence(plan) });
  return {
    device, network, events, store, sent, invite,
    async round(plan) {
      invite(plan);
      await sent('join');
      network.last().say({ type: 'train', round: plan.round, deadlineMs: 10_000 });
      await sent('report');
      network.last().say({ type: 'upload', round: plan.round });
      await until(() => network.last().frames.length === 1, 'uploading');
      acknowledge(network.last(), plan.round);
      await until(() => events.some(({ kind }) => kind === 'receipt'), 'the receipt');
      return decodeChunk(network.last().frames[0]).data;
    },
  };
}

describe('a device that takes part', () => {
  it('contributes one shopper, as a shop would, and keeps the receipt', async () => {
    const { round, device, events, store } = await rig({ maxEpsilon: null });
    const { gridScale } = openPlan.bounds;
    const half = Math.floor(gridScale / Math.sqrt(2));
    expect([...(await round(openPlan))]).toEqual([0, half, half, gridScale]);
    expect(events.find(({ kind }) => kind === 'trained')).toMatchObject({ mapping: { shoppers: 1, itemsMapped: 3, itemsOutside: 1 } });
    device.leave('closed');
    const { key, receipts } = await openDeviceRecords(store);
    expect(await device.done).toEqual({ name: deviceName(key.publicKey), rounds: 1, epsilonSpent: null, ended: 'closed' });
    expect((await receipts.read()).map(({ receipt: { node } }) => node)).toEqual([key.publicKey]);
  });

  it('is not started without consent of degree 3', async () => {
    for (const degree of [0, 1, 2] as const) expect(await codeOf(() => rig({ degree }))).toBe('usage.invalid');
  });

  it('publishes no products, which would be its history', async () => {
    const { network, sent } = await rig();
    network.last().lose();
    await until(() => network.sockets.length === 2, 'dialling again');
    admit(network.last(), { openCatalogue: true });
    expect(await sent('products')).toMatchObject({ products: [], last: true });
  });

  it('has the spend on record before it announces, let alone sends, what it spent it on', async () => {
    const { round, network, store, device } = await rig();
    const onRecord: unknown[] = [];
    network.last().onSend = (data) => {
      if (typeof data !== 'string' || data.includes('"report"')) onRecord.push(store.values.get('spends'));
    };
    await round(privatePlan);
    expect(onRecord).toHaveLength(2);
    for (const spends of onRecord) expect(spends).toMatchObject([{ events: planEvents(privatePlan), round: 'main-1', planHash: planHash(privatePlan) }]);
    device.leave('closed');
    expect((await device.done).epsilonSpent).toBeGreaterThan(0);
  });

  it('sends nothing when the spend cannot be recorded', async () => {
    const { invite, sent, network, store } = await rig();
    store.onUpdate = (name) => {
      if (name === 'spends') throw new CestaError('storage.failed', 'IndexedDB: expected room, got none');
    };
    invite(privatePlan);
    await sent('join');
    network.last().say({ type: 'train', round: privatePlan.round, deadlineMs: 10_000 });
    expect(await sent('decline')).toMatchObject({ code: 'storage.failed' });
    expect(network.last().frames).toEqual([]);
  });

  it('answers a plan once, also in a later visit', async () => {
    const first = await rig();
    await first.round(privatePlan);
    first.device.leave('closed');
    await first.device.done;
    const second = await rig({}, first.store);
    second.invite(privatePlan);
    await second.sent('join');
    second.network.last().say({ type: 'train', round: privatePlan.round, deadlineMs: 10_000 });
    expect(await second.sent('decline')).toMatchObject({ code: 'protocol.replayed' });
    expect(second.network.last().frames).toEqual([]);
    expect(first.store.values.get('spends')).toHaveLength(1);
  });

  it('declines what is beyond its own limit, and rounds without privacy', async () => {
    const poor = await rig({ maxEpsilon: 0.5 });
    poor.invite(privatePlan);
    expect(await poor.sent('decline')).toMatchObject({ code: 'budget.exhausted' });
    const careful = await rig();
    careful.invite(openPlan);
    expect(await careful.sent('decline')).toMatchObject({ code: 'privacy.mode-unavailable' });
  });

  it('leaves a round that it is withdrawn from, and drops what it would have sent', async () => {
    const { invite, sent, network, device } = await rig();
    invite(privatePlan);
    await sent('join');
    network.last().say({ type: 'train', round: privatePlan.round, deadlineMs: 10_000 });
    await sent('report');
    device.leave('withdrawn');
    network.last().say({ type: 'upload', round: privatePlan.round });
    expect((await sent('leave')).round).toBe(privatePlan.round);
    expect(await device.done).toMatchObject({ rounds: 0, ended: 'withdrawn' });
    expect(network.last().frames).toEqual([]);
    expect(network.last().isClosed).toBe(true);
  });

  it('trusts the coordinator key it met first, and that key only', async () => {
    const { device, store } = await rig();
    device.leave('closed');
    await device.done;
    const again = await startDevice({ settings, store, tell: () => undefined, openSocket: fakeNetwork((socket) => queueMicrotask(() => {
      socket.open();
      socket.say({ type: 'challenge', nonce: '11'.repeat(32), coordinatorKey: 'ab'.repeat(32) });
    })).openSocket });
    expect(await codeOf(() => again.done)).toBe('coordinator.untrusted');
    expect(await codeOf(() => rig({ coordinatorKey: 'ab'.repeat(32) }, store))).toBe('config.invalid');
  });
});

describe('records of a device that are damaged', () => {
  it('are an error, not a first visit: it would forget its key or what it spent', async () => {
    for (const [name, value] of [['key', 'no key'], ['spends', 'all of them'], ['coordinator', 7]] as const) {
      const store = memoryDeviceStore();
      store.values.set(name, value);
      expect(await codeOf(async () => (await openDeviceRecords(store)).spends.read())).toBe('storage.failed');
    }
  });

  it('cost as much as the dearest spend where one of them cannot be read', async () => {
    const store = memoryDeviceStore();
    store.values.set('spends', ['torn']);
    expect(await (await openDeviceRecords(store)).spends.read()).toEqual({ spends: [], unreadable: 1 });
  });

  it('remember a masked session that was answered', async () => {
    const records = await openDeviceRecords(memoryDeviceStore());
    await records.recordRelease('ab');
    expect(await codeOf(() => records.recordRelease('ab'))).toBe('secagg.aborted');
    await records.recordRelease('cd');
  });
});
