import { describe, expect, it } from 'vitest';
import type { Coordinator } from '../../server/coordinator.ts';
import { openRelease, type Manifest } from '../../shared/federation/release.ts';
import type { Plan } from '../../shared/federation/plan.ts';
import { encodeChunk } from '../../shared/protocol/messages.ts';
import { coordinatorFor, oneOfEach, takePart } from './support/coordinators.ts';
import { taskInput } from './support/fixtures.ts';
import { temporaryFolder } from './support/folders.ts';
import { announceReport, connectShop, joinRound, reportUpdate, sendChunks, shopNamed, type Admitted, type TestClient } from './support/test-client.ts';

interface Scene {
  readonly coordinator: Coordinator;
  readonly a: TestClient;
  readonly b: TestClient;
  /** Was told to train in the second round, which has closed without it. */
  readonly slow: Admitted;
  /** Of the second round. */
  readonly plan: Plan;
}

/** Two reports close a round. The first round is made by two shops, so that a third is there when the second opens. */
async function scene({ maxStaleness = 2, rounds = 6, dataDir = temporaryFolder() } = {}, beforeClose: (slow: Admitted, plan: Plan) => Promise<void> = () => Promise.resolve()): Promise<Scene> {
  const coordinator = await coordinatorFor({ dataDir, task: taskInput({ rounds, buffered: maxStaleness }) });
  const [a, b] = await Promise.all(['a', 'b'].map(async (name) => (await connectShop(coordinator.url, shopNamed(name))).client));
  const first = await Promise.all([a, b].map(joinRound));
  const slow = await connectShop(coordinator.url, shopNamed('slow'));
  await Promise.all([a, b].map((client) => reportUpdate(client, first[0], oneOfEach(first[0]))));
  await Promise.all([a, b].map((client) => client.next('round-done')));
  const [plan] = await Promise.all([slow.client, a, b].map(joinRound));
  await slow.client.next('train');
  await beforeClose(slow, plan);
  await Promise.all([a, b].map((client) => reportUpdate(client, plan, oneOfEach(plan))));
  await Promise.all([a, b].map((client) => client.next('round-done')));
  return { coordinator, a, b, slow, plan };
}

async function uploadLate(client: TestClient, plan: Plan, update: Int32Array = oneOfEach(plan)): Promise<void> {
  announceReport(client, plan, update);
  await client.next('upload');
  sendChunks(client, plan.round, update);
  await client.next('accepted');
}

async function release(coordinator: Coordinator, version: number): Promise<{ manifest: Manifest; popularity: number[] }> {
  const bytes = new Uint8Array(await (await fetch(`${coordinator.url}/v1/model/${version}`)).arrayBuffer());
  const { manifest, tensors } = await openRelease(bytes, coordinator.publicKey);
  return { manifest, popularity: [...tensors['popularity'].data] as number[] };
}

const heardTypes = ({ heard }: TestClient): string[] => heard.map((message) => ('round' in message ? `${message.type} ${message.round}` : message.type));

