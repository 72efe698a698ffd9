/**
 * A receipt: the coordinator's word that a report is in a round, by the digest that the shop announced. Canonical JSON
 * under Ed25519 and a domain label of its own.
 *
 * Security: it shows what the coordinator acknowledged and cannot deny; not that the round was released, nor what is in
 * the report. In mode `distributed` the digest is that of the masked vector.
 */
import * as z from 'zod';
import { canonicalJson } from '../protocol/canonical-json.ts';
import { CestaError } from '../protocol/errors.ts';
import { isSignedBy, type SigningKey } from './signing-key.ts';

export const receiptDomain = 'cesta/receipt/v1';

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`), `expected ${bytes} bytes in lower-case hex`);

export const receiptSchema = z.strictObject({
  round: z.string().min(1).max(96),
  planHash: hex(32),
  /** As the coordinator knows the shop: in lower case. */
  shop: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'expected 1..63 lower-case letters, digits, dots, dashes or underscores'),
  /** Ed25519 public key of the shop. */
  node: hex(32),
  /** Of the report, as it was announced. */
  sha256: hex(32),
  acceptedAt: z.iso.datetime(),
});
export type Receipt = Readonly<z.infer<typeof receiptSchema>>;

export const signedReceiptSchema = z.strictObject({ receipt: receiptSchema, signature: hex(64) });
/**
 * A receipt for one report, and the signature of the coordinator over it.
 * @interface
 */
export type SignedReceipt = Readonly<z.infer<typeof signedReceiptSchema>>;

export function receiptStatement(receipt: Receipt): Uint8Array {
  return new TextEncoder().encode(`${receiptDomain}\n${canonicalJson(receipt)}`);
}

/**
 * @example
 * const signed = makeReceipt(coordinator, { round, planHash, shop, node, sha256, acceptedAt: new Date().toISOString() });
 */
export function makeReceipt(coordinator: SigningKey, receipt: Receipt): SignedReceipt {
  return { receipt, signature: coordinator.sign(receiptStatement(receipt)) };
}

/** What a shop knows of its report: a receipt has to be for exactly that. */
export type ReceiptTerms = Omit<Receipt, 'acceptedAt'>;

/**
 * @param coordinatorKey the key that the shop has pinned
 * @throws CestaError `receipt.untrusted` for a receipt of something else, or one that the coordinator did not sign.
 */
export function verifyReceipt({ receipt, signature }: SignedReceipt, terms: ReceiptTerms, coordinatorKey: string): void {
  for (const field of ['round', 'planHash', 'shop', 'node', 'sha256'] as const) {
    if (receipt[field] !== terms[field]) throw new CestaError('receipt.untrusted', `receipt.${field}: expected ${terms[field]}, got ${receipt[field]}`);
  }
  if (!isSignedBy(coordinatorKey, signature, receiptStatement(receipt))) throw new CestaError('receipt.untrusted', `receipt: expected a signature by the coordinator ${coordinatorKey}, got another`);
}
