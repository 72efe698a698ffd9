/**
 * A consent record and the receipt a shopper gets of it (after ISO/IEC TS 27560:2023): what was agreed to, for what, on which
 * notice, and how to withdraw. Canonical JSON under the shop's Ed25519 key and a domain label of its own.
 *
 * Names of the specification: `principal` is pii_principal_id, `controller` pii_controllers, `notice` privacy_notice,
 * `storage_location` storage_locations, `recipients` recipient_third_parties, `events` the consent events (event_type,
 * event_time); the others are spelt as there.
 *
 * Security: it shows what the shop confirmed and cannot deny; not who sat at the device, nor that the shop kept to it.
 */
import * as z from 'zod/mini';
import type { SigningKey } from '../ledger/signing-key.ts';
import { verifySignature } from '../ledger/signature.ts';
import { canonicalJson } from '../protocol/canonical-json.ts';
import { CestaError } from '../protocol/errors.ts';
import { describeIssues } from '../protocol/issues.ts';
import { permits, type Degree, type Purpose } from './consent.ts';
import { degreeSchema } from './degree-schema.ts';

export const consentDomain = 'cesta/consent/v1';

export const consentPurposes = ['recommend', 'improve', 'measure'] as const satisfies readonly Purpose[];

/** What a choice lets a shop do. */
export function purposesOf(degree: Degree): Purpose[] {
  return consentPurposes.filter((purpose) => permits(degree, purpose));
}

const hex = (bytes: number) => z.string().check(z.regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`), `expected ${bytes} bytes in lower-case hex`));

/** Random, made on the device for this shop; names nobody, and is not told to anybody but the shop. */
export const principalSchema = hex(16);

export const consentRecordSchema = z.strictObject({
  schema_version: z.literal('cesta/consent/1'),
  record_id: hex(16),
  principal: principalSchema,
  controller: z.strictObject({ name: z.string(), contact: z.string(), url: z.string() }),
  /** SHA-256 of the text that was shown. */
  notice: z.strictObject({ version: z.string(), url: z.string(), sha256: z.string() }),
  degree: degreeSchema,
  purposes: z.array(z.enum(consentPurposes)),
  lawful_basis: z.literal('consent'),
  /** What is processed at this degree, in words. */
  pii_information: z.array(z.string()),
  collection_method: z.string(),
  storage_location: z.string(),
  /** ISO 8601 duration, of what the shop keeps. */
  retention_period: z.string(),
  recipients: z.array(z.string()),
  withdrawal_method: z.string(),
  privacy_rights: z.array(z.string()),
  /** Whether `Sec-GPC: 1` or the page's own signal was present. */
  gpc: z.boolean(),
  events: z.array(z.strictObject({ kind: z.enum(['given', 'withdrawn']), degree: degreeSchema, time: z.iso.datetime() })).check(z.minLength(1)),
});
export type ConsentRecord = Readonly<z.infer<typeof consentRecordSchema>>;

export const consentReceiptSchema = z.strictObject({
  record: consentRecordSchema,
  /** The shop's key, and its signature over the canonical JSON of the record. */
  publicKey: hex(32),
  signature: hex(64),
});
export type ConsentReceipt = Readonly<z.infer<typeof consentReceiptSchema>>;

export function consentStatement(record: ConsentRecord): Uint8Array {
  return new TextEncoder().encode(`${consentDomain}\n${canonicalJson(record)}`);
}

/**
 * @example
 * const receipt = signConsent(shopKey, record);
 * await verifyConsentReceipt(receipt, { shopKey: shopKey.publicKey, principal: record.principal, degree: 2, notice: 'v3' });
 */
export function signConsent(key: Pick<SigningKey, 'publicKey' | 'sign'>, record: ConsentRecord): ConsentReceipt {
  return { record, publicKey: key.publicKey, signature: key.sign(consentStatement(record)) };
}

/** What the device knows of its own choice; `shopKey` null believes the key that the receipt names. */
export interface ConsentTerms {
  readonly shopKey: string | null;
  readonly principal: string;
  readonly degree: Degree;
  /** Version. */
  readonly notice: string;
  /** What the record says last; a consent that is given unless told otherwise. */
  readonly last?: ConsentRecord['events'][number]['kind'];
  /** Of a receipt that was asked for just now; without it, one of any time. */
  readonly fresh?: { readonly nowMs: number; /** Ids of records that this device had before. */ readonly known: readonly string[] };
}

/** Clocks differ, and an answer takes its time. */
const freshWithinMs = 600_000;

/**
 * The receipt in what a shop answered. Anything beyond the terms is the shop's own word: its name, where it stores, to whom it gives.
 * @throws CestaError `consent.untrusted` for a receipt of another choice, or one that the shop did not sign.
 */
export async function verifyConsentReceipt(answered: unknown, terms: ConsentTerms): Promise<ConsentReceipt> {
  const parsed = consentReceiptSchema.safeParse(answered);
  if (!parsed.success) throw new CestaError('consent.untrusted', `receipt: ${describeIssues(parsed.error)}`);
  const { record, publicKey, signature } = parsed.data;
  requireSame('publicKey', terms.shopKey ?? publicKey, publicKey);
  requireSame('record.principal', terms.principal, record.principal);
  requireSame('record.degree', terms.degree, record.degree);
  requireSame('record.notice.version', terms.notice, record.notice.version);
  requireLast(record, terms);
  requireSame('record.purposes', purposesOf(terms.degree).join(), record.purposes.join());
  if (!(await verifySignature(publicKey, signature, consentStatement(record)))) throw new CestaError('consent.untrusted', `receipt: expected a signature by the shop ${publicKey}, got another`);
  return parsed.data;
}

/** A record that was withdrawn, or one of earlier that somebody sends again, is no consent. */
function requireLast({ record_id: id, events }: ConsentRecord, { last = 'given', degree, fresh }: ConsentTerms): void {
  const event = events[events.length - 1];
  requireSame('record.events', `${last} ${last === 'given' ? degree : 0}`, `${event.kind} ${event.degree}`);
  if (fresh === undefined) return;
  if (fresh.known.includes(id)) throw new CestaError('consent.untrusted', `receipt.record.record_id: expected one that is new on this device, got ${id}`);
  if (Math.abs(Date.parse(event.time) - fresh.nowMs) > freshWithinMs) throw new CestaError('consent.untrusted', `receipt.record.events: expected a time within ten minutes of ${new Date(fresh.nowMs).toISOString()}, got ${event.time}`);
}

function requireSame(field: string, expected: string | number, got: string | number): void {
  if (expected !== got) throw new CestaError('consent.untrusted', `receipt.${field}: expected ${expected}, got ${got}`);
}
