/** Which file is the form of a release that storefronts rank with, in SQL that SQLite and PostgreSQL both understand. */
import type { Kysely } from 'kysely';
import type { Precision } from '../../shared/recommender/quantised-rows.ts';
import type { Schema } from './schema.ts';
import type { Storage } from './storage.ts';

export interface FormSchema {
  /** Digests: of the release, and of the file. */
  readonly serving_forms: { release: string; precision: Precision; sha256: string };
}

/** A step of the migrations. No foreign key: a form is there before its release is. */
export async function createFormTable(db: Kysely<unknown>): Promise<void> {
  await db.schema.createTable('serving_forms').ifNotExists()
    .addColumn('release', 'text', (column) => column.notNull())
    .addColumn('precision', 'text', (column) => column.notNull())
    .addColumn('sha256', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('serving_forms_release_precision', ['release', 'precision'])
    .execute();
}

export function formsOf(db: Kysely<Schema>): Pick<Storage, 'servingForm' | 'putServingForm'> {
  return {
    async servingForm(release, precision) {
      const row = await db.selectFrom('serving_forms').select('sha256').where('release', '=', release).where('precision', '=', precision).executeTakeFirst();
      return row?.sha256 ?? null;
    },
    async putServingForm(release, precision, sha256) {
      await db.insertInto('serving_forms').values({ release, precision, sha256 })
        .onConflict((conflict) => conflict.columns(['release', 'precision']).doUpdateSet({ sha256 })).execute();
    },
  };
}
