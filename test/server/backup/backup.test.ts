import { appendFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startShopNode, type ShopNode } from '../../../client/shop/shop-node.ts';
import { backup } from '../../../server/backup/backup.ts';
import { verifyBackup } from '../../../server/backup/manifest.ts';
import { restore } from '../../../server/backup/restore.ts';
import { keepSelfCertificate } from '../../../server/self-certificate-files.ts';
import { openLibsqlStorage } from '../../../server/storage/libsql-storage.ts';
import { codeOf } from '../../client/fakes.ts';
import { coordinatorFor, runRound } from '../support/coordinators.ts';
import { catalogue, silent, taskInput } from '../support/fixtures.ts';
import { temporaryFolder } from '../support/folders.ts';
import { findPostgres, query, startPostgres, type PostgresCluster } from '../support/postgres-cluster.ts';

const found = findPostgres();
if ('missing' in found) console.warn(`Tests of backups over PostgreSQL are skipped: ${found.missing}.`);

const task = taskInput({ mode: 'local', rounds: 4 });
const now = new Date('2026-03-01T00:00:00Z');
const jsonOf = async (url: string): Promise<unknown> => (await fetch(url)).json();
const etagOf = async (url: string): Promise<string | null> => (await fetch(url)).headers.get('etag');

interface Place {
  readonly dataDir: string;
  readonly database?: string;
}

let cluster: PostgresCluster | null = null;
beforeAll(async () => {
  if ('bin' in found) cluster = await startPostgres(found.bin);
});
afterAll(() => cluster?.stop());

const folder = (): Promise<Place> => Promise.resolve({ dataDir: join(temporaryFolder(), 'data') });
async function server(): Promise<Place> {
  if (cluster === null) throw new Error('expected a cluster, got none');
  return { ...(await folder()), database: await cluster.createDatabase() };
}

const kinds = [
  { from: 'a folder', to: 'a folder', start: folder, end: folder },
  { from: 'PostgreSQL', to: 'PostgreSQL', start: server, end: server },
  { from: 'a folder', to: 'PostgreSQL', start: folder, end: server },
  { from: 'PostgreSQL', to: 'a folder', start: server, end: folder },
].map((kind) => ({ ...kind, isSkipped: cluster === null && 'missing' in found && `${kind.from} ${kind.to}`.includes('PostgreSQL') }));

describe.each(kinds)('a backup of a coordinator over $from, restored to $to', ({ start, end, isSkipped }) => {
  it.skipIf(isSkipped)('taken while it runs, goes on with the next round: same key, same releases, same budget, same record', async () => {
    const [place, to] = [await start(), join(temporaryFolder(), 'backup')];
    const first = await coordinatorFor({ ...place, task, roundsWanted: 1 });
    await runRound(first.url, ['a', 'b']);
    const manifest = await backup({ ...place, to, now });
    expect(manifest).toMatchObject({ createdAt: now.toISOString(), publicKey: first.publicKey, missing: [] });
    expect(statSync(to).mode & 0o777).toBe(0o700);
    const before = { budget: await jsonOf(`${first.url}/v1/budget`), rounds: await jsonOf(`${first.url}/v1/rounds`), model: await etagOf(`${first.url}/v1/model`), record: await (await fetch(`${first.url}/v1/log/checkpoint`)).text() };
    await first.close();
    const restored = await end();
    await restore({ from: to, ...restored });
    const second = await coordinatorFor({ ...restored, task, roundsWanted: 2 });
    expect(second.publicKey).toBe(first.publicKey);
    expect({ budget: await jsonOf(`${second.url}/v1/budget`), rounds: await jsonOf(`${second.url}/v1/rounds`), model: await etagOf(`${second.url}/v1/model`), record: await (await fetch(`${second.url}/v1/log/checkpoint`)).text() }).toEqual(before);
    expect((await runRound(second.url, ['a', 'b'])).done).toMatchObject({ round: 'trial-2', version: 2 });
  });
});

describe('a backup that is older than the last round', () => {
  /** One shop: a round, the backup, more rounds; then the shop again, at what was restored. Resolves to its first refusals. */
  async function afterRestore(roundsLost: number, refusals: number): Promise<string[]> {
    const [place, to, stateDir] = [await folder(), join(temporaryFolder(), 'backup'), temporaryFolder()];
    const alone = taskInput({ mode: 'local', rounds: 9, min: 1, target: 1 });
    const visit = (url: string, once: boolean): ShopNode => {
      const dataset = { name: 'test', catalogue, shoppers: [], report: { lines: 0, used: 0, complaints: [] } };
      const node = startShopNode({ shop: 'corner-shop', dataset, coordinator: new URL(url), stateDir, logger: silent, once, maxEpsilon: 100 });
      onTestFinished(() => node.close());
      return node;
    };
    const first = await coordinatorFor({ ...place, task: alone, roundsWanted: 1 + roundsLost });
    expect(await visit(first.url, true).done).toMatchObject({ rounds: 1 });
    await backup({ ...place, to, now });
    for (let round = 0; round < roundsLost; round += 1) expect(await visit(first.url, true).done).toMatchObject({ rounds: 1 });
    await first.close();
    const restored = await folder();
    await restore({ from: to, ...restored });
    const second = await coordinatorFor({ ...restored, task: alone, roundsWanted: 5 });
    const codes: string[] = [];
    const node = visit(second.url, false);
    await new Promise<void>((resolve) => void node.onEvent((event) => {
      if (event.kind === 'declined') codes.push(event.code);
      if (codes.length === refusals) resolve();
    }));
    expect(second.state().version).toBe(1);
    return codes;
  }

  it('is noticed by the shops of later rounds, which join no more: the record they saw was longer', async () => {
    expect(await afterRestore(2, 2)).toEqual(['log.inconsistent', 'log.inconsistent']);
  });

  it('is noticed by the shops of one round that is lost as well: they remember the record after it', async () => {
    expect(await afterRestore(1, 2)).toEqual(['log.inconsistent', 'log.inconsistent']);
  });
});

