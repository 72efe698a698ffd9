/** Nodes, operators and their envelopes, well-behaved or not. */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { signingKey, type SigningKey } from '../../../shared/ledger/signing-key.ts';
import { certificateAnswerSchema, nodesPath, tokenHash } from '../../../shared/identity/requests.ts';
import type { SignedCertificate } from '../../../shared/identity/certificate.ts';
import type { Json } from '../../../shared/protocol/canonical-json.ts';
import { encodeEnvelope, sealEnvelope, type Envelope, type EnvelopeType } from '../../../shared/protocol/envelope.ts';

/** The same name always has the same key. */
export function nodeKey(name: string): SigningKey {
  return signingKey(createHash('sha256').update(`test shop ${name}`).digest());
}

/** The coordinator's own key, as its operator has it. */
export function operatorKey(dataDir: string): SigningKey {
  return signingKey(readFileSync(join(dataDir, 'signing.key')));
}

export const newToken = (): string => randomBytes(32).toString('hex');

let lastSeq = 0;

/** An envelope with the next number. */
export function envelopeOf(key: SigningKey, coordinator: string, type: EnvelopeType, body: Json, changes: { seq?: number; ts?: number } = {}): Envelope {
  return sealEnvelope(key, { type, body, seq: changes.seq ?? (lastSeq += 1), ts: changes.ts ?? Date.now(), coordinator });
}

export interface Answer {
  readonly status: number;
  /** `ok`, or the code of the refusal. */
  readonly code: string;
  readonly body: Json;
}

export async function post(url: string, envelope: Envelope | string, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${url}${nodesPath}`, { method: 'POST', body: typeof envelope === 'string' ? envelope : encodeEnvelope(envelope), headers: { 'Content-Type': 'application/json', ...headers } });
  const body = (await response.json()) as Json;
  const code = response.ok ? 'ok' : (body as { error: { code: string } }).error.code;
  return { status: response.status, code, body };
}

export interface Operator {
  readonly url: string;
  readonly key: SigningKey;
}

/** A token for an organisation, issued by the operator. */
export async function issueToken({ url, key }: Operator, organisation = 'corner', ttlHours = 24): Promise<string> {
  const token = newToken();
  const { code } = await post(url, envelopeOf(key, key.publicKey, 'token', { tokenHash: tokenHash(token), organisation, ttlHours }));
  if (code !== 'ok') throw new Error(`expected a token, got ${code}`);
  return token;
}

export function certificateOf({ body, code }: Answer): SignedCertificate {
  if (code !== 'ok') throw new Error(`expected a certificate, got ${code}`);
  return certificateAnswerSchema.parse(body).certificate;
}

/** Enrols a shop under the key of its name, with a token of its own. */
export async function enrolled(operator: Operator, shop: string, organisation = 'corner', key = nodeKey(shop)): Promise<SignedCertificate> {
  const token = await issueToken(operator, organisation);
  return certificateOf(await post(operator.url, envelopeOf(key, operator.key.publicKey, 'enrol', { token, shop })));
}
