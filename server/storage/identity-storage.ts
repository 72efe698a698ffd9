/** {@link IdentityRecords} in SQL that SQLite and PostgreSQL both understand, and the tables it needs. */
import type { Kysely, Transaction } from 'kysely';
import { z } from 'zod';
import { signedCertificateSchema, type SignedCertificate } from '../../shared/identity/certificate.ts';
import { revocationReasons } from '../../shared/identity/requests.ts';
import { canonicalJson } from '../../shared/protocol/canonical-json.ts';
import { isErrorCode, type ErrorCode } from '../../shared/protocol/error-table.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { EnvelopeRecord, IdentityChange, IdentityRecords } from './identity-records.ts';
import { keepOperator } from './operator-storage.ts';
import { readJson } from './rows.ts';
import type { Schema } from './schema.ts';

/** Tables of identity; times as ISO 8601 text, JSON as text. */
export interface IdentitySchema {
  readonly enrolment_tokens: { hash: string; organisation: string; expires_at: string; issued_at: string; used_by: string | null; used_at: string | null };
  readonly certificates: { node: string; shop_key: string; certificate: string; enrolled_at: string; changed_at: string };
  readonly revocations: { node: string; reason: string; revoked_at: string };
  readonly envelopes: { node: string; seq: number; statement: string; signature: string; answer: string; received_at: string };
}

/** A step of the migrations, applied under a name of its own. */
export async function createIdentityTables(db: Kysely<unknown>): Promise<void> {
  await db.schema.createTable('enrolment_tokens').ifNotExists()
    .addColumn('hash', 'text', (column) => column.primaryKey())
    .addColumn('organisation', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'text', (column) => column.notNull())
    .addColumn('issued_at', 'text', (column) => column.notNull())
    .addColumn('used_by', 'text')
    .addColumn('used_at', 'text')
    .execute();
  await db.schema.createTable('certificates').ifNotExists()
    .addColumn('node', 'text', (column) => column.primaryKey())
    .addColumn('shop_key', 'text', (column) => column.notNull())
    .addColumn('certificate', 'text', (column) => column.notNull())
    .addColumn('enrolled_at', 'text', (column) => column.notNull())
    .addColumn('changed_at', 'text', (column) => column.notNull())
    .execute();
  await db.schema.createTable('revocations').ifNotExists()
    .addColumn('node', 'text', (column) => column.primaryKey())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('revoked_at', 'text', (column) => column.notNull())
    .execute();
  await db.schema.createTable('envelopes').ifNotExists()
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('seq', 'bigint', (column) => column.notNull())
    .addColumn('statement', 'text', (column) => column.notNull())
    .addColumn('signature', 'text', (column) => column.notNull())
    .addColumn('answer', 'text', (column) => column.notNull())
    .addColumn('received_at', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('envelopes_node_seq', ['node', 'seq'])
    .execute();
}

/** Envelopes older than this are forgotten, but for the newest of each node: its number must stay known. */
const evidenceMs = 365 * 86_400_000;

export function identityOf(db: Kysely<Schema>, date: () => Date): IdentityRecords {
  return {
    async envelope(node, seq) {
      const row = await db.selectFrom('envelopes').selectAll().where('node', '=', node).where('seq', '=', seq).executeTakeFirst();
      return row === undefined ? null : { node, seq, statement: row.statement, signature: row.signature, answer: readJson('envelopes.answer', row.answer, (value) => answerSchema.parse(value)) };
    },
    async lastSeq(node) {
      const row = await db.selectFrom('envelopes').select((eb) => eb.fn.max('seq').as('last')).where('node', '=', node).executeTakeFirst();
      return Number(row?.last ?? 0);
    },
    async commitIdentity(envelope, change) {
      await db.transaction().execute(async (transaction) => {
        await keepEnvelope(transaction, envelope, date());
        await apply(transaction, envelope.node, change, date().toISOString());
      });
    },
    async token(hash) {
      const row = await db.selectFrom('enrolment_tokens').selectAll().where('hash', '=', hash).executeTakeFirst();
      return row === undefined ? null : { hash, organisation: row.organisation, expiresAt: row.expires_at, usedBy: row.used_by };
    },
    async certificate(node) {
      const row = await db.selectFrom('certificates').select('certificate').where('node', '=', node).executeTakeFirst();
      return row === undefined ? null : readCertificate(row);
    },
    async certificates() {
      const rows = await db.selectFrom('certificates').select('certificate').orderBy('node').execute();
      return rows.map(readCertificate);
    },
    async shopOf(node) {
      const row = await db.selectFrom('nodes').select('name').where('public_key', '=', node).executeTakeFirst();
      return row?.name ?? null;
    },
    async keyOf(shop) {
      const row = await db.selectFrom('nodes').select('public_key').where('name_key', '=', shop.toLowerCase()).executeTakeFirst();
      return row?.public_key ?? null;
    },
    async enrolled() {
      const rows = await db.selectFrom('certificates').select('node').orderBy('enrolled_at').orderBy('node').execute();
      return rows.map(({ node }) => node);
    },
    async revocations() {
      const rows = await db.selectFrom('revocations').selectAll().orderBy('revoked_at').orderBy('node').execute();
      return rows.map((row) => ({ node: row.node, reason: z.enum(revocationReasons).parse(row.reason), revokedAt: row.revoked_at }));
    },
  };
}

function readCertificate({ certificate }: { readonly certificate: string }): SignedCertificate {
  return readJson('certificates.certificate', certificate, (value) => signedCertificateSchema.parse(value));
}

const answerSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('done'), body: z.json() }),
  z.strictObject({ kind: z.literal('refused'), code: z.string().transform((code): ErrorCode => (isErrorCode(code) ? code : 'internal')), message: z.string() }),
]);

