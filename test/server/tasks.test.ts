/** Several tasks of one federation, over real sockets: each has its own rounds, releases and budget, and one round is open at a time. */
import { describe, expect, it } from 'vitest';
import type { Coordinator } from '../../server/coordinator.ts';
import { openRelease } from '../../shared/federation/release.ts';
import { coordinatorFor, oneOfEach, takePart } from './support/coordinators.ts';
import { catalogue, silent, taskInput, type TaskShape } from './support/fixtures.ts';
import { temporaryFolder } from './support/folders.ts';
import { connectShop, joinRound, reportUpdate, shopNamed, type TestClient } from './support/test-client.ts';
import { startCoordinator } from '../../server/coordinator.ts';

async function shopsAt({ url }: Coordinator, names: readonly string[] = ['a', 'b']): Promise<TestClient[]> {
  return Promise.all(names.map(async (name) => (await connectShop(url, shopNamed(name))).client));
}

const json = async (coordinator: Coordinator, path: string): Promise<unknown> => (await fetch(`${coordinator.url}${path}`)).json();

const scheduled = (shape: TaskShape, schedule: object): object => ({ ...(taskInput(shape) as object), schedule });

async function idle(client: TestClient): Promise<string> {
  return Promise.race([client.next('invite').then(() => 'invited'), new Promise<string>((resolve) => setTimeout(resolve, 150, 'nothing'))]);
}

describe('a task that is made while the coordinator runs', () => {
  it('trains the shops that are there, and serves a release of its own', async () => {
    const coordinator = await coordinatorFor();
    const clients = await shopsAt(coordinator);
    await Promise.all(clients.map((client) => takePart(client)));
    const made = await coordinator.tasks.create(taskInput({ name: 'second' }));
    expect(made).toMatchObject({ name: 'second', state: 'active', roundsCharged: 0, roundsPlanned: 1, version: null });
    const [done] = await Promise.all(clients.map((client) => takePart(client)));
    expect(done).toMatchObject({ round: 'second-1', version: 1 });
    const { manifest } = await openRelease(new Uint8Array(await (await fetch(`${coordinator.url}/v1/tasks/second/model`)).arrayBuffer()), coordinator.publicKey);
    expect(manifest).toMatchObject({ task: 'second', round: 'second-1' });
    expect(await json(coordinator, '/v1/tasks')).toMatchObject({ tasks: [{ task: 'trial', version: 1 }, { task: 'second', version: 1, over: { code: null } }] });
    expect(await json(coordinator, '/v1/tasks/second/rounds')).toMatchObject({ rounds: [{ round: 'second-1', state: 'done' }] });
    expect(await json(coordinator, '/v1/rounds')).toMatchObject({ rounds: [{ round: 'trial-1' }] });
    expect((await fetch(`${coordinator.url}/v1/tasks/none/model`)).status).toBe(404);
  });

  it('is refused under a name that is taken, and with terms that cannot be enforced', async () => {
    const coordinator = await coordinatorFor();
    await expect(coordinator.tasks.create(taskInput())).rejects.toMatchObject({ code: 'task.exists' });
    await expect(coordinator.tasks.create({ name: 'second' })).rejects.toMatchObject({ code: 'plan.invalid' });
    const central = { ...(taskInput({ name: 'second' }) as Record<string, unknown>), privacy: { mode: 'central', epsilon: 1, delta: 1e-5 } };
    await expect(coordinator.tasks.create(central)).rejects.toMatchObject({ code: 'privacy.mode-unavailable' });
    expect((await coordinator.tasks.list()).map(({ name }) => name)).toEqual(['trial']);
  });

  it('goes on after a restart, beside the main one', async () => {
    const dataDir = temporaryFolder();
    const first = await coordinatorFor({ dataDir });
    await first.tasks.create(taskInput({ name: 'second', rounds: 2 }));
    await first.tasks.create(taskInput({ name: 'third' }));
    await first.tasks.pause('third');
    await first.close();
    const coordinator = await coordinatorFor({ dataDir });
    expect((await coordinator.tasks.list()).map(({ name, state }) => `${name} ${state}`)).toEqual(['trial active', 'second active', 'third paused']);
    const clients = await shopsAt(coordinator);
    const rounds = [];
    for (let i = 0; i < 3; i += 1) rounds.push((await Promise.all(clients.map((client) => takePart(client))))[0].round);
    expect(rounds.sort()).toEqual(['second-1', 'second-2', 'trial-1']);
  });

  it('waits for a round of another task to end', async () => {
    const coordinator = await coordinatorFor();
    const clients = await shopsAt(coordinator);
    const plan = (await Promise.all(clients.map(joinRound)))[0];
    await coordinator.tasks.create(taskInput({ name: 'second' }));
    expect(await idle(clients[1])).toBe('nothing');
    await Promise.all(clients.map((client) => reportUpdate(client, plan, oneOfEach(plan))));
    expect((await clients[0].next('round-done')).round).toBe('trial-1');
    expect((await clients[0].next('invite')).plan.task).toBe('second');
  });
});

describe('tasks that take turns', () => {
  it('alternate while both have rounds left', async () => {
    const coordinator = await coordinatorFor({ task: taskInput({ rounds: 3 }) });
    await coordinator.tasks.create(taskInput({ name: 'second', rounds: 3 }));
    const clients = await shopsAt(coordinator);
    const rounds = [];
    for (let i = 0; i < 6; i += 1) rounds.push((await Promise.all(clients.map((client) => takePart(client))))[0].round);
    expect(rounds).toEqual(['trial-1', 'second-1', 'trial-2', 'second-2', 'trial-3', 'second-3']);
    // Only now is nothing left for shops to do.
    expect((await clients[0].next('task-over')).code).toBeNull();
    await coordinator.over;
  });
});

