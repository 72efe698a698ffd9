/** The public record as rows: appended one after the other, never changed. */
import type { Kysely, Transaction } from 'kysely';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { Schema } from './schema.ts';
import type { LogAppend, Storage } from './storage.ts';

export function logOf(db: Kysely<Schema>): Pick<Storage, 'logSize' | 'appendLog' | 'logEntries'> {
  return {
    logSize: () => sizeOf(db),
    appendLog: (log) => db.transaction().execute((transaction) => appendLog(transaction, log)),
    async logEntries({ from, limit }) {
      const rows = await db.selectFrom('log_entries').selectAll().where('position', '>=', from).orderBy('position').limit(limit).execute();
      return rows.map(({ position, bytes }, i) => {
        if (position !== from + i) throw new CestaError('storage.failed', `log_entries: expected position ${from + i}, got ${position}: the record has a gap`);
        return Uint8Array.from(Buffer.from(bytes, 'base64'));
      });
    },
  };
}

/** As a part of a transaction; nothing, without entries. */
export async function appendLog(transaction: Transaction<Schema>, log: LogAppend | undefined): Promise<void> {
  if (log === undefined || log.entries.length === 0) return;
  const { position: first, entries, settings = {} } = log;
  const size = await sizeOf(transaction);
  if (first !== size) throw new CestaError('storage.failed', `log_entries: expected to append at ${size}, got ${first}`);
  await transaction.insertInto('log_entries').values(entries.map((bytes, i) => ({ position: first + i, bytes: Buffer.from(bytes).toString('base64') }))).execute();
  for (const [key, value] of Object.entries(settings)) await putSetting(transaction, key, value);
}

export async function putSetting(db: Kysely<Schema> | Transaction<Schema>, key: string, value: string): Promise<void> {
  await db.insertInto('settings').values({ key, value }).onConflict((conflict) => conflict.column('key').doUpdateSet({ value })).execute();
}

async function sizeOf(db: Kysely<Schema> | Transaction<Schema>): Promise<number> {
  const row = await db.selectFrom('log_entries').select((eb) => eb.fn.max('position').as('last')).executeTakeFirst();
  return row?.last === null || row?.last === undefined ? 0 : Number(row.last) + 1;
}
