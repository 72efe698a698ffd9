/** The address of a PostgreSQL database: checked before anything connects, and never repeated, since it may hold a password. */
import { Client } from 'pg';
import { z } from 'zod';
import { CestaError } from '../../shared/protocol/errors.ts';
import { isLoopbackHost } from '../../shared/protocol/transport.ts';

export interface PostgresAddress {
  readonly url: string;
  /** Host, port and database, for messages. */
  readonly place: string;
}

const expected = 'expected postgres://user@host:5432/database, special characters of the password percent-encoded';

// An @ behind the first /, ? or # would be the tail of a password, and its head would be taken for a host or a port.
const addressSchema = z.string().max(4096).regex(/^postgres(?:ql)?:\/\/(?:[^/?#\s]*@)?[^@\s#]*$/);

// Only these are read below; the driver also takes what is absent from PGUSER, PGPASSWORD and the like.
const clientSchema = z.object({
  host: z.string().min(1),
  port: z.number().int().min(1).max(65_535),
  database: z.string().min(1),
  ssl: z.union([z.boolean(), z.object({ rejectUnauthorized: z.boolean().optional() })]).optional(),
});

/**
 * | address | |
 * |---|---|
 * | `postgres://user@host:5432/db?sslmode=verify-full` | TLS, as every other machine requires |
 * | `postgres://user@127.0.0.1/db` | this machine: in the clear is enough |
 * | `postgres:///db?host=/run/postgresql&user=cesta` | a Unix socket |
 *
 * @throws CestaError `config.invalid`, without the address and without a cause that quotes it.
 */
export function parsePostgresAddress(database: unknown): PostgresAddress {
  const url = addressSchema.safeParse(database);
  if (!url.success) throw new CestaError('config.invalid', `database: ${expected}, got something else`);
  const { host, port, database: name, ssl } = readByDriver(url.data);
  const isHere = host.startsWith('/') || isLoopbackHost(host);
  const isVerified = ssl === true || (typeof ssl === 'object' && ssl.rejectUnauthorized !== false);
  if (!isHere && !isVerified) throw new CestaError('config.invalid', `database: expected sslmode=verify-full for a database on another machine, got an address of ${host} without`);
  return { url: url.data, place: `${host}:${port}/${name}` };
}

function readByDriver(url: string): z.infer<typeof clientSchema> {
  try {
    return clientSchema.parse(new Client({ connectionString: url }));
  } catch {
    throw new CestaError('config.invalid', `database: ${expected}, got an address that cannot be read`);
  }
}
