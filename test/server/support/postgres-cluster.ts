/**
 * A PostgreSQL cluster of its own for a test file: in a temporary folder, on a port of the loopback that was free, gone
 * with the tests. The binaries come from PATH or from where Debian puts them.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { lastingPort } from '../../../scripts/ports.ts';

/** Has characters that an address must percent-encode. */
export const clusterPassword = 's3cret/#:word';

export interface PostgresCluster {
  /** Creates an empty database and gives its address. */
  createDatabase(): Promise<string>;
  /** Runs one statement as the owner of the cluster. */
  run(sql: string): Promise<readonly unknown[]>;
  readonly port: number;
  stop(): Promise<void>;
}

interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Where `initdb` and `postgres` are, or why no cluster can be started. */
export function findPostgres(): { readonly bin: string } | { readonly missing: string } {
  const debian = '/usr/lib/postgresql';
  const installed = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)).map((version) => join(debian, version, 'bin')) : [];
  const bin = [...(process.env.PATH ?? '').split(delimiter), ...installed].find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))));
  if (bin === undefined) return { missing: 'no initdb and postgres in PATH or /usr/lib/postgresql' };
  if (isRoot() && unprivileged() === null) return { missing: 'the server refuses root, and there is neither a user postgres nor nobody' };
  return { bin };
}

const isRoot = (): boolean => process.getuid?.() === 0;

function unprivileged(): Account | null {
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string): number => Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      continue;
    }
  }
  return null;
}

export async function startPostgres(bin: string): Promise<PostgresCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'cesta-postgres-'));
  const account = isRoot() ? unprivileged() : null;
  // The server changes to its own folder; the caller's may be closed to it.
  const as = { cwd: folder, ...(account ?? {}) };
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, clusterPassword);
  chmodSync(folder, 0o700);
  if (account !== null) for (const path of [folder, passwordFile]) chownSync(path, account.uid, account.gid);
  const data = join(folder, 'data');
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'cesta', '-A', 'scram-sha-256', '--pwfile', passwordFile, '-E', 'UTF8', '--locale', 'C', '--no-sync'], { ...as, stdio: 'pipe' });
  const port = await lastingPort();
  // The worst defaults an operator may have set: a session must not rely on them.
  const server = spawn(join(bin, 'postgres'), ['-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${folder}`, '-c', 'synchronous_commit=off'], { ...as, stdio: 'ignore' });
  const url = (database: string): string => `postgres://cesta:${encodeURIComponent(clusterPassword)}@127.0.0.1:${port}/${database}`;
  const stop = async (): Promise<void> => {
    await end(server);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(server, url('postgres'));
  } catch (error) {
    await stop();
    throw error;
  }
  const run = (sql: string): Promise<readonly unknown[]> => query(url('postgres'), sql);
  let databases = 0;
  return {
    port,
    run,
    stop,
    async createDatabase() {
      databases += 1;
      await run(`create database trial${databases}`);
      return url(`trial${databases}`);
    },
  };
}

/** Runs one statement over a connection of its own. */
export async function query(url: string, sql: string): Promise<readonly unknown[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<object>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function untilReady(server: ChildProcess, url: string): Promise<void> {
  for (;;) {
    if (server.exitCode !== null) throw new Error(`postgres: expected it to run, got exit code ${server.exitCode}`);
    try {
      await query(url, 'select 1');
      return;
    } catch {
      await sleep(50);
    }
  }
}

/** SIGQUIT ends sessions, and writes nothing back first: the cluster is thrown away, and a checkpoint of it takes minutes on a busy disk. */
async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return;
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGQUIT');
  await ended;
}
