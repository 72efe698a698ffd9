/**
 * What envelopes about identity carry, and what is answered. Tokens are made where they are handed out: the coordinator
 * only ever learns the digest of one before it is used.
 */
import * as z from 'zod';
import type { SigningKey } from '../ledger/signing-key.ts';
import { canonicalJson } from '../protocol/canonical-json.ts';
import { hexToBytes, sha256Hex } from '../protocol/digest.ts';
import { shopNameSchema } from '../protocol/messages.ts';
import { organisationSchema, signedCertificateSchema } from './certificate.ts';

/** Where envelopes are taken, below the coordinator's address. */
export const nodesPath = '/v1/nodes';
export const revocationReasons = ['retired', 'compromised', 'expelled'] as const;
export type RevocationReason = (typeof revocationReasons)[number];

const longestTokenHours = 24 * 30;

const digest = z.string().regex(/^[0-9a-f]{64}$/, 'expected 32 bytes in lower-case hex');
const signature = z.string().regex(/^[0-9a-f]{128}$/, 'expected 64 bytes in lower-case hex');

/** 32 random bytes, hex. */
export const tokenSchema = digest;

export const operatorNameSchema = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'expected lower-case letters, digits, dots, dashes and underscores');

/** What is kept of an operator: the digest of the token, and the sealed secret of the second factor (nonce, 20 bytes, tag). */
export const newOperatorSchema = z.strictObject({ name: operatorNameSchema, tokenHash: digest, totpSealed: z.string().regex(/^[0-9a-f]{96}$/, 'expected 48 bytes in lower-case hex') });

/** The bodies, by type of envelope. */
export const requestSchemas = {
  /** The operator admits one node of an organisation to enrolment. */
  token: z.strictObject({ tokenHash: digest, organisation: organisationSchema, ttlHours: z.number().int().min(1).max(longestTokenHours) }),
  /** A node, by its own key, asks for a certificate. */
  enrol: z.strictObject({ token: tokenSchema, shop: shopNameSchema }),
  renew: z.strictObject({}),
  /** The old key signs the envelope: it hands over to a key that proves it is held. */
  rotate: z.strictObject({ newKey: digest, proof: signature }),
  /** By key, or whichever key holds the name. */
  revoke: z.union([z.strictObject({ node: digest, reason: z.enum(revocationReasons) }), z.strictObject({ shop: shopNameSchema, reason: z.enum(revocationReasons) })]),
  /** The operator lost a token or a second factor: another one, made and sealed where the coordinator's key is. */
  operator: newOperatorSchema,
} as const;

export const tokenAnswerSchema = z.strictObject({ organisation: organisationSchema, expiresAt: z.iso.datetime() });
export const certificateAnswerSchema = z.strictObject({ certificate: signedCertificateSchema });
export const revocationAnswerSchema = z.strictObject({ node: digest, reason: z.enum(revocationReasons), shop: shopNameSchema.nullable() });

export const operatorAnswerSchema = z.strictObject({ name: operatorNameSchema });

/** What the coordinator keeps of a token: whoever reads its disk cannot enrol with it. */
export function tokenHash(token: string): string {
  return sha256Hex(Uint8Array.from(hexToBytes(token)));
}

/** What a new key signs to show that it is held by whoever hands over to it. */
export function handOverStatement(coordinator: string, oldKey: string, newKey: string): Uint8Array {
  return new TextEncoder().encode(`cesta/key-hand-over/v1\n${canonicalJson({ coordinator, oldKey, newKey })}`);
}

/** The body of a hand-over from one key to another. */
export function handOver(newKey: SigningKey, oldKey: string, coordinator: string): { newKey: string; proof: string } {
  return { newKey: newKey.publicKey, proof: newKey.sign(handOverStatement(coordinator, oldKey, newKey.publicKey)) };
}
