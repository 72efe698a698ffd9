import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { coordinatorFor, runRound } from './support/coordinators.ts';
import { taskInput } from './support/fixtures.ts';
import { temporaryFolder } from './support/folders.ts';
import { findPostgres, query, startPostgres, type PostgresCluster } from './support/postgres-cluster.ts';

const found = findPostgres();
if ('missing' in found) console.warn(`Tests of a coordinator over PostgreSQL are skipped: ${found.missing}.`);

const task = taskInput({ mode: 'local', rounds: 2 });

describe.skipIf('missing' in found)('a coordinator over PostgreSQL', () => {
  let cluster: PostgresCluster;
  beforeAll(async () => {
    if ('bin' in found) cluster = await startPostgres(found.bin);
  });
  afterAll(() => cluster.stop());

  it('runs a round, and goes on after a restart with its release, its key and what is left of the budget', async () => {
    const [dataDir, database] = [temporaryFolder(), await cluster.createDatabase()];
    const first = await coordinatorFor({ dataDir, database, task, roundsWanted: 1 });
    const { done } = await runRound(first.url, ['a', 'b']);
    await first.close();
    expect(readdirSync(dataDir).sort()).toEqual(['blobs', 'journal.id', 'signing.key']);
    expect(await query(database, 'select round, state from spends')).toEqual([{ round: 'trial-1', state: 'committed' }]);
    const second = await coordinatorFor({ dataDir, database, task, roundsWanted: 3 });
    expect(second.publicKey).toBe(first.publicKey);
    expect((await fetch(`${second.url}/v1/model`)).headers.get('etag')).toBe(`"${done.sha256}"`);
    expect((await runRound(second.url, ['a', 'b'])).done).toMatchObject({ round: 'trial-2', version: 2 });
    await expect(second.over).resolves.toMatchObject({ code: 'budget.exhausted' });
  });

  it('is alone on its database, also with another folder', async () => {
    const [dataDir, database] = [temporaryFolder(), await cluster.createDatabase()];
    const coordinator = await coordinatorFor({ dataDir, database });
    for (const other of [dataDir, temporaryFolder()]) await expect(coordinatorFor({ dataDir: other, database })).rejects.toThrow('no other coordinator');
    await runRound(coordinator.url, ['a', 'b']);
  });

  it('does not start with an empty journal in a folder whose journal is elsewhere', async () => {
    const [dataDir, database] = [temporaryFolder(), await cluster.createDatabase()];
    await (await coordinatorFor({ dataDir, database })).close();
    await expect(coordinatorFor({ dataDir })).rejects.toMatchObject({ code: 'config.invalid' });
    await expect(coordinatorFor({ dataDir, database: await cluster.createDatabase() })).rejects.toMatchObject({ code: 'config.invalid' });
    expect(existsSync(join(dataDir, 'coordinator.db'))).toBe(false);
    const embedded = temporaryFolder();
    await (await coordinatorFor({ dataDir: embedded })).close();
    await expect(coordinatorFor({ dataDir: embedded, database: await cluster.createDatabase() })).rejects.toMatchObject({ code: 'config.invalid' });
    await (await coordinatorFor({ dataDir, database })).close();
  });

  it('refuses another key than the one its database knows, and binds again a folder that was restored without its mark', async () => {
    const [dataDir, database] = [temporaryFolder(), await cluster.createDatabase()];
    await (await coordinatorFor({ dataDir, database })).close();
    await expect(coordinatorFor({ dataDir: temporaryFolder(), database })).rejects.toMatchObject({ code: 'storage.failed' });
    rmSync(join(dataDir, 'journal.id'));
    await (await coordinatorFor({ dataDir, database })).close();
    expect(existsSync(join(dataDir, 'journal.id'))).toBe(true);
  });

  it('answers and runs rounds again after sessions were ended from the other side', async () => {
    const database = await cluster.createDatabase();
    const coordinator = await coordinatorFor({ database, task });
    await cluster.run(`select pg_terminate_backend(pid, 50000) from pg_stat_activity where datname = '${new URL(database).pathname.slice(1)}'`);
    await expect.poll(async () => (await fetch(`${coordinator.url}/v1/rounds`)).status, { timeout: 20_000 }).toBe(200);
    expect((await runRound(coordinator.url, ['a', 'b'])).done.version).toBe(1);
  });

  it('refuses an address that is none', async () => {
    await expect(coordinatorFor({ database: 'mysql://cesta@127.0.0.1/cesta' })).rejects.toMatchObject({ code: 'config.invalid' });
  });
});
