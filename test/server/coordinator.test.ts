import { describe, expect, it } from 'vitest';
import { defaultGatewayLimits } from '../../server/gateway/context.ts';
import { openRelease } from '../../shared/federation/release.ts';
import { planHash, planStatement } from '../../shared/federation/plan.ts';
import { verifySignature } from '../../shared/ledger/signature.ts';
import { coordinatorFor, nothingButShoppers, oneOfEach, runRound, takePart } from './support/coordinators.ts';
import { fakeClock } from './support/fake-clock.ts';
import { catalogue, model, taskInput } from './support/fixtures.ts';
import { temporaryFolder } from './support/folders.ts';
import { announceReport, connectShop, joinRound, reportUpdate, sendChunks, shopNamed, type TestClient } from './support/test-client.ts';

const getBytes = async (url: string): Promise<Uint8Array> => new Uint8Array(await (await fetch(url)).arrayBuffer());
const getJson = async (url: string): Promise<unknown> => (await fetch(url)).json();

describe('a federation of two shops', () => {
  it('makes a signed release of the sum and serves it', async () => {
    const coordinator = await coordinatorFor();
    const { clients, done } = await runRound(coordinator.url, ['a', 'b']);
    expect(done).toMatchObject({ round: 'trial-1', version: 1 });
    expect(await clients[0].next('task-over')).toMatchObject({ code: null });
    const { manifest, tensors } = await openRelease(await getBytes(`${coordinator.url}/v1/model`), coordinator.publicKey);
    expect(manifest).toMatchObject({ task: 'trial', version: 1, round: 'trial-1', cohort: 2, shoppers: 2, parent: null, catalogueHash: catalogue.hash });
    expect([...tensors['popularity'].data]).toEqual([2, 2, 2, 2]);
    await expect(coordinator.over).resolves.toMatchObject({ code: null });
  });

  it('invites with a plan that its key has signed', async () => {
    const coordinator = await coordinatorFor();
    const clients = await Promise.all(['a', 'b'].map((name) => connectShop(coordinator.url, shopNamed(name))));
    const { plan, signature } = await clients[0].client.next('invite');
    expect(await verifySignature(coordinator.publicKey, signature, planStatement(planHash(plan)))).toBe(true);
  });

  it('tells its operator every step', async () => {
    const coordinator = await coordinatorFor();
    const steps: string[] = [];
    coordinator.onRound(() => {
      throw new Error('a listener of somebody else');
    });
    const stop = coordinator.onRound(({ phase, members, reported }) => void steps.push(`${phase} ${reported}/${members}`));
    expect(coordinator.state()).toMatchObject({ phase: 'waiting', shopsReady: 0, round: null, version: null });
    await runRound(coordinator.url, ['a', 'b']);
    stop();
    expect(steps).toEqual(['recruiting 0/0', 'recruiting 0/1', 'training 0/2', 'training 1/2', 'releasing 2/2', 'done 2/2']);
    await coordinator.over;
    expect(coordinator.state()).toMatchObject({ phase: 'over', shopsReady: 2, version: 1, round: { phase: 'done', version: 1 } });
  });

  it('trains each round from the release before', async () => {
    const coordinator = await coordinatorFor({ task: taskInput({ mode: 'local', rounds: 2 }) });
    const { clients, done } = await runRound(coordinator.url, ['a', 'b']);
    const [second] = await Promise.all(clients.map((client) => takePart(client, nothingButShoppers)));
    expect(second.version).toBe(2);
    const [before, after] = await Promise.all([1, 2].map(async (version) => openRelease(await getBytes(`${coordinator.url}/v1/model/${version}`), coordinator.publicKey)));
    expect(after.manifest.parent).toBe(done.sha256);
    const { noiseStd } = after.manifest.metrics;
    const updated = (params: unknown) => model.encode(model.update(params, { sum: new Float64Array(4), shoppers: 2, noiseStd }));
    expect(after.tensors).toEqual(updated(model.decode(before.tensors)));
    expect(after.tensors).not.toEqual(updated(model.initial()));
  });

  it('unites the catalogues of the shops that are there, and keeps it for those who come later', async () => {
    const dataDir = temporaryFolder();
    const coordinator = await coordinatorFor({ open: true, dataDir, task: taskInput({ rounds: 2 }) });
    expect((await fetch(`${coordinator.url}/v1/catalogue`)).status).toBe(404);
    const offers = { a: [{ id: 'x', title: 'ex' }, { id: 'y', title: 'why' }], b: [{ id: 'y', title: 'other words' }, { id: 'z', title: 'zed' }] };
    const clients = await Promise.all(Object.entries(offers).map(async ([name, products]) => (await connectShop(coordinator.url, shopNamed(name), { products })).client));
    const plan = await joinRound(clients[0]);
    expect(plan.statisticLength).toBe(4);
    expect(await getJson(`${coordinator.url}/v1/catalogue`)).toEqual([{ id: 'x', title: 'ex' }, { id: 'y', title: 'why' }, { id: 'z', title: 'zed' }]);
    const late = await connectShop(coordinator.url, shopNamed('late'));
    expect(late.welcome.openCatalogue).toBe(false);
    await coordinator.close();
    const again = await coordinatorFor({ open: true, dataDir, task: taskInput({ rounds: 2 }) });
    expect(await getJson(`${again.url}/.well-known/cesta.json`)).toMatchObject({ catalogueHash: plan.catalogueHash });
  });

  it('waits for shops that have something to offer', async () => {
    const coordinator = await coordinatorFor({ open: true });
    const empty = await Promise.all(['a', 'b'].map((name) => connectShop(coordinator.url, shopNamed(name))));
    await expect.poll(() => coordinator.state().phase).toBe('pausing');
    empty[0].client.hangUp();
    const { client } = await connectShop(coordinator.url, shopNamed('c'), { products: [{ id: 'x', title: 'ex' }, { id: 'y', title: 'why' }] });
    expect((await client.next('invite')).plan.statisticLength).toBe(3);
  });
});

