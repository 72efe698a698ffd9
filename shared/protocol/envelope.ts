/**
 * A signed request: what a node asks of its coordinator over HTTP, bound to a type, a number and a moment. The signature
 * stands on its own, so a proxy that ends TLS can neither change a request nor send it again to another effect.
 *
 * The statement is `cesta/envelope/v1`, the key of the coordinator it is meant for, and the canonical JSON of the header,
 * one below the other; the body is covered by its digest. `seq` rises strictly for each node and is kept by both sides:
 * the same bytes again get the same answer, other bytes under a number that was used prove that the node equivocates.
 *
 * Security: authenticity and order only. The body is readable by whoever reads the connection: that is what TLS is for.
 */
import * as z from 'zod';
import type { SigningKey } from '../ledger/signing-key.ts';
import { parseBoundedJson } from './bounded-json.ts';
import { canonicalJson, type Json } from './canonical-json.ts';
import { sha256Hex } from './digest.ts';
import { CestaError } from './errors.ts';

export const envelopeDomain = 'cesta/envelope/v1';
/** How far the clocks of both sides may be apart. */
export const clockToleranceMs = 120_000;
/** The largest envelope, in characters: requests about identity are small. */
export const maxEnvelopeLength = 16_384;
/** The deepest envelope: signed wrapper, body, one object in it, a list, and room for one more. */
const maxEnvelopeDepth = 6;

export const envelopeTypes = ['enrol', 'renew', 'rotate', 'token', 'revoke', 'operator'] as const;
export type EnvelopeType = (typeof envelopeTypes)[number];

const digest = z.string().regex(/^[0-9a-f]{64}$/, 'expected 32 bytes in lower-case hex');

export const envelopeHeaderSchema = z.strictObject({
  v: z.literal(1),
  type: z.enum(envelopeTypes),
  /** Public key of the signer. */
  node: digest,
  seq: z.number().int().positive(),
  /** Unix milliseconds by the signer's clock. */
  ts: z.number().int().nonnegative(),
  bodyHash: digest,
});
export type EnvelopeHeader = Readonly<z.infer<typeof envelopeHeaderSchema>>;

const envelopeSchema = z.strictObject({
  header: envelopeHeaderSchema,
  body: z.json(),
  signature: z.string().regex(/^[0-9a-f]{128}$/, 'expected 64 bytes in lower-case hex'),
});

export interface Envelope {
  readonly header: EnvelopeHeader;
  readonly body: Json;
  readonly signature: string;
}

/** Two statements of one node where it may make one: what `isProven` of the public record checks. */
export interface Equivocation {
  readonly node: string;
  /** Statements in hex, and their signatures; the first is the one that was acted on. */
  readonly first: { readonly statement: string; readonly signature: string };
  readonly second: { readonly statement: string; readonly signature: string };
}

/** What is signed. @param coordinator public key of the coordinator that the request is meant for */
export function envelopeStatement(coordinator: string, header: EnvelopeHeader): Uint8Array {
  return new TextEncoder().encode([envelopeDomain, coordinator, canonicalJson(header)].join('\n'));
}

export function bodyHashOf(body: Json): string {
  return sha256Hex(new TextEncoder().encode(canonicalJson(body)));
}

export interface EnvelopeInput {
  readonly type: EnvelopeType;
  readonly body: Json;
  readonly seq: number;
  /** Unix milliseconds. */
  readonly ts: number;
  readonly coordinator: string;
}

/**
 * @example
 * const envelope = sealEnvelope(key, { type: 'renew', body: {}, seq: 7, ts: 1_700_000_000_000, coordinator });
 */
export function sealEnvelope(key: SigningKey, { type, body, seq, ts, coordinator }: EnvelopeInput): Envelope {
  const header: EnvelopeHeader = { v: 1, type, node: key.publicKey, seq, ts, bodyHash: bodyHashOf(body) };
  return { header, body, signature: key.sign(envelopeStatement(coordinator, header)) };
}

export function encodeEnvelope({ header, body, signature }: Envelope): string {
  return canonicalJson({ header, body, signature });
}

/**
 * Reads an envelope whose body has the digest that was signed; whether it was signed is for the caller to verify.
 * @throws CestaError `protocol.malformed` or `protocol.too-large`
 */
export function parseEnvelope(text: string): Envelope {
  const parsed = envelopeSchema.safeParse(parseBoundedJson('envelope', text, { maxLength: maxEnvelopeLength, maxDepth: maxEnvelopeDepth }));
  if (!parsed.success) throw new CestaError('protocol.malformed', `envelope: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  const { header, body, signature } = parsed.data;
  const actual = bodyHashOf(body);
  if (actual !== header.bodyHash) throw new CestaError('protocol.malformed', `envelope body: expected the digest ${header.bodyHash}, got ${actual}`);
  return { header, body, signature };
}

/** @throws CestaError `envelope.stale` when the signer's clock is too far from ours. */
export function requireFresh({ ts }: EnvelopeHeader, nowMs: number): void {
  const skewMs = ts - nowMs;
  if (Math.abs(skewMs) > clockToleranceMs) throw new CestaError('envelope.stale', `envelope ts: expected within ${clockToleranceMs} ms of the coordinator's clock, got ${skewMs} ms off`);
}