describe('a shop that is slow by two rounds', () => {
  it('is not told that its round is over, is in the later sum with weight 1/sqrt(3), and then hears of that', async () => {
    const { coordinator, a, b, slow: { client: slow }, plan } = await scene();
    await Promise.all([a, b].map((client) => takePart(client)));
    const fourth = await Promise.all([a, b].map(joinRound));
    await reportUpdate(a, fourth[0], oneOfEach(fourth[0]));
    expect(heardTypes(slow).slice(3)).toEqual(['invite', 'train trial-2']);
    const three = oneOfEach(plan).map((steps) => 3 * steps);
    await uploadLate(slow, plan, three);
    // The target of two is reached by one fresh report and the late one.
    expect(await slow.next('round-done')).toMatchObject({ round: 'trial-2', version: 4 });
    expect(await a.next('round-done')).toMatchObject({ round: 'trial-4', version: 4 });
    const { manifest, popularity } = await release(coordinator, 4);
    expect(manifest).toMatchObject({ round: 'trial-4', cohort: 2, metrics: { staleReports: 1, meanStaleness: 1 } });
    expect(manifest.shoppers).toBeCloseTo(1 + 3 / Math.sqrt(3), 12);
    for (const value of popularity) expect(value).toBeCloseTo(1 + 3 / Math.sqrt(3), 6);
    // Now it is the other that was too slow for the fourth round, and the slow one is invited again.
    expect((await joinRound(slow)).round).toBe('trial-5');
    expect(heardTypes(b)).not.toContain('round-done trial-4');
  });

  it('may be in the middle of its upload when its round closes', async () => {
    const piece = (client: TestClient, plan: Plan, offset: number, length: number): void =>
      client.sendBytes(encodeChunk({ round: plan.round, seq: client.nextSeq(), offset, data: oneOfEach(plan).slice(offset, offset + length) }));
    const { coordinator, a, b, slow: { client: slow }, plan } = await scene({}, async ({ client }, open) => {
      announceReport(client, open, oneOfEach(open));
      await client.next('upload');
      piece(client, open, 0, 2);
    });
    const third = await Promise.all([a, b].map(joinRound));
    piece(slow, plan, 2, plan.statisticLength - 2);
    await slow.next('accepted');
    await reportUpdate(a, third[0], oneOfEach(third[0]));
    await slow.next('round-done');
    expect((await release(coordinator, 3)).manifest.metrics).toMatchObject({ staleReports: 1, meanStaleness: 0.5 });
  });

  it('is told so when it is slower than the plan admits, and is invited again', async () => {
    const { a, b, slow: { client: slow }, plan } = await scene({ maxStaleness: 1 });
    await Promise.all([a, b].map((client) => takePart(client)));
    expect(await slow.next('round-done')).toMatchObject({ round: 'trial-2', version: 3 });
    await slow.next('invite');
    announceReport(slow, plan, oneOfEach(plan));
    expect(await slow.next('error')).toMatchObject({ code: 'round.not-member' });
  });

  it('counts once, and its acceptance is said again', async () => {
    const { coordinator, a, b, slow: { client: slow }, plan } = await scene();
    const third = await Promise.all([a, b].map(joinRound));
    await uploadLate(slow, plan);
    announceReport(slow, plan, oneOfEach(plan));
    await slow.next('accepted');
    await reportUpdate(a, third[0], oneOfEach(third[0]));
    await slow.next('round-done');
    const { manifest } = await release(coordinator, 3);
    expect(manifest).toMatchObject({ cohort: 2, metrics: { staleReports: 1, meanStaleness: 0.5 } });
    announceReport(slow, plan, oneOfEach(plan));
    expect(await slow.next('error')).toMatchObject({ code: 'round.not-member' });
  });

  it('makes the quorum where a member of the round has left', async () => {
    const { coordinator, a, b, slow: { client: slow }, plan } = await scene();
    const third = await Promise.all([a, b].map(joinRound));
    await b.next('train');
    b.say({ type: 'leave', round: third[1].round });
    await reportUpdate(a, third[0], oneOfEach(third[0]));
    expect(coordinator.state().phase).toBe('training');
    await uploadLate(slow, plan);
    expect(await a.next('round-done')).toMatchObject({ round: 'trial-3', version: 3 });
    expect(await b.next('round-done')).toMatchObject({ round: 'trial-3' });
  });
});

describe('a slow shop that loses its connection', () => {
  it('is told to train again when it is back, and delivers', async () => {
    const { coordinator, a, b, slow, plan } = await scene();
    const third = await Promise.all([a, b].map(joinRound));
    announceReport(slow.client, plan, oneOfEach(plan));
    await slow.client.next('upload');
    slow.client.hangUp();
    await expect.poll(() => coordinator.state().shopsReady).toBe(2);
    const { client } = await connectShop(coordinator.url, shopNamed('slow'), { session: slow.welcome.session });
    expect(await client.next('train')).toMatchObject({ round: 'trial-2' });
    await uploadLate(client, plan);
    await reportUpdate(a, third[0], oneOfEach(third[0]));
    expect(await client.next('round-done')).toMatchObject({ round: 'trial-2', version: 3 });
  });

  it('hears of the release with its report when it was away then', async () => {
    const { coordinator, a, b, slow, plan } = await scene();
    const third = await Promise.all([a, b].map(joinRound));
    await uploadLate(slow.client, plan);
    slow.client.hangUp();
    await expect.poll(() => coordinator.state().shopsReady).toBe(2);
    await reportUpdate(a, third[0], oneOfEach(third[0]));
    await a.next('round-done');
    const { client } = await connectShop(coordinator.url, shopNamed('slow'), { session: slow.welcome.session });
    expect(await client.next('round-done')).toMatchObject({ round: 'trial-2', version: 3 });
  });

  it('and started anew has nothing to deliver: it is invited as any other', async () => {
    const { coordinator, a, b, slow, plan } = await scene();
    const third = await Promise.all([a, b].map(joinRound));
    slow.client.hangUp();
    await expect.poll(() => coordinator.state().shopsReady).toBe(2);
    const { client } = await connectShop(coordinator.url, shopNamed('slow'));
    announceReport(client, plan, oneOfEach(plan));
    expect(await client.next('error')).toMatchObject({ code: 'round.not-member' });
    await Promise.all([a, b].map((other) => reportUpdate(other, third[0], oneOfEach(third[0]))));
    expect((await client.next('invite')).plan.round).toBe('trial-4');
  });
});