describe('a backup', () => {
  async function made(): Promise<{ place: Place; to: string }> {
    const [place, to] = [await folder(), join(temporaryFolder(), 'backup')];
    const coordinator = await coordinatorFor({ ...place, task, roundsWanted: 1 });
    keepSelfCertificate(place.dataDir, { names: ['localhost'], now });
    await runRound(coordinator.url, ['a', 'b']);
    await backup({ ...place, to, now });
    await coordinator.close();
    return { place, to };
  }

  it('has every file that cannot be made again, readable by its owner alone', async () => {
    const { to } = await made();
    const { files } = verifyBackup(to);
    const paths = files.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['journal.jsonl', 'signing.key', 'tls.crt', 'tls.key']));
    expect(paths.filter((path) => path.startsWith('blobs/'))).toHaveLength(2);
    expect(paths.some((path) => /\.db/.test(path))).toBe(false);
    for (const path of [...paths, 'manifest.json']) expect([path, statSync(join(to, path)).mode & 0o077]).toEqual([path, 0]);
  });

  it('overwrites nothing, is not made inside of what it copies, and not of what is no coordinator', async () => {
    const { place, to } = await made();
    expect(await codeOf(() => backup({ ...place, to, now }))).toBe('config.invalid');
    expect(await codeOf(() => backup({ ...place, to: join(place.dataDir, 'backup'), now }))).toBe('config.invalid');
    expect(existsSync(join(place.dataDir, 'backup'))).toBe(false);
    expect(await codeOf(() => backup({ dataDir: temporaryFolder(), to: join(temporaryFolder(), 'b'), now }))).toBe('storage.failed');
  });

  it('names the blobs that were damaged when it was taken', async () => {
    const { place } = await made();
    const blobs = join(place.dataDir, 'blobs');
    const [victim] = readdirSync(blobs);
    writeFileSync(join(blobs, victim), 'rotten');
    expect((await backup({ ...place, to: join(temporaryFolder(), 'b'), now })).missing).toEqual([victim]);
  });

  it.each([
    ['a byte more in the journal', (to: string) => appendFileSync(join(to, 'journal.jsonl'), ' ')],
    ['another key', (to: string) => writeFileSync(join(to, 'signing.key'), Buffer.alloc(32))],
    ['a file that is gone', (to: string) => rmSync(join(to, 'signing.key'))],
    ['a file of somebody else', (to: string) => writeFileSync(join(to, 'more'), 'x')],
    ['no manifest', (to: string) => rmSync(join(to, 'manifest.json'))],
    ['a manifest that leads out of the folder', (to: string) => writeFileSync(join(to, 'manifest.json'), JSON.stringify({ format: 1, createdAt: '', publicKey: '0'.repeat(64), missing: [], files: [{ path: '../x', bytes: 1, sha256: '0'.repeat(64) }] }))],
  ])('with %s is refused before anything is written', async (_what, damage) => {
    const { to } = await made();
    damage(to);
    const { dataDir } = await folder();
    expect(await codeOf(() => verifyBackup(to))).toMatch(/^data\./);
    expect(await codeOf(() => restore({ from: to, dataDir }))).toMatch(/^data\./);
    expect(existsSync(dataDir)).toBe(false);
  });

  it('is not restored over anything', async () => {
    const { place, to } = await made();
    expect(await codeOf(() => restore({ from: to, ...place }))).toBe('config.invalid');
    const { dataDir } = await folder();
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, 'notes'), 'mine');
    expect(await codeOf(() => restore({ from: to, dataDir }))).toBe('config.invalid');
    expect(readdirSync(dataDir)).toEqual(['notes']);
  });

  it.skipIf('missing' in found)('is not restored into a database that has tables', async () => {
    const { to } = await made();
    const { dataDir, database = '' } = await server();
    await query(database, 'create table mine (id int)');
    expect(await codeOf(() => restore({ from: to, dataDir, database }))).toBe('storage.failed');
    expect(existsSync(join(dataDir, 'signing.key'))).toBe(false);
  });

  it('does not miss a table that a later migration adds', async () => {
    const { place } = await made();
    const storage = await openLibsqlStorage(place.dataDir);
    await storage.close();
    const { default: Database } = await import('libsql');
    const database = new Database(join(place.dataDir, 'coordinator.db'));
    database.exec('create table later (id text primary key, task text references tasks(name)); insert into later values (\'x\', \'trial\')');
    database.close();
    const to = join(temporaryFolder(), 'b');
    await backup({ ...place, to, now });
    const { readFileSync } = await import('node:fs');
    const lines = readFileSync(join(to, 'journal.jsonl'), 'utf8').split('\n');
    const at = (table: string): number => lines.findIndex((line) => line.includes(`{"table":"${table}"`));
    expect(at('later')).toBeGreaterThan(at('tasks'));
  });
});
