/**
 * The messages of `cesta/silo-secagg/v1`. Whatever comes from the other side is parsed from unknown; lengths that
 * depend on the round are checked where they are used. Lists of equal records travel packed, in rising order of
 * their members. Members are numbered 0..n-1 in the order of the roster; bitmaps name sets of them.
 */
import * as z from 'zod';
import { CestaError } from '../protocol/errors.ts';
import { describeIssues } from '../protocol/issues.ts';
import { mostParticipants } from './terms.ts';

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'expected bytes');
const bytesOf = (length: number): z.ZodType<Uint8Array> => bytes.refine((value) => value.length === length, `expected ${length} bytes`);
const member = z.number().int().min(0).max(mostParticipants - 1);
const signature = bytesOf(64);
const key = bytesOf(32);
const shopId = z.string().min(1).max(128);

/** R0: fresh keys of the round, signed by the long-term key. */
export const advertiseSchema = z.strictObject({ kind: z.literal('advertise'), id: shopId, cipherKey: key, maskKey: key, nonceHash: key, signature });
/** R0 of a Harary round: the nonce behind the hash, once the roster is fixed. */
export const nonceSchema = z.strictObject({ kind: z.literal('nonce'), from: member, nonce: key });
/** R1: sealed shares for each neighbour, with commitments to every share and secret. */
export const sharesSchema = z.strictObject({ kind: z.literal('shares'), from: member, seedCommitment: key, chainEnd: bytes, boxes: bytes, commitments: bytes, signature });
/** R2: the masked vector, and the neighbours whose shares did not open. */
export const maskedSchema = z.strictObject({ kind: z.literal('masked'), from: member, vector: bytes, unopened: bytes, signature });
/** R3: a signature over the survivor set. */
export const confirmSchema = z.strictObject({ kind: z.literal('confirm'), from: member, signature });
/** R4: the own seed, the own noise key, and shares of neighbours' secrets: one kind for each neighbour, never both. */
export const unmaskSchema = z.strictObject({ kind: z.literal('unmask'), from: member, seed: key, noiseKey: bytes, shares: bytes, signature });
/** The sender has left the round and reveals nothing. */
export const abortSchema = z.strictObject({ kind: z.literal('abort'), code: z.string().max(64), message: z.string().max(2000) });

export const participantMessageSchema = z.discriminatedUnion('kind', [advertiseSchema, nonceSchema, sharesSchema, maskedSchema, confirmSchema, unmaskSchema, abortSchema]);

/** R0': the roster: ids in rising order, and their `advertise` records of 160 bytes. */
export const rosterSchema = z.strictObject({ kind: z.literal('roster'), ids: z.array(shopId).max(mostParticipants), records: bytes, signature });
/** The nonces that were opened. */
export const openingsSchema = z.strictObject({ kind: z.literal('openings'), opened: bytes, nonces: bytes });
/** R1': the boxes addressed to the receiver, and the senders' commitments to what is inside. */
export const forwardSchema = z.strictObject({ kind: z.literal('forward'), senders: bytes, boxes: bytes, commitments: bytes });
/** R3: who sent a masked vector. */
export const survivorsSchema = z.strictObject({ kind: z.literal('survivors'), members: bytes, signature });
/** R4: the survivors' signatures over one survivor set. */
export const confirmationsSchema = z.strictObject({ kind: z.literal('confirmations'), signers: bytes, signatures: bytes });

export const coordinatorMessageSchema = z.discriminatedUnion('kind', [rosterSchema, openingsSchema, forwardSchema, survivorsSchema, confirmationsSchema]);

export type ParticipantMessage = Readonly<z.infer<typeof participantMessageSchema>>;
export type CoordinatorMessage = Readonly<z.infer<typeof coordinatorMessageSchema>>;
export type MessageOf<Kind extends (ParticipantMessage | CoordinatorMessage)['kind']> = Extract<ParticipantMessage | CoordinatorMessage, { kind: Kind }>;

/** @throws CestaError `secagg.invalid` naming the field. */
export function parseParticipantMessage(value: unknown): ParticipantMessage {
  return parse(participantMessageSchema, value);
}

/** @throws CestaError `secagg.invalid` naming the field. */
export function parseCoordinatorMessage(value: unknown): CoordinatorMessage {
  return parse(coordinatorMessageSchema, value);
}

function parse<Message>(schema: z.ZodType<Message>, value: unknown): Message {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new CestaError('secagg.invalid', `message: ${describeIssues(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}
