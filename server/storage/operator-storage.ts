/** {@link OperatorRecords} in SQL that SQLite and PostgreSQL both understand, and the tables it needs. */
import type { Kysely, Transaction } from 'kysely';
import type { NewOperator, OperatorRecords } from './operator-records.ts';
import type { Schema } from './schema.ts';

/** Tables of operators; times as ISO 8601 text. */
export interface OperatorSchema {
  readonly operators: { name: string; token_hash: string; totp_sealed: string; last_totp_step: number; created_at: string; revoked_at: string | null };
  readonly operator_actions: { number: number; operator: string; action: string; target: string | null; request: string | null; at: string; outcome: string | null };
}

/** A step of the migrations, applied under a name of its own. */
export async function createOperatorTables(db: Kysely<unknown>): Promise<void> {
  await db.schema.createTable('operators').ifNotExists()
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('token_hash', 'text', (column) => column.notNull().unique())
    .addColumn('totp_sealed', 'text', (column) => column.notNull())
    .addColumn('last_totp_step', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('revoked_at', 'text')
    .execute();
  await db.schema.createTable('operator_actions').ifNotExists()
    .addColumn('number', 'bigint', (column) => column.primaryKey())
    .addColumn('operator', 'text', (column) => column.notNull())
    .addColumn('action', 'text', (column) => column.notNull())
    .addColumn('target', 'text')
    .addColumn('request', 'text')
    .addColumn('at', 'text', (column) => column.notNull())
    .addColumn('outcome', 'text')
    .execute();
}

export function operatorsOf(db: Kysely<Schema>, date: () => Date): OperatorRecords {
  const now = (): string => date().toISOString();
  return {
    async operators() {
      const rows = await db.selectFrom('operators').selectAll().where('revoked_at', 'is', null).orderBy('name').execute();
      return rows.map((row) => ({ name: row.name, tokenHash: row.token_hash, totpSealed: row.totp_sealed, lastTotpStep: row.last_totp_step, createdAt: row.created_at }));
    },
    putOperator: (operator) => keepOperator(db, operator, now()),
    async revokeOperator(name) {
      await db.updateTable('operators').set({ revoked_at: now() }).where('name', '=', name).where('revoked_at', 'is', null).execute();
    },
    async noteTotpStep(name, step) {
      await db.updateTable('operators').set({ last_totp_step: step }).where('name', '=', name).where('last_totp_step', '<', step).execute();
    },
    async lastAction() {
      const row = await db.selectFrom('operator_actions').select((eb) => eb.fn.max('number').as('last')).executeTakeFirst();
      return Number(row?.last ?? 0);
    },
    async beginAction({ number, operator, action, target, request }) {
      await db.insertInto('operator_actions').values({ number, operator, action, target, request, at: now(), outcome: null }).execute();
    },
    async endAction(number, outcome) {
      await db.updateTable('operator_actions').set({ outcome }).where('number', '=', number).where('outcome', 'is', null).execute();
    },
    async actions({ before, limit }) {
      return db.selectFrom('operator_actions').selectAll().where('number', '<', before).orderBy('number', 'desc').limit(limit).execute();
    },
  };
}

/** Adds an operator, or puts it in the place of whoever had the name. */
export async function keepOperator(db: Kysely<Schema> | Transaction<Schema>, { name, tokenHash, totpSealed }: NewOperator, at: string): Promise<void> {
  const columns = { token_hash: tokenHash, totp_sealed: totpSealed, last_totp_step: 0, created_at: at, revoked_at: null };
  await db.insertInto('operators').values({ name, ...columns }).onConflict((conflict) => conflict.column('name').doUpdateSet(columns)).execute();
}