describe('when a round opens', () => {
  it('is after the gathering time with the quorum, and at once with the target', async () => {
    const clock = fakeClock();
    const coordinator = await coordinatorFor({ clock, gatherMs: 10_000, task: taskInput({ min: 1, target: 2 }) });
    const { client } = await connectShop(coordinator.url, shopNamed('a'));
    clock.advance(9_999);
    expect(coordinator.state().phase).toBe('waiting');
    clock.advance(1);
    await client.next('invite');
    const other = await coordinatorFor({ clock, gatherMs: 10_000, task: taskInput({ min: 1, target: 2 }) });
    const pair = await Promise.all(['a', 'b'].map((name) => connectShop(other.url, shopNamed(name))));
    await pair[1].client.next('invite');
  });

  it('is not before the quorum is there', async () => {
    const clock = fakeClock();
    const coordinator = await coordinatorFor({ clock, gatherMs: 1_000 });
    const { client } = await connectShop(coordinator.url, shopNamed('a'));
    clock.advance(14_000);
    expect(coordinator.state().phase).toBe('waiting');
    const second = await connectShop(coordinator.url, shopNamed('b'));
    await Promise.all([client.next('invite'), second.client.next('invite')]);
  });

  it('is after a pause that doubles when rounds fail', async () => {
    const clock = fakeClock();
    const coordinator = await coordinatorFor({ clock, retryMs: 1_000, gatherMs: 0 });
    const { client } = await connectShop(coordinator.url, shopNamed('a'));
    const other = await connectShop(coordinator.url, shopNamed('b'));
    for (const [number, pause] of [[1, 1_000], [2, 2_000], [3, 4_000]] as const) {
      const { plan } = await client.next('invite');
      expect(plan.round).toBe(`trial-${number}`);
      client.say({ type: 'decline', round: plan.round, code: 'budget.exhausted', message: 'not today' });
      await other.client.next('round-failed');
      await expect.poll(() => coordinator.state().phase).toBe('pausing');
      clock.advance(pause - 1);
      expect(coordinator.state().phase).toBe('pausing');
      clock.advance(1);
    }
    await client.next('invite');
  });
});

describe('the budget', () => {
  const local = taskInput({ mode: 'local', rounds: 1 });

  it('is charged for a training round that fails, and ends the task with its code', async () => {
    const clock = fakeClock();
    const coordinator = await coordinatorFor({ clock, task: local });
    const clients = await Promise.all(['a', 'b'].map(async (name) => (await connectShop(coordinator.url, shopNamed(name))).client));
    await Promise.all(clients.map(joinRound));
    await Promise.all(clients.map((client) => client.next('train')));
    clock.advance(20_000);
    await clients[0].next('round-failed');
    expect(await clients[0].next('task-over')).toMatchObject({ code: 'budget.exhausted' });
    expect(await getJson(`${coordinator.url}/v1/budget`)).toMatchObject({ roundsCharged: 1, roundsLeft: 0, epsilonLimit: 3 });
    expect((await fetch(`${coordinator.url}/v1/model`)).status).toBe(404);
  });

  it('is not charged for a round in which nobody trained', async () => {
    const coordinator = await coordinatorFor({ task: local });
    const clients = await Promise.all(['a', 'b'].map(async (name) => (await connectShop(coordinator.url, shopNamed(name))).client));
    const { plan } = await clients[0].next('invite');
    clients[0].say({ type: 'decline', round: plan.round, code: 'budget.exhausted', message: '' });
    await clients[1].next('round-failed');
    await clients[1].next('invite');
    const second = await Promise.all(clients.map(async (client) => joinRound(client)));
    expect(second[0].round).toBe('trial-2');
    await Promise.all(clients.map((client, index) => reportUpdate(client, second[index], oneOfEach(second[index]))));
    await clients[0].next('round-done');
    expect(await getJson(`${coordinator.url}/v1/rounds`)).toMatchObject({ rounds: [{ state: 'failed', budget: 'abandoned' }, { state: 'done', budget: 'committed' }] });
  });

  it('ends the task when more releases are wanted than it pays for', async () => {
    const coordinator = await coordinatorFor({ task: local, roundsWanted: 5 });
    const { clients } = await runRound(coordinator.url, ['a', 'b']);
    expect(await clients[0].next('task-over')).toMatchObject({ code: 'budget.exhausted' });
    const late = await connectShop(coordinator.url, shopNamed('c'));
    expect(await late.client.next('task-over')).toMatchObject({ code: 'budget.exhausted' });
    expect((await fetch(`${coordinator.url}/v1/model`)).status).toBe(200);
  });
});