describe('a paused task', () => {
  it('finishes its round, opens none, and goes on when it is resumed', async () => {
    const coordinator = await coordinatorFor({ task: taskInput({ rounds: 2 }) });
    const clients = await shopsAt(coordinator);
    const plan = (await Promise.all(clients.map(joinRound)))[0];
    expect((await coordinator.tasks.pause('trial')).state).toBe('paused');
    await Promise.all(clients.map((client) => reportUpdate(client, plan, oneOfEach(plan))));
    await clients[0].next('round-done');
    await expect.poll(async () => (await coordinator.tasks.status('trial')).phase).toBe('paused');
    expect(await idle(clients[1])).toBe('nothing');
    await coordinator.tasks.resume('trial');
    expect((await clients[0].next('invite')).plan.round).toBe('trial-2');
  });

  it('leaves the floor to others', async () => {
    const coordinator = await coordinatorFor();
    await coordinator.tasks.pause('trial');
    await coordinator.tasks.create(taskInput({ name: 'second' }));
    const clients = await shopsAt(coordinator);
    expect((await Promise.all(clients.map((client) => takePart(client))))[0].round).toBe('second-1');
  });
});

describe('a cancelled task', () => {
  it('ends its round, and opens no other, also after a restart', async () => {
    const dataDir = temporaryFolder();
    const coordinator = await coordinatorFor({ dataDir, task: taskInput({ rounds: 2 }) });
    const clients = await shopsAt(coordinator);
    await Promise.all(clients.map((client) => takePart(client)));
    await Promise.all(clients.map(joinRound));
    expect(await coordinator.tasks.cancel('trial')).toMatchObject({ state: 'cancelled', phase: 'over', over: { code: 'task.cancelled' }, version: 1 });
    expect((await clients[0].next('round-failed')).round).toBe('trial-2');
    expect((await clients[0].next('task-over')).code).toBe('task.cancelled');
    await expect(coordinator.tasks.resume('trial')).rejects.toMatchObject({ code: 'task.state' });
    expect((await fetch(`${coordinator.url}/v1/model`)).status).toBe(200);
    await coordinator.close();
    const again = await coordinatorFor({ dataDir, task: taskInput({ rounds: 2 }) });
    expect(await again.tasks.status('trial')).toMatchObject({ state: 'cancelled', over: { code: 'task.cancelled' } });
  });
});

describe('another main task', () => {
  it('takes the place of the one before, which is paused', async () => {
    const dataDir = temporaryFolder();
    await (await coordinatorFor({ dataDir, task: taskInput({ rounds: 2 }) })).close();
    const coordinator = await startCoordinator({ task: taskInput({ name: 'renamed' }), dataDir, port: 0, logger: silent, catalogue });
    expect((await coordinator.tasks.list()).map(({ name, state }) => `${name} ${state}`)).toEqual(['renamed active', 'trial paused']);
    expect(await json(coordinator, '/.well-known/cesta.json')).toMatchObject({ task: 'renamed', tasks: ['renamed', 'trial'] });
    await coordinator.close();
  });
});

describe('the main task of an earlier process', () => {
  it('is served still, over the catalogue that it was trained on, whatever the main one is called now', async () => {
    const dataDir = temporaryFolder();
    const first = await coordinatorFor({ dataDir });
    await Promise.all((await shopsAt(first)).map((client) => takePart(client)));
    await first.close();
    const coordinator = await coordinatorFor({ dataDir, open: true, task: taskInput({ name: 'renamed' }) });
    expect(await json(coordinator, '/.well-known/cesta.json')).toMatchObject({ task: 'renamed', catalogueHash: catalogue.hash });
    expect((await fetch(`${coordinator.url}/v1/tasks/trial/model`)).headers.get('cesta-version')).toBe('1');
  });

  it('opens rounds when it is the main one again', async () => {
    const dataDir = temporaryFolder();
    for (const name of ['trial', 'renamed', 'trial']) {
      const coordinator = await coordinatorFor({ dataDir, task: taskInput({ name }) });
      expect(await coordinator.tasks.status(name)).toMatchObject({ state: 'active', phase: 'waiting' });
      await coordinator.close();
    }
  });

  it('stays paused where it is the main one still', async () => {
    const dataDir = temporaryFolder();
    const first = await coordinatorFor({ dataDir });
    await first.tasks.pause('trial');
    await first.close();
    expect(await (await coordinatorFor({ dataDir })).tasks.status('trial')).toMatchObject({ state: 'paused' });
  });
});

describe('a timetable', () => {
  it('keeps rounds apart by the interval, by the journal', async () => {
    const dataDir = temporaryFolder();
    const task = scheduled({ rounds: 2 }, { minIntervalSeconds: 3_600 });
    const coordinator = await coordinatorFor({ dataDir, task });
    const clients = await shopsAt(coordinator);
    await Promise.all(clients.map((client) => takePart(client)));
    expect(await idle(clients[1])).toBe('nothing');
    await coordinator.close();
    const again = await coordinatorFor({ dataDir, task });
    expect(await idle((await shopsAt(again))[1])).toBe('nothing');
    expect((await again.tasks.status('trial')).phase).toBe('waiting');
  });
});
