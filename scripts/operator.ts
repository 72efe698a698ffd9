/**
 * What an operator asks of a running coordinator, signed with the coordinator's own key: whoever reads its data folder
 * may ask, nobody else. Requests go over HTTP like those of nodes, so the operator need not sit on the same machine.
 */
import { join } from 'node:path';
import type { z } from 'zod';
import { prettifyError } from 'zod';
import type { Fetch } from '../client/http.ts';
import { request } from '../client/shop/outbox.ts';
import { nonceSecurely } from '../client/secure-random.ts';
import { createCredentials, type OperatorCredentials } from '../server/admin/credentials.ts';
import { readSigningKey } from '../server/signing-key-file.ts';
import { operatorAnswerSchema, revocationAnswerSchema, tokenAnswerSchema, tokenHash, type RevocationReason } from '../shared/identity/requests.ts';
import type { Json } from '../shared/protocol/canonical-json.ts';
import type { EnvelopeType } from '../shared/protocol/envelope.ts';
import { CestaError } from '../shared/protocol/errors.ts';

export interface OperatorOptions {
  readonly coordinator: URL;
  /** Holds the coordinator's key. */
  readonly dataDir: string;
  readonly fetch?: Fetch;
}

export interface IssuedToken {
  /** Made here: the coordinator knows its digest only. */
  readonly token: string;
  readonly organisation: string;
  readonly expiresAt: string;
}

/** A token that enrols one node of an organisation, once. @throws CestaError the coordinator's refusal */
export async function issueToken(options: OperatorOptions, organisation: string, ttlHours: number): Promise<IssuedToken> {
  const token = nonceSecurely();
  const { expiresAt } = await ask(options, 'token', { tokenHash: tokenHash(token), organisation, ttlHours }, tokenAnswerSchema);
  return { token, organisation, expiresAt };
}

/** Withdraws a key, named by itself or by its shop. @throws CestaError the coordinator's refusal */
export function revokeNode(options: OperatorOptions, target: { node: string } | { shop: string }, reason: RevocationReason): Promise<z.infer<typeof revocationAnswerSchema>> {
  return ask(options, 'revoke', { ...target, reason }, revocationAnswerSchema);
}

/**
 * New credentials for an operator, made here and sealed with the key of the coordinator, which learns the token's digest
 * alone. Whoever had the name is out. @throws CestaError the coordinator's refusal
 */
export async function resetOperator(options: OperatorOptions, name: string): Promise<OperatorCredentials> {
  const { shown, kept } = createCredentials(readSigningKey(options.dataDir), name);
  await ask(options, 'operator', { ...kept }, operatorAnswerSchema);
  return shown;
}

async function ask<T>({ coordinator, dataDir, fetch }: OperatorOptions, type: EnvelopeType, body: Json, schema: z.ZodType<T>): Promise<T> {
  const key = readSigningKey(dataDir);
  return request({ folder: join(dataDir, 'operator'), key, coordinator, coordinatorKey: key.publicKey, ...(fetch === undefined ? {} : { fetch }) }, type, body, (answer) => {
    const parsed = schema.safeParse(answer);
    if (!parsed.success) throw new CestaError('protocol.malformed', `answer: ${prettifyError(parsed.error)}`, { cause: parsed.error });
    return parsed.data;
  });
}
