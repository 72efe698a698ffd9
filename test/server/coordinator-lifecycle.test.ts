import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openLibsqlStorage } from '../../server/storage/libsql-storage.ts';
import { coordinatorFor, runRound, takePart } from './support/coordinators.ts';
import { catalogue, rosterOf, roundRecord, taskInput } from './support/fixtures.ts';
import { temporaryFolder } from './support/folders.ts';
import { connectShop, joinRound, shopNamed } from './support/test-client.ts';

const getJson = async (url: string): Promise<unknown> => (await fetch(url)).json();

describe('a restart', () => {
  it('finds the releases, the key and the end of the task again', async () => {
    const dataDir = temporaryFolder();
    const first = await coordinatorFor({ dataDir });
    const { done } = await runRound(first.url, ['a', 'b']);
    await first.close();
    const second = await coordinatorFor({ dataDir });
    expect(second.publicKey).toBe(first.publicKey);
    expect(second.state()).toMatchObject({ phase: 'over', version: 1 });
    expect((await fetch(`${second.url}/v1/model`)).headers.get('etag')).toBe(`"${done.sha256}"`);
    const { client } = await connectShop(second.url, shopNamed('a'));
    expect(await client.next('task-over')).toMatchObject({ code: null });
  });

  it('on another day goes on with the day on which the task was started, and without what was no default then, unless another is asked for', async () => {
    const dataDir = temporaryFolder();
    const from = (asOf: number, more = {}): object => ({ ...(taskInput({ mode: 'local', rounds: 2 }) as object), model: { kind: 'neighbours', hyperParameters: { asOf, ...more } } });
    const kept = { keptHyperParameters: ['asOf', 'forgettingFactor'] };
    const first = await coordinatorFor({ dataDir, task: from(86_400), roundsWanted: 1, ...kept });
    const clients = await Promise.all(['a', 'b'].map(async (name) => (await connectShop(first.url, shopNamed(name))).client));
    expect((await joinRound(clients[0])).model.hyperParameters['asOf']).toBe(86_400);
    await first.close();
    const second = await coordinatorFor({ dataDir, task: from(172_800, { forgettingFactor: 0.5 }), ...kept });
    const [client] = await Promise.all(['a', 'b'].map(async (name) => (await connectShop(second.url, shopNamed(name))).client));
    const { plan } = await client.next('invite');
    expect(plan).toMatchObject({ round: 'trial-2', model: { hyperParameters: { asOf: 86_400 } } });
    expect(plan).not.toHaveProperty('model.hyperParameters.forgettingFactor');
    await second.close();
    // What another model is told is its own; that it is another one is refused.
    await expect(coordinatorFor({ dataDir, task: { ...from(0), model: { kind: 'popularity', hyperParameters: {} } }, ...kept })).rejects.toMatchObject({ code: 'plan.invalid', message: expect.not.stringContaining('Unrecognized') as string });
    await expect(coordinatorFor({ dataDir, task: from(172_800) })).rejects.toMatchObject({ code: 'plan.invalid' });
  });

  it('fails the round that a crash left training, with its budget charged', async () => {
    const dataDir = temporaryFolder();
    await (await coordinatorFor({ dataDir, task: taskInput({ mode: 'local', rounds: 2 }) })).close();
    const storage = await openLibsqlStorage(dataDir);
    await storage.openRound(roundRecord(1, 2));
    await storage.startTraining('trial-1', rosterOf(2));
    await storage.close();
    const coordinator = await coordinatorFor({ dataDir, task: taskInput({ mode: 'local', rounds: 2 }) });
    expect(await getJson(`${coordinator.url}/v1/rounds`)).toMatchObject({
      rounds: [{ round: 'trial-1', state: 'failed', budget: 'committed', failure: { code: 'round.failed', message: 'coordinator restarted' } }],
    });
    const { done } = await runRound(coordinator.url, ['a', 'b']);
    expect(done).toMatchObject({ round: 'trial-2', version: 1 });
    await expect(coordinator.over).resolves.toMatchObject({ code: 'budget.exhausted' });
  });

  it('serves the last good release when the newest file is damaged', async () => {
    const dataDir = temporaryFolder();
    const task = taskInput({ rounds: 3 });
    const first = await coordinatorFor({ dataDir, task, roundsWanted: 2 });
    const { clients, done } = await runRound(first.url, ['a', 'b']);
    const [second] = await Promise.all(clients.map((client) => takePart(client)));
    await first.close();
    const blob = join(dataDir, 'blobs', second.sha256);
    writeFileSync(blob, readFileSync(blob).subarray(0, 100));
    const again = await coordinatorFor({ dataDir, task });
    expect((await fetch(`${again.url}/v1/model`)).headers.get('etag')).toBe(`"${done.sha256}"`);
    expect((await fetch(`${again.url}/v1/model/2`)).status).toBe(500);
    const third = await runRound(again.url, ['a', 'b']);
    expect(third.done.version).toBe(3);
  });

  it('refuses to go on under other terms, another catalogue or another key', async () => {
    const dataDir = temporaryFolder();
    const coordinator = await coordinatorFor({ dataDir, task: taskInput({ mode: 'local', rounds: 2 }), roundsWanted: 1 });
    await runRound(coordinator.url, ['a', 'b']);
    await coordinator.close();
    await expect(coordinatorFor({ dataDir, task: taskInput({ mode: 'local', rounds: 3 }) })).rejects.toMatchObject({ code: 'plan.invalid' });
    const task = taskInput({ mode: 'local', rounds: 2, trainingMs: 1_000 });
    const other = { ...catalogue, hash: 'a'.repeat(64) };
    await expect(coordinatorFor({ dataDir, task, catalogue: other })).rejects.toMatchObject({ code: 'config.invalid' });
    const key = readFileSync(join(dataDir, 'signing.key'));
    rmSync(join(dataDir, 'signing.key'));
    await expect(coordinatorFor({ dataDir, task })).rejects.toMatchObject({ code: 'storage.failed' });
    writeFileSync(join(dataDir, 'signing.key'), key, { mode: 0o600 });
    await (await coordinatorFor({ dataDir, task })).close();
  });
});

