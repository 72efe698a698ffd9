/** {@link ParticipantRecords} in SQL that SQLite and PostgreSQL both understand, and the tables it needs. */
import type { Kysely, Transaction } from 'kysely';
import { isErrorCode } from '../../shared/protocol/error-table.ts';
import type { ParticipantChange, ParticipantRecords, ParticipantState, RosterEntry } from './participant-records.ts';
import type { Schema } from './schema.ts';

export interface ParticipantSchema {
  readonly participants: { round: string; participant: string; node: string; state: ParticipantState; code: string | null; changed_at: string };
  readonly receipts: { round: string; participant: string; sha256: string; signature: string; accepted_at: string };
}

/** A step of the migrations, applied under a name of its own. */
export async function createParticipantTables(db: Kysely<unknown>): Promise<void> {
  await db.schema.createTable('participants').ifNotExists()
    .addColumn('round', 'text', (column) => column.notNull().references('rounds.id'))
    .addColumn('participant', 'text', (column) => column.notNull())
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('code', 'text')
    .addColumn('changed_at', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('participants_round_participant', ['round', 'participant'])
    .execute();
  await db.schema.createTable('receipts').ifNotExists()
    .addColumn('round', 'text', (column) => column.notNull().references('rounds.id'))
    .addColumn('participant', 'text', (column) => column.notNull())
    .addColumn('sha256', 'text', (column) => column.notNull())
    .addColumn('signature', 'text', (column) => column.notNull())
    .addColumn('accepted_at', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('receipts_round_participant', ['round', 'participant'])
    .execute();
}

/** Rows of one statement: both databases bound the number of its parameters. */
const rowsPerStatement = 1_000;

export function participantsOf(db: Kysely<Schema>, now: () => string): ParticipantRecords {
  return {
    async recordParticipants(round, changes) {
      await db.transaction().execute(async (transaction) => {
        for (const page of pagesOf(changes)) await record(transaction, round, page, now());
      });
    },
    async participants(round) {
      const rows = await db.selectFrom('participants').select(['participant', 'node', 'state', 'code']).where('round', '=', round).orderBy('participant').execute();
      return rows.map(({ code, ...row }) => ({ ...row, code: code === null ? null : isErrorCode(code) ? code : 'internal' }));
    },
    async receipts(round) {
      const rows = await db.selectFrom('receipts').selectAll().where('round', '=', round).orderBy('participant').execute();
      return rows.map(({ participant, sha256, signature, accepted_at: acceptedAt }) => ({ participant, sha256, signature, acceptedAt }));
    },
  };
}

/** Puts the roster of a round in. Who is known already, by a receipt or a fault of a masked session, stays as it is. */
export async function keepRoster(db: Transaction<Schema>, round: string, roster: readonly RosterEntry[], at: string): Promise<void> {
  for (const page of pagesOf(roster)) {
    await db.insertInto('participants').values(page.map(({ participant, node }) => ({ round, participant, node, state: 'joined' as const, code: null, changed_at: at })))
      .onConflict((conflict) => conflict.columns(['round', 'participant']).doNothing()).execute();
  }
}

async function record(db: Transaction<Schema>, round: string, changes: readonly ParticipantChange[], at: string): Promise<void> {
  const rows = changes.map((change) => ({ round, participant: change.participant, node: change.node, state: change.kind, code: change.kind === 'excluded' ? change.code : null, changed_at: at }));
  await db.insertInto('participants').values(rows)
    .onConflict((conflict) => conflict.columns(['round', 'participant']).doUpdateSet((eb) => ({ state: eb.ref('excluded.state'), code: eb.ref('excluded.code'), changed_at: at })))
    .execute();
  const receipts = changes.flatMap((change) => (change.kind === 'reported' ? [{ participant: change.participant, ...change.receipt }] : []));
  if (receipts.length === 0) return;
  await db.insertInto('receipts')
    .values(receipts.map(({ participant, receipt, signature }) => ({ round, participant, sha256: receipt.sha256, signature, accepted_at: receipt.acceptedAt })))
    .execute();
}

function* pagesOf<T>(rows: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < rows.length; from += rowsPerStatement) yield rows.slice(from, from + rowsPerStatement);
}
