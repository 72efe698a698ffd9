/**
 * PostgreSQL behind Kysely's dialect, as a pool of one connection: transactions follow one another as in the embedded
 * database, and the session that writes is the session that holds the lock of the coordinator. A lost connection is
 * replaced only by one that takes the lock again, so a coordinator that was superseded cannot write. The lock needs
 * a session of its own: a proxy that shares sessions between transactions is not supported.
 */
import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import { DatabaseError, Pool, TypeOverrides, types, type PoolClient } from 'pg';
import { z } from 'zod';
import { CestaError } from '../../shared/protocol/errors.ts';
import { bindable } from './bindable.ts';
import type { PostgresAddress } from './postgres-address.ts';

/** Marks the lock as the coordinator's among all advisory locks of a database: "cest" in ASCII. */
const lockClass = 0x63657374;
/** How long to wait for the session of a process that has just died. */
const lockTimeoutMs = 2_000;
const statementTimeoutMs = 30_000;
const connectTimeoutMs = 10_000;

/** `remote_apply` promises more than `on`, everything else less. */
const sessionSql = `select
  set_config('synchronous_commit', case current_setting('synchronous_commit') when 'remote_apply' then 'remote_apply' else 'on' end, false),
  set_config('lock_timeout', $1, false), set_config('statement_timeout', $2, false),
  current_setting('fsync') as fsync, current_setting('server_encoding') as encoding`;
const lockSql = 'select pg_advisory_lock($1, 0)';

const sessionSchema = z.tuple([z.object({ fsync: z.string(), encoding: z.string() })]);

/**
 * Connects at the first query. Every failure becomes `storage.failed`; none names more than `place`.
 * @param isReader reads beside the coordinator that has the lock, and takes none
 */
export function openPostgres({ url, place }: PostgresAddress, { isReader = false }: { readonly isReader?: boolean } = {}): PostgresPool {
  const pool = new Pool({
    connectionString: url, types: numbersForIntegers(), max: 1, idleTimeoutMillis: 0, keepAlive: true,
    connectionTimeoutMillis: connectTimeoutMs,
    // Beyond the server's own limit: it only ends a wait for a server that is gone.
    query_timeout: 2 * statementTimeoutMs,
  });
  // A connection that ends is found dead by the next query; unheard, its event would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const prepared = new WeakSet<PoolClient>();
  return {
    async connect() {
      const client = await orFailed(place, 'connect', () => pool.connect());
      if (!prepared.has(client)) {
        try {
          await prepare(place, client, isReader);
        } catch (error) {
          client.release(true);
          throw error;
        }
        prepared.add(client);
      }
      return wrapClient(place, client);
    },
    end: () => pool.end(),
  };
}

/** What a commit promises is set for the session, whatever the server's default; what cannot be set is required. */
async function prepare(place: string, client: PoolClient, isReader: boolean): Promise<void> {
  const { rows } = await orFailed(place, 'session', () => client.query(sessionSql, [String(lockTimeoutMs), String(statementTimeoutMs)]));
  const [{ fsync, encoding }] = sessionSchema.parse(rows);
  if (fsync !== 'on') throw new CestaError('storage.failed', `database ${place}: expected fsync = on, since what was spent must survive a power cut, got ${fsync}`);
  if (encoding !== 'UTF8') throw new CestaError('storage.failed', `database ${place}: expected encoding UTF8, got ${encoding}`);
  if (isReader) return;
  try {
    await client.query(lockSql, [lockClass]);
  } catch (cause) {
    if (!(cause instanceof DatabaseError) || cause.code !== '55P03') throw failed(place, 'lock', cause);
    throw new CestaError('storage.failed', `database ${place}: expected no other coordinator on it, got one that holds its lock`, { cause });
  }
}

function wrapClient(place: string, client: PoolClient): PostgresPoolClient {
  let isBroken = false;
  function query<R>(sql: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  function query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  function query<R>(statement: string | PostgresCursor<R>, parameters: readonly unknown[] = []): Promise<PostgresQueryResult<R>> | PostgresCursor<R> {
    if (typeof statement !== 'string') throw new CestaError('internal', 'sql: expected a statement, got a cursor');
    // Kysely itself asks the catalogue of the database with booleans, which PostgreSQL, unlike SQLite, has.
    return run<R>(statement, parameters.map((value) => (typeof value === 'boolean' ? value : bindable(statement, value))));
  }
  async function run<R>(sql: string, parameters: unknown[]): Promise<PostgresQueryResult<R>> {
    try {
      const { command, rowCount, rows } = await client.query<R & object>(sql, parameters);
      return { command: commandOf(command), rowCount: rowCount ?? 0, rows };
    } catch (cause) {
      // No answer of the server: whether its transaction still runs is unknown, so the session must not be used again.
      if (!(cause instanceof DatabaseError)) isBroken = true;
      throw failed(place, sql, cause);
    }
  }
  return { query, release: () => client.release(isBroken) };
}

/** Kysely reads the count of changed rows for these; the name of any other command means nothing to it. */
function commandOf(command: string): PostgresQueryResult<unknown>['command'] {
  return command === 'INSERT' || command === 'UPDATE' || command === 'DELETE' || command === 'MERGE' ? command : 'SELECT';
}

/** The driver gives 64-bit integers as text; ours are all safe. */
function numbersForIntegers(): TypeOverrides {
  const overrides = new TypeOverrides();
  overrides.setTypeParser(types.builtins.INT8, (text) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value)) throw new CestaError('storage.failed', `database: expected a safe integer, got ${text}`);
    return value;
  });
  return overrides;
}

async function orFailed<T>(place: string, what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    throw failed(place, what, cause);
  }
}

function failed(place: string, what: string, cause: unknown): CestaError {
  if (cause instanceof CestaError) return cause;
  return new CestaError('storage.failed', `database ${place}: ${reasonOf(cause)} (${what})`, { cause });
}

function reasonOf(cause: unknown): string {
  // A name with several addresses fails with an error that has no message but those of each.
  if (cause instanceof AggregateError) return cause.errors.map(reasonOf).join('; ');
  return cause instanceof Error ? cause.message : String(cause);
}