describe('a late report that breaks the rules', () => {
  it('is refused with its code, its shop is out of the old round and in the next', async () => {
    const { coordinator, a, b, slow: { client: slow }, plan } = await scene();
    const third = await Promise.all([a, b].map(joinRound));
    const wrong = oneOfEach(plan).fill(2 ** 30);
    announceReport(slow, plan, wrong);
    await slow.next('upload');
    sendChunks(slow, plan.round, wrong);
    expect(await slow.next('error')).toMatchObject({ code: 'update.out-of-range' });
    expect(await slow.next('round-failed')).toMatchObject({ round: 'trial-2', code: 'update.out-of-range' });
    await Promise.all([a, b].map((client) => reportUpdate(client, third[0], oneOfEach(third[0]))));
    await a.next('round-done');
    expect((await release(coordinator, 3)).popularity).toEqual([2, 2, 2, 2]);
    expect((await slow.next('invite')).plan.round).toBe('trial-4');
  });

  it('of another plan or length is not taken', async () => {
    const { slow: { client: slow }, plan } = await scene();
    slow.say({ type: 'report', round: plan.round, planHash: '0'.repeat(64), length: plan.statisticLength, sha256: '0'.repeat(64) });
    expect(await slow.next('error')).toMatchObject({ code: 'update.wrong-round' });
    announceReport(slow, plan, new Int32Array(plan.statisticLength + 1));
    expect(await slow.next('error')).toMatchObject({ code: 'update.wrong-length' });
    expect(await slow.next('round-failed')).toMatchObject({ round: 'trial-2' });
  });
});

describe('the end', () => {
  it('of the task is told to stragglers, and what they still send harms nobody', async () => {
    const { coordinator, slow: { client: slow }, plan } = await scene({ rounds: 2 }, async ({ client }, open) => {
      announceReport(client, open, oneOfEach(open));
      await client.next('upload');
    });
    expect(await slow.next('task-over')).toMatchObject({ code: null });
    for (let i = 0; i < 4; i += 1) sendChunks(slow, plan.round, oneOfEach(plan));
    announceReport(slow, plan, oneOfEach(plan));
    expect(await slow.next('error')).toMatchObject({ code: 'round.not-member' });
    expect(heardTypes(slow)).not.toContain('round-done trial-2');
    expect(coordinator.state().shopsReady).toBe(3);
  });

  it('of the coordinator is told to stragglers, and the next one does not know them', async () => {
    const dataDir = temporaryFolder();
    const { coordinator, slow: { client: slow }, plan } = await scene({ dataDir });
    await coordinator.close();
    await slow.closed;
    expect(slow.heard).toContainEqual({ type: 'round-failed', round: 'trial-2', code: 'round.failed', message: 'the coordinator is stopping' });
    const again = await coordinatorFor({ dataDir, task: taskInput({ rounds: 6, buffered: 2 }) });
    const { client } = await connectShop(again.url, shopNamed('slow'));
    announceReport(client, plan, oneOfEach(plan));
    expect(await client.next('error')).toMatchObject({ code: 'round.not-member' });
  });
});

describe('a buffered task', () => {
  it('is refused in mode distributed', async () => {
    const task = { ...(taskInput({ min: 5, target: 5, buffered: 2 }) as object), privacy: { mode: 'distributed', epsilon: 3, delta: 1e-5 } };
    await expect(coordinatorFor({ task })).rejects.toMatchObject({ code: 'plan.invalid', message: expect.stringContaining('aggregation.kind') as string });
  });
});