describe('starting', () => {
  it('refuses a folder that another coordinator uses, and leaves it unharmed', async () => {
    const dataDir = temporaryFolder();
    const coordinator = await coordinatorFor({ dataDir });
    await expect(coordinatorFor({ dataDir })).rejects.toMatchObject({ code: 'storage.failed' });
    await runRound(coordinator.url, ['a', 'b']);
  });

  it('refuses a port that is taken, and lets go of the folder', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => void taken.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void taken.close());
    const dataDir = temporaryFolder();
    await expect(coordinatorFor({ dataDir, port: (taken.address() as AddressInfo).port })).rejects.toMatchObject({ code: 'network.port-in-use' });
    await coordinatorFor({ dataDir });
  });

  it('refuses a task that it cannot enforce, with or without a catalogue', async () => {
    const central = { ...(taskInput() as object), privacy: { mode: 'central' } };
    await expect(coordinatorFor({ task: central })).rejects.toMatchObject({ code: 'privacy.mode-unavailable' });
    await expect(coordinatorFor({ task: central, open: true })).rejects.toMatchObject({ code: 'privacy.mode-unavailable' });
    const alone = { ...(taskInput() as object), privacy: { mode: 'distributed', epsilon: 1, delta: 1e-5 } };
    await expect(coordinatorFor({ task: alone })).rejects.toMatchObject({ code: 'privacy.invalid' });
    const misspelt = { ...(taskInput() as object), model: { kind: 'neighbours', hyperParameters: { shrinkge: 3 } } };
    await expect(coordinatorFor({ task: misspelt, open: true })).rejects.toMatchObject({ code: 'config.invalid' });
    await expect(coordinatorFor({ task: {} })).rejects.toMatchObject({ code: 'plan.invalid' });
  });

  it('keeps its key from others, and refuses one that others can read', async () => {
    const dataDir = temporaryFolder();
    await (await coordinatorFor({ dataDir })).close();
    expect(statSync(join(dataDir, 'signing.key')).mode & 0o777).toBe(0o600);
    chmodSync(join(dataDir, 'signing.key'), 0o644);
    await expect(coordinatorFor({ dataDir })).rejects.toMatchObject({ code: 'storage.failed' });
    expect(readdirSync(dataDir)).toContain('coordinator.db');
  });
});

describe('closing', () => {
  it('fails the open round, hangs up in good order and can be repeated', async () => {
    const coordinator = await coordinatorFor();
    const clients = await Promise.all(['a', 'b'].map(async (name) => (await connectShop(coordinator.url, shopNamed(name))).client));
    await Promise.all(clients.map(joinRound));
    await clients[0].next('train');
    await Promise.all([coordinator.close(), coordinator.close()]);
    expect(await clients[0].next('round-failed')).toMatchObject({ message: 'the coordinator is stopping' });
    expect(await clients[1].closed).toBe(1001);
    await expect(fetch(`${coordinator.url}/healthz`)).rejects.toThrow();
  });
});