async function keepEnvelope(db: Transaction<Schema>, { node, seq, statement, signature, answer }: EnvelopeRecord, at: Date): Promise<void> {
  await db.insertInto('envelopes').values({ node, seq, statement, signature, answer: canonicalJson(answer), received_at: at.toISOString() }).execute();
  await db.deleteFrom('envelopes').where('node', '=', node).where('seq', '<', seq).where('received_at', '<', new Date(at.getTime() - evidenceMs).toISOString()).execute();
}

async function apply(db: Transaction<Schema>, signer: string, change: IdentityChange, at: string): Promise<void> {
  switch (change.kind) {
    case 'none':
      return;
    case 'token': {
      const { hash, organisation, expiresAt } = change.token;
      await db.insertInto('enrolment_tokens').values({ hash, organisation, expires_at: expiresAt, issued_at: at, used_by: null, used_at: null }).execute();
      return;
    }
    case 'enrol': {
      const used = await db.updateTable('enrolment_tokens').set({ used_by: signer, used_at: at }).where('hash', '=', change.tokenHash).where('used_by', 'is', null).executeTakeFirst();
      if (used.numUpdatedRows !== 1n) throw new CestaError('enrolment.token-used', 'token: expected one that was not used, got one that was');
      if (change.replaces !== null) await db.deleteFrom('nodes').where('public_key', '=', change.replaces).execute();
      await keepCertificate(db, change.certificate, at);
      return pin(db, change.certificate, at);
    }
    case 'renew':
      return keepCertificate(db, change.certificate, at);
    case 'rotate':
      await db.deleteFrom('nodes').where('public_key', '=', change.from).execute();
      await revoke(db, change.from, 'retired', at);
      await keepCertificate(db, change.certificate, at);
      return pin(db, change.certificate, at);
    case 'revoke':
      return revoke(db, change.node, change.reason, at);
    case 'operator':
      return keepOperator(db, change.operator, at);
    default:
      return change satisfies never;
  }
}

async function revoke(db: Transaction<Schema>, node: string, reason: string, at: string): Promise<void> {
  await db.insertInto('revocations').values({ node, reason, revoked_at: at }).execute();
}

async function keepCertificate(db: Transaction<Schema>, signed: SignedCertificate, at: string): Promise<void> {
  const { node, shop } = signed.cert;
  const certificate = canonicalJson(signed);
  await db.insertInto('certificates').values({ node, shop_key: shop.toLowerCase(), certificate, enrolled_at: at, changed_at: at })
    .onConflict((conflict) => conflict.column('node').doUpdateSet({ certificate, shop_key: shop.toLowerCase(), changed_at: at })).execute();
}

/** The name is the key's from now on, also where enrolment is not required. */
async function pin(db: Transaction<Schema>, { cert: { node, shop } }: SignedCertificate, at: string): Promise<void> {
  await db.insertInto('nodes').values({ name_key: shop.toLowerCase(), name: shop, public_key: node, first_seen: at, last_seen: at })
    .onConflict((conflict) => conflict.column('name_key').doUpdateSet({ last_seen: at })).execute();
  const row = await db.selectFrom('nodes').select('public_key').where('name_key', '=', shop.toLowerCase()).executeTakeFirst();
  // Somebody may have taken the name by first use since it was found free.
  if (row?.public_key !== node) throw new CestaError('node.name-taken', `shop ${shop}: expected a name that no other key holds, got one held by ${row?.public_key ?? 'nobody'}`);
}
