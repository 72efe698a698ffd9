import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openPostgres } from '../../../server/storage/postgres-database.ts';
import { parsePostgresAddress } from '../../../server/storage/postgres-address.ts';
import { openPostgresStorage } from '../../../server/storage/postgres-storage.ts';
import type { Storage } from '../../../server/storage/storage.ts';
import { clusterPassword, findPostgres, query, startPostgres, type PostgresCluster } from '../support/postgres-cluster.ts';
import { roundRecord } from '../support/fixtures.ts';
import { participantConformance } from './participant-conformance.ts';
import { storageConformance, type OpenedStorage } from './conformance.ts';
import { identityConformance } from './identity-conformance.ts';
import { operatorConformance } from './operator-conformance.ts';
import { releaseConformance } from './release-conformance.ts';

/** How long a session may take to get where a test wants it. */
const patience = { timeout: 20_000 };

const found = findPostgres();
if ('missing' in found) console.warn(`Tests over PostgreSQL are skipped: ${found.missing}.`);

describe.skipIf('missing' in found)('over PostgreSQL', () => {
  let cluster: PostgresCluster;
  beforeAll(async () => {
    if ('bin' in found) cluster = await startPostgres(found.bin);
  });
  afterAll(() => cluster.stop());

  /** Closed with its test, so that the cluster never runs out of connections. */
  async function open(url: string): Promise<Storage> {
    const storage = await openPostgresStorage(url);
    onTestFinished(() => storage.close());
    return storage;
  }

  async function openTemporary(): Promise<OpenedStorage> {
    const url = await cluster.createDatabase();
    const storage = await open(url);
    return {
      storage,
      async reopen() {
        await storage.close();
        return open(url);
      },
    };
  }

  /** Ends the sessions of a database from the server's side, as an administrator or a restart would. */
  const hangUp = (url: string): Promise<unknown> => cluster.run(`select pg_terminate_backend(pid, 50000) from pg_stat_activity where datname = '${new URL(url).pathname.slice(1)}'`);

  storageConformance('postgresql', openTemporary);
  releaseConformance('postgresql', openTemporary);
  participantConformance('postgresql', openTemporary);
  identityConformance('postgresql', openTemporary);
  operatorConformance('postgresql', openTemporary);

  describe('a session', () => {
    it('waits for the disk at every commit, whatever the default of the server', async () => {
      const url = await cluster.createDatabase();
      expect(await query(url, 'show synchronous_commit')).toEqual([{ synchronous_commit: 'off' }]);
      const pool = openPostgres(parsePostgresAddress(url));
      const client = await pool.connect();
      expect((await client.query('show synchronous_commit', [])).rows).toEqual([{ synchronous_commit: 'on' }]);
      client.release();
      await pool.end();
    });

    it('refuses to bind what the driver would store as something else', async () => {
      const pool = openPostgres(parsePostgresAddress(await cluster.createDatabase()));
      const client = await pool.connect();
      for (const value of [undefined, Number.NaN, {}]) expect(() => client.query('select $1::text as value', [value])).toThrow('to bind');
      expect((await client.query('select $1::text as value', ['text'])).rows).toEqual([{ value: 'text' }]);
      client.release();
      await pool.end();
    });
  });

  describe('the lock of a database', () => {
    it('refuses a second coordinator, and lets one in after the first has left', async () => {
      const url = await cluster.createDatabase();
      const first = await openPostgresStorage(url);
      await expect(openPostgresStorage(url)).rejects.toMatchObject({ code: 'storage.failed', message: expect.stringMatching(/^database .*no other coordinator/) as string });
      await first.close();
      await expect((await open(url)).ping()).resolves.toBeUndefined();
    });

    it('is taken again with a lost connection, and what was written is still there', async () => {
      const url = await cluster.createDatabase();
      const storage = await open(url);
      await storage.putSetting('key', 'value');
      await hangUp(url);
      // The first query after the loss may find the dead connection; none of them ends the process.
      await storage.ping().catch(() => undefined);
      expect(await storage.setting('key')).toBe('value');
      await expect(openPostgresStorage(url)).rejects.toThrow('no other coordinator');
    });

    it('keeps a coordinator from writing that lost it to another', async () => {
      const url = await cluster.createDatabase();
      const superseded = await open(url);
      await hangUp(url);
      const successor = await open(url);
      await expect(superseded.putSetting('key', 'late')).rejects.toMatchObject({ code: 'storage.failed' });
      await expect(superseded.putSetting('key', 'late')).rejects.toMatchObject({ code: 'storage.failed' });
      expect(await successor.setting('key')).toBeNull();
    });
  });

  it('leaves nothing of a transaction whose connection is lost in the middle', async () => {
    const url = await cluster.createDatabase();
    const storage = await open(url);
    await storage.putTask('trial', {});
    // A lock on the second table of the transaction holds it between its two writes.
    const blocker = query(url, 'begin; lock table spends; select pg_sleep(60); commit').catch(() => undefined);
    await expect.poll(() => query(url, `select 1 as held from pg_locks where relation = 'spends'::regclass and mode = 'AccessExclusiveLock'`), patience).toHaveLength(1);
    const outcome = expect(storage.openRound(roundRecord(1, null))).rejects.toMatchObject({ code: 'storage.failed' });
    await expect.poll(() => query(url, 'select 1 as waits from pg_locks where not granted'), patience).toHaveLength(1);
    await hangUp(url);
    await Promise.all([outcome, blocker]);
    await storage.ping().catch(() => undefined);
    expect([await storage.lastRound('trial'), await storage.spends('trial')]).toEqual([null, []]);
  });

  it('says storage.failed, and no password, for a wrong password, an unknown database and a closed port', async () => {
    const url = await cluster.createDatabase();
    const wrong = encodeURIComponent(`${clusterPassword}!`);
    for (const address of [url.replace(/:[^:@]*@/, `:${wrong}@`), `${url}-unknown`, url.replace(`:${cluster.port}/`, ':1/')]) {
      const error: unknown = await openPostgresStorage(address).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'storage.failed' });
      expectNoPassword(error, wrong);
    }
  });
});

