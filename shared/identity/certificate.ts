/**
 * A node certificate: the coordinator's word that a key belongs to a shop of an organisation, for at most 90 days.
 * Canonical JSON under Ed25519 and a domain label of its own.
 *
 * Security: it names who was given a token, not who that is; knowing the organisation is the operator's business. A
 * certificate is public and worth nothing without the key it names. Revocation is not in it: the coordinator keeps that.
 */
import * as z from 'zod';
import { verifySignature } from '../ledger/signature.ts';
import type { SigningKey } from '../ledger/signing-key.ts';
import { canonicalJson } from '../protocol/canonical-json.ts';
import { CestaError } from '../protocol/errors.ts';

export const certificateDomain = 'cesta/node-certificate/v1';
export const longestValidityMs = 90 * 86_400_000;

/** What a node may do. Shops take part in rounds. */
export const nodeRoles = ['shop'] as const;

const shopName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/i, 'expected 1..63 letters, digits, dots, dashes or underscores');
/** Who answers for a node: a name the operator chooses, the same for all nodes of one owner. */
export const organisationSchema = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'expected 1..63 lower-case letters, digits, dots, dashes or underscores');
const moment = z.iso.datetime();

export const nodeCertSchema = z.strictObject({
  /** Ed25519 public key of the node, hex. */
  node: z.string().regex(/^[0-9a-f]{64}$/, 'expected 32 bytes in lower-case hex'),
  shop: shopName,
  organisation: organisationSchema,
  roles: z.array(z.enum(nodeRoles)).min(1).max(nodeRoles.length),
  notBefore: moment,
  notAfter: moment,
});
export type NodeCert = Readonly<z.infer<typeof nodeCertSchema>>;

export const signedCertificateSchema = z.strictObject({ cert: nodeCertSchema, signature: z.string().regex(/^[0-9a-f]{128}$/, 'expected 64 bytes in lower-case hex') });
/**
 * A certificate of a node, and the signature of the coordinator over it.
 * @interface
 */
export type SignedCertificate = Readonly<z.infer<typeof signedCertificateSchema>>;

export function certificateStatement(cert: NodeCert): Uint8Array {
  return new TextEncoder().encode(`${certificateDomain}\n${canonicalJson(cert)}`);
}

/** Certifies a node from `fromMs` on (Unix milliseconds), for the longest time there is. */
export function issueCertificate(coordinator: SigningKey, about: Pick<NodeCert, 'node' | 'shop' | 'organisation'>, fromMs: number): SignedCertificate {
  const { node, shop, organisation } = about;
  const cert: NodeCert = { node, shop, organisation, roles: ['shop'], notBefore: new Date(fromMs).toISOString(), notAfter: new Date(fromMs + longestValidityMs).toISOString() };
  return { cert, signature: coordinator.sign(certificateStatement(cert)) };
}

/** Who presents a certificate, and when (Unix milliseconds). */
export interface Presentation {
  readonly node: string;
  readonly shop: string;
  readonly atMs: number;
}

/** Clocks differ a little: a certificate is good this long before its first moment. */
const earlyMs = 120_000;

/**
 * Everything that needs no signature check: whose it is, what for, and when.
 * @throws CestaError `enrolment.certificate-invalid` or `enrolment.certificate-expired`
 */
export function checkCertificateTerms({ cert }: SignedCertificate, { node, shop, atMs }: Presentation): void {
  const [from, to] = [Date.parse(cert.notBefore), Date.parse(cert.notAfter)];
  if (cert.node !== node) throw invalid(`expected one for the key ${node}, got one for ${cert.node}`);
  if (cert.shop.toLowerCase() !== shop.toLowerCase()) throw invalid(`expected one for the shop ${shop}, got one for ${cert.shop}`);
  if (!cert.roles.includes('shop')) throw invalid(`expected the role shop, got ${cert.roles.join(', ')}`);
  if (!(from < to) || to - from > longestValidityMs) throw invalid(`expected at most ${longestValidityMs / 86_400_000} days, got ${cert.notBefore} to ${cert.notAfter}`);
  if (atMs < from - earlyMs) throw invalid(`expected one that is valid now, got one from ${cert.notBefore}`);
  if (atMs >= to) throw new CestaError('enrolment.certificate-expired', `certificate: expected one that is valid now, got one until ${cert.notAfter}`);
}

/** @throws CestaError `enrolment.certificate-invalid` unless the coordinator signed it. */
export async function checkCertificateSignature({ cert, signature }: SignedCertificate, coordinatorKey: string): Promise<void> {
  if (!(await verifySignature(coordinatorKey, signature, certificateStatement(cert)))) throw invalid(`expected a signature by the coordinator ${coordinatorKey}, got another`);
}

function invalid(message: string): CestaError {
  return new CestaError('enrolment.certificate-invalid', `certificate: ${message}`);
}
