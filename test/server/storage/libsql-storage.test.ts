import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openLibsql } from '../../../server/storage/libsql-database.ts';
import { lockDataFolder } from '../../../server/storage/data-folder.ts';
import { openLibsqlStorage } from '../../../server/storage/libsql-storage.ts';
import { manifestOf, planOf, rosterOf, roundRecord } from '../support/fixtures.ts';
import { temporaryFolder } from '../support/folders.ts';
import { participantConformance } from './participant-conformance.ts';
import { storageConformance, type OpenedStorage } from './conformance.ts';
import { identityConformance } from './identity-conformance.ts';
import { operatorConformance } from './operator-conformance.ts';
import { releaseConformance } from './release-conformance.ts';

async function openTemporary(): Promise<OpenedStorage> {
  const folder = temporaryFolder();
  const storage = await openLibsqlStorage(folder);
  return {
    storage,
    async reopen() {
      await storage.close();
      return openLibsqlStorage(folder);
    },
  };
}

storageConformance('libsql', openTemporary);
releaseConformance('libsql', openTemporary);
participantConformance('libsql', openTemporary);
identityConformance('libsql', openTemporary);
operatorConformance('libsql', openTemporary);

describe('the libsql database', () => {
  it('syncs every commit to disk', () => {
    const database = openLibsql(join(temporaryFolder(), 'a.db'));
    expect(database.prepare('PRAGMA synchronous').all([])).toEqual([{ synchronous: 2 }]);
    expect(database.prepare('PRAGMA journal_mode').all([])).toEqual([{ journal_mode: 'wal' }]);
    database.close();
  });

  it('refuses to bind what would abort the process or be stored as something else', () => {
    const database = openLibsql(join(temporaryFolder(), 'a.db'));
    for (const value of [true, undefined, Number.NaN, {}]) {
      expect(() => database.prepare('SELECT ? AS value').all([value])).toThrow('to bind');
    }
    expect(database.prepare('SELECT ? AS value').all(['text'])).toEqual([{ value: 'text' }]);
  });

  it('says storage.failed for a file that is no database', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'coordinator.db'), 'this is a letter to a friend, not a database, and long enough to be read as one'.repeat(20));
    await expect(openLibsqlStorage(folder)).rejects.toMatchObject({ code: 'storage.failed' });
  });
});

describe('a database of before there were candidates', () => {
  const columns = ['state', 'served_by_change', 'served_by_reason', 'previous'];
  it.each([['had none of the columns', columns], ['was left half-way', columns.slice(2)]])('that %s keeps its releases as served, each in its turn', async (_what, missing) => {
    const folder = temporaryFolder();
    const storage = await openLibsqlStorage(folder);
    await storage.putTask('trial', {});
    for (const version of [1, 2]) {
      await storage.openRound(roundRecord(version, null));
      await storage.startTraining(`trial-${version}`, rosterOf(2));
      await storage.publish({ task: 'trial', version, sha256: String(version).repeat(64), round: `trial-${version}`, manifest: manifestOf(planOf({}, version), version), state: 'served', serving: null, previous: null, canary: null }, 2);
    }
    await storage.close();
    const database = openLibsql(join(folder, 'coordinator.db'));
    for (const column of missing) database.prepare(`alter table releases drop column ${column}`).run([]);
    database.prepare("delete from kysely_migration where name >= '006'").run([]);
    database.close();
    const again = await openLibsqlStorage(folder);
    expect(await again.releases('trial', { before: 9, limit: 9 })).toMatchObject([{ version: 2, state: 'served', serving: null, previous: 1 }, { version: 1, state: 'served', serving: null, previous: null }]);
    await again.close();
  });
});

describe('the lock of a data folder', () => {
  it('refuses a second user, and lets one in after the first has left', () => {
    const folder = temporaryFolder();
    const first = lockDataFolder(folder);
    expect(() => lockDataFolder(folder)).toThrow('no other coordinator');
    first.unlock();
    lockDataFolder(folder).unlock();
  });

  it('is dropped by the operating system when the process dies without a word', () => {
    const folder = temporaryFolder();
    const module = new URL('../../../server/storage/data-folder.ts', import.meta.url).href;
    const script = `const { lockDataFolder } = await import(${JSON.stringify(module)}); lockDataFolder(${JSON.stringify(folder)}); process.kill(process.pid, 'SIGKILL');`;
    expect(() => execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { stdio: 'ignore' })).toThrow();
    lockDataFolder(folder).unlock();
  });

  it('refuses a path that cannot be a folder', () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    expect(() => lockDataFolder(join(file, 'below'))).toThrow('can be written');
  });
});