describe('a shop whose report the end of its round overtook', () => {
  it('is told so as often as it happens, and stays, though the next round is open', async () => {
    const { url } = await coordinatorFor({ task: taskInput({ rounds: 9 }) });
    const connect = async (name: string): Promise<TestClient> => (await connectShop(url, shopNamed(name))).client;
    const [a, b] = await Promise.all(['a', 'b'].map(connect));
    const first = await Promise.all([a, b].map(joinRound));
    const late = await connect('late');
    await Promise.all([a, b].map((client) => reportUpdate(client, first[0], oneOfEach(first[0]))));
    const [second] = await Promise.all([late, a, b].map(joinRound));
    await Promise.all([a, b].map((client) => reportUpdate(client, second, oneOfEach(second))));
    expect(await late.next('round-done')).toMatchObject({ round: 'trial-2' });
    const { plan: third } = await late.next('invite');
    for (let i = 0; i < 2 * defaultGatewayLimits.maxStrikes; i += 1) {
      announceReport(late, second, oneOfEach(second));
      expect(await late.next('error')).toMatchObject({ code: 'round.not-member' });
    }
    late.say({ type: 'join', round: third.round, planHash: planHash(third) });
    await Promise.all([a, b].map(joinRound));
    expect(await late.next('train')).toMatchObject({ round: 'trial-2' });
    expect(await late.next('train')).toMatchObject({ round: 'trial-3' });
  });
});

describe('a shop that comes back', () => {
  it('in the middle of its upload finishes the round', async () => {
    const coordinator = await coordinatorFor();
    const [a, b] = await Promise.all(['a', 'b'].map((name) => connectShop(coordinator.url, shopNamed(name))));
    const plan = await joinRound(a.client);
    await joinRound(b.client);
    await a.client.next('train');
    announceReport(a.client, plan, oneOfEach(plan));
    await a.client.next('upload');
    a.client.hangUp();
    await expect.poll(() => coordinator.state().shopsReady).toBe(1);
    const { client } = await connectShop(coordinator.url, shopNamed('a'), { session: a.welcome.session });
    await reportUpdate(client, plan, oneOfEach(plan));
    await reportUpdate(b.client, plan, oneOfEach(plan));
    expect((await client.next('round-done')).version).toBe(1);
  });

  it('after the round is over hears how it ended', async () => {
    const coordinator = await coordinatorFor({ task: taskInput({ rounds: 2 }), gatherMs: 60_000 });
    const [a, b] = await Promise.all(['a', 'b'].map((name) => connectShop(coordinator.url, shopNamed(name))));
    const plan = await joinRound(a.client);
    await joinRound(b.client);
    await reportUpdate(a.client, plan, oneOfEach(plan));
    a.client.hangUp();
    await expect.poll(() => coordinator.state().shopsReady).toBe(1);
    await reportUpdate(b.client, plan, oneOfEach(plan));
    await b.client.next('round-done');
    const { client } = await connectShop(coordinator.url, shopNamed('a'), { session: a.welcome.session });
    expect(await client.next('round-done')).toMatchObject({ round: 'trial-1', version: 1 });
  });

  it('as a new process, without its session, waits for the next round', async () => {
    const coordinator = await coordinatorFor({ task: taskInput({ min: 1, target: 2, rounds: 2 }), gatherMs: 0 });
    const [a, b] = await Promise.all(['a', 'b'].map((name) => connectShop(coordinator.url, shopNamed(name))));
    const plan = (await Promise.all([a, b].map(({ client }) => joinRound(client))))[0];
    await a.client.next('train');
    a.client.hangUp();
    await expect.poll(() => coordinator.state().shopsReady).toBe(1);
    const { client } = await connectShop(coordinator.url, shopNamed('a'));
    announceReport(client, plan, oneOfEach(plan));
    expect((await client.next('error')).code).toBe('round.not-member');
    await reportUpdate(b.client, plan, oneOfEach(plan));
    expect((await client.next('invite')).plan.round).toBe('trial-2');
    sendChunks(client, 'trial-1', oneOfEach(plan));
  });
});
