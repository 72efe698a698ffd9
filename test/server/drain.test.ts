import { describe, expect, it } from 'vitest';
import { errorSchema } from '../../server/http/schemas.ts';
import { coordinatorFor, oneOfEach, runRound } from './support/coordinators.ts';
import { taskInput } from './support/fixtures.ts';
import { connectShop, dial, joinRound, reportUpdate, shopNamed, type TestClient } from './support/test-client.ts';

const connected = (url: string, names: readonly string[]): Promise<TestClient[]> =>
  Promise.all(names.map(async (name) => (await connectShop(url, shopNamed(name))).client));

const never = 2 ** 40;

describe('a coordinator that drains', () => {
  it('still makes the release of the round that is open, and opens no other', async () => {
    const coordinator = await coordinatorFor({ task: taskInput({ rounds: 5 }) });
    const clients = await connected(coordinator.url, ['a', 'b']);
    const plans = await Promise.all(clients.map(joinRound));
    const drained = coordinator.drain(never);
    await Promise.all(clients.map((client, i) => reportUpdate(client, plans[i], oneOfEach(plans[i]))));
    await drained;
    expect(await clients[0].next('round-done')).toMatchObject({ version: 1 });
    expect((await fetch(`${coordinator.url}/v1/model`)).headers.get('cesta-version')).toBe('1');
    await coordinator.close();
    expect(await clients[0].closed).toBe(1001);
    for (const { heard } of clients) expect(heard.filter(({ type }) => type === 'invite')).toHaveLength(1);
  });

  it('says so at once and admits nobody, but serves what it has', async () => {
    const coordinator = await coordinatorFor({ task: taskInput({ rounds: 2 }), roundsWanted: 2 });
    const { clients } = await runRound(coordinator.url, ['a', 'b']);
    await Promise.all(clients.map(joinRound));
    void coordinator.drain(never);
    const readiness = await fetch(`${coordinator.url}/readyz`);
    expect(readiness.status).toBe(503);
    expect(errorSchema.parse(await readiness.json()).error.code).toBe('coordinator.draining');
    await expect(dial(coordinator.url)).rejects.toThrow('503');
    expect((await fetch(`${coordinator.url}/v1/model`)).status).toBe(200);
    expect((await fetch(`${coordinator.url}/healthz`)).status).toBe(200);
  });

  it('makes no more tasks, which would open rounds', async () => {
    const coordinator = await coordinatorFor();
    await coordinator.drain(never);
    await expect(coordinator.tasks.create(taskInput({ name: 'second' }))).rejects.toMatchObject({ code: 'coordinator.draining' });
    expect((await coordinator.tasks.list()).map(({ name }) => name)).toEqual(['trial']);
  });

  it('waits for nobody where no round is open', async () => {
    const coordinator = await coordinatorFor();
    const [client] = await connected(coordinator.url, ['a']);
    await coordinator.drain(never);
    await coordinator.close();
    expect(await client.closed).toBe(1001);
  });

  it('is not held beyond the limit by a silent member, which is told', async () => {
    const coordinator = await coordinatorFor({ task: taskInput({ trainingMs: 600_000 }) });
    const clients = await connected(coordinator.url, ['a', 'b']);
    await Promise.all(clients.map(joinRound));
    await clients[0].next('train');
    await coordinator.drain(20);
    expect(coordinator.state().round?.phase).toBe('training');
    await coordinator.close();
    expect(await clients[0].next('round-failed')).toMatchObject({ code: 'round.failed' });
    expect(await clients[1].closed).toBe(1001);
  });

  it('can be closed before its time', async () => {
    const coordinator = await coordinatorFor({ task: taskInput({ trainingMs: 600_000 }) });
    const clients = await connected(coordinator.url, ['a', 'b']);
    await Promise.all(clients.map(joinRound));
    const drained = coordinator.drain(never);
    await Promise.all([coordinator.close(), drained]);
    expect(await clients[1].closed).toBe(1001);
  });
});