describe('the address of a database', () => {
  it('is read with its place, which has no password', () => {
    expect(parsePostgresAddress('postgres://cesta:hidden@127.0.0.1:6000/trial').place).toBe('127.0.0.1:6000/trial');
    expect(parsePostgresAddress('postgresql:///trial?host=/run/postgresql&user=cesta').place).toBe('/run/postgresql:5432/trial');
    expect(parsePostgresAddress('postgres://cesta:hidden@db.example.org/trial?sslmode=verify-full').place).toBe('db.example.org:5432/trial');
  });

  it('is refused in the clear, or with an unchecked certificate, for another machine', () => {
    for (const tail of ['', '?sslmode=disable', '?sslmode=no-verify']) expect(() => parsePostgresAddress(`postgres://cesta@db.example.org/trial${tail}`)).toThrow('expected sslmode=verify-full');
  });

  it('is refused without repeating it when it is none, or when its password is not encoded', () => {
    for (const address of [7, '', 'mysql://a:hidden@127.0.0.1/b', 'postgres://cesta:1#hidden@127.0.0.1/trial', 'postgres://cesta:1?hidden@127.0.0.1/trial', 'postgres://cesta:1/hidden@127.0.0.1/trial', 'postgres://cesta:hidden@127.0.0.1:99999/trial', 'postgres://cesta:hidden@127.0.0.1/trial?sslmode=verify-full&sslrootcert=/nowhere']) {
      let error: unknown;
      try {
        parsePostgresAddress(address);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toMatchObject({ code: 'config.invalid' });
      expectNoPassword(error, 'hidden');
    }
  });
});

/** Neither in the error nor in anything that a log would print of it. */
function expectNoPassword(error: unknown, password: string): void {
  for (let thrown = error; thrown instanceof Error; thrown = thrown.cause) {
    const printed = [thrown.message, thrown.stack, JSON.stringify(thrown)].join('\n');
    for (const secret of [password, decodeURIComponent(password), clusterPassword, encodeURIComponent(clusterPassword)]) expect(printed).not.toContain(secret);
  }
}
