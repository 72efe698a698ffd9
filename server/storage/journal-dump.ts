/**
 * A journal as lines of JSON, the same from every database: a header, then each row of each table. Read in one
 * transaction, so that a coordinator that writes meanwhile is seen at one moment. Tables and their order are asked of
 * the database itself: none that a later migration adds can be forgotten.
 */
import { sql, type Kysely, type Transaction } from 'kysely';
import { z } from 'zod';
import { CestaError } from '../../shared/protocol/errors.ts';
import { appliedMigrations, migrate } from './migrations.ts';
import type { Schema } from './schema.ts';

export type DatabaseKind = 'libsql' | 'postgres';

/** What is dumped and loaded: any table, whatever this version calls it. */
type Tables = Kysely<Record<string, Record<string, unknown>>>;

const headerSchema = z.strictObject({ format: z.literal(1), migrations: z.array(z.string()).min(1) });
const rowSchema = z.strictObject({ table: z.string().min(1), row: z.record(z.string(), z.union([z.string(), z.number(), z.null()])) });

const pageSize = 500;

/** Calls `write` with every line, newline included, and resolves when all is written. @throws CestaError `storage.failed` */
export async function dumpJournal(db: Kysely<Schema>, kind: DatabaseKind, write: (line: string) => void): Promise<void> {
  const reading = kind === 'postgres' ? db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only') : db.transaction();
  await reading.execute(async (transaction) => {
    write(`${JSON.stringify({ format: 1, migrations: await appliedMigrations(transaction) })}\n`);
    for (const table of await tablesInOrder(transaction, kind)) {
      for (let offset = 0; ; offset += pageSize) {
        // Where a row lies does not change within one snapshot.
        const { rows } = await sql<Record<string, unknown>>`select * from ${sql.table(table)} order by ${sql.ref(kind === 'postgres' ? 'ctid' : 'rowid')} limit ${pageSize} offset ${offset}`.execute(transaction);
        for (const row of rows) write(`${JSON.stringify(rowSchema.parse({ table, row }))}\n`);
        if (rows.length < pageSize) break;
      }
    }
  });
}

/**
 * Fills an empty database: its schema as it was, then every row in one transaction.
 * @throws CestaError `storage.failed` for a database that is not empty, a dump of a later version or a damaged one.
 */
export async function loadJournal(db: Kysely<Schema>, lines: readonly string[]): Promise<void> {
  const { migrations } = parseLine(headerSchema, lines[0], 1);
  const tables = await db.introspection.getTables();
  if (tables.length > 0) throw new CestaError('storage.failed', `database: expected an empty one, got one with the table ${tables[0].name}`);
  await migrate(db, migrations[migrations.length - 1]);
  await (db as unknown as Tables).transaction().execute(async (transaction) => {
    for (const [index, line] of lines.entries()) {
      if (index === 0) continue;
      const { table, row } = parseLine(rowSchema, line, index + 1);
      await transaction.insertInto(table).values(row).execute();
    }
  });
}

function parseLine<T>(schema: z.ZodType<T>, line: string | undefined, number: number): T {
  try {
    return schema.parse(JSON.parse(line ?? ''));
  } catch (cause) {
    throw new CestaError('storage.failed', `journal: expected a line that this version or an earlier one wrote, got another in line ${number}`, { cause });
  }
}

const foreignKeys = {
  libsql: sql<{ child: string; parent: string }>`select m.name as child, f."table" as parent from sqlite_master m, pragma_foreign_key_list(m.name) f where m.type = 'table'`,
  postgres: sql<{ child: string; parent: string }>`select child.relname as child, parent.relname as parent from pg_constraint c join pg_class child on child.oid = c.conrelid join pg_class parent on parent.oid = c.confrelid where c.contype = 'f'`,
};

/** Tables after those that their rows refer to. */
async function tablesInOrder(db: Transaction<Schema>, kind: DatabaseKind): Promise<string[]> {
  const waiting = new Set((await db.introspection.getTables()).filter(({ isView }) => !isView).map(({ name }) => name).sort());
  const { rows } = await foreignKeys[kind].execute(db);
  const ordered: string[] = [];
  while (waiting.size > 0) {
    const next = [...waiting].find((table) => rows.every(({ child, parent }) => child !== table || parent === table || !waiting.has(parent)));
    if (next === undefined) throw new CestaError('internal', `journal: expected tables that refer to one another in some order, got a circle among ${[...waiting].join(', ')}`);
    waiting.delete(next);
    ordered.push(next);
  }
  return ordered;
}
