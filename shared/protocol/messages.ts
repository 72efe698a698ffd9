/**
 * The control messages of the WebSocket, parsed from `unknown`. JSON text frames carry control, binary
 * frames carry tensor chunks (`chunkFrame`). Messages of an authenticated participant carry a strictly
 * increasing `seq`: a replayed or reordered frame is refused.
 */
import * as z from 'zod';
import { productSchema } from '../commerce/catalogue.ts';
import { planSchema } from '../federation/plan.ts';
import { evidenceSchema } from '../ledger/evidence.ts';
import { signedReceiptSchema } from '../ledger/receipt.ts';
import { signedCertificateSchema } from '../identity/certificate.ts';
import { backendKinds } from '../tensors/backend-kinds.ts';
import { parseBoundedJson } from './bounded-json.ts';
import { isErrorCode, type ErrorCode } from './error-table.ts';
import { CestaError } from './errors.ts';
import { describeIssues } from './issues.ts';
import { decodeTensors, encodeTensors } from './tensors.ts';

/** Bytes of tensor data in one binary frame: 64 KiB. */
export const chunkBytes = 65_536;
/** Products in one `products` message. */
export const productsPerMessage = 500;
/** The largest frame either side accepts: a page of products with long titles, or a chunk and its header. */
export const maxFrameBytes = 1 << 20;
/** A plan with everything in it has half as many levels. */
const maxMessageDepth = 24;
/** Where the coordinator takes WebSockets, below its address. */
export const roundsPath = '/v1/rounds/live';
/** What the coordinator's key and the shop's key sign at connect, before the nonce. */
export const connectDomain = 'cesta/connect/v1';

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`), `expected ${bytes} bytes in lower-case hex`);
const seq = z.number().int().positive();
const roundId = z.string().min(1).max(96);
const errorCode = z.custom<ErrorCode>(isErrorCode, 'expected a known error code');

/** The name of a shop: what people see and what its key is pinned to. */
export const shopNameSchema = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/i, 'expected 1..63 letters, digits, dots, dashes or underscores');

/** A frame of the masked session (`shared/secagg/wire.ts`) in Base 64. */
const maskedFrame = z.string().min(1);

const clientMessageSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('hello'),
    protocol: z.number().int(),
    shop: shopNameSchema,
    publicKey: hex(32),
    session: hex(16).optional(),
    /** Chosen by the shop: the welcome then carries the coordinator's signature over it. */
    nonce: hex(32).optional(),
    /** Of an enrolled shop. */
    certificate: signedCertificateSchema.optional(),
  }),
  z.strictObject({ type: z.literal('proof'), signature: hex(64) }),
  z.strictObject({ type: z.literal('products'), seq, products: z.array(productSchema).max(productsPerMessage), last: z.boolean() }),
  z.strictObject({ type: z.literal('join'), seq, round: roundId, planHash: hex(32) }),
  z.strictObject({ type: z.literal('decline'), seq, round: roundId, code: errorCode, message: z.string().max(1024) }),
  /** `backend`: of TensorFlow.js, where the model needs it. */
  z.strictObject({ type: z.literal('report'), seq, round: roundId, planHash: hex(32), length: z.number().int().positive(), sha256: hex(32), backend: z.enum(backendKinds).optional() }),
  z.strictObject({ type: z.literal('leave'), seq, round: roundId }),
  /** A message of the masked session of the round; the masked vector itself travels in chunks, as a report. */
  z.strictObject({ type: z.literal('masked'), seq, round: roundId, frame: maskedFrame }),
]);
export type ClientMessage = z.infer<typeof clientMessageSchema>;

const serverMessageSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('challenge'), nonce: hex(32), coordinatorKey: hex(32) }),
  /**
   * `openCatalogue`: the task's catalogue is the union of what shops publish, so products are expected next.
   * `signature`: the coordinator's key over the nonce of the hello.
   */
  z.strictObject({ type: z.literal('welcome'), task: z.string(), session: hex(16), openCatalogue: z.boolean(), signature: hex(64).optional() }),
  z.strictObject({ type: z.literal('ready') }),
  /** `evidence`: that the plan is in the public record; whoever takes part asks for it. */
  z.strictObject({ type: z.literal('invite'), plan: planSchema, signature: hex(64), evidence: evidenceSchema.optional() }),
  /** `directory`: in mode `distributed`, the shops that may be in the masked session, by their long-term keys. */
  z.strictObject({ type: z.literal('train'), round: roundId, deadlineMs: z.number().int(), directory: z.array(z.tuple([shopNameSchema, hex(32)])).max(65_535).optional() }),
  z.strictObject({ type: z.literal('masked'), round: roundId, frame: maskedFrame }),
  /** A staging area is free: send the chunks of the announced report. */
  z.strictObject({ type: z.literal('upload'), round: roundId }),
  /** The report is in, and so is its receipt in the coordinator's journal. */
  z.strictObject({ type: z.literal('accepted'), round: roundId, receipt: signedReceiptSchema }),
  /** `version`, `sha256`: of the release that the round made, or that it scored. */
  z.strictObject({ type: z.literal('round-done'), round: roundId, version: z.number().int(), sha256: hex(32) }),
  z.strictObject({ type: z.literal('round-failed'), round: roundId, code: errorCode, message: z.string() }),
  z.strictObject({ type: z.literal('task-over'), code: errorCode.nullable(), message: z.string() }),
  z.strictObject({ type: z.literal('error'), code: errorCode, message: z.string(), hint: z.string() }),
]);
export type ServerMessage = z.infer<typeof serverMessageSchema>;

function parseWith<T>(schema: z.ZodType<T>, text: string): T {
  const parsed = schema.safeParse(parseBoundedJson('message', text, { maxLength: maxFrameBytes, maxDepth: maxMessageDepth }));
  if (!parsed.success) throw new CestaError('protocol.malformed', `message: ${describeIssues(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}

/** @throws CestaError `protocol.malformed` */
export function parseClientMessage(text: string): ClientMessage {
  return parseWith(clientMessageSchema, text);
}

/** @throws CestaError `protocol.malformed` */
export function parseServerMessage(text: string): ServerMessage {
  return parseWith(serverMessageSchema, text);
}

/** One piece of a statistic on the wire. */
export interface Chunk {
  readonly round: string;
  readonly seq: number;
  /** Position of the first element in the statistic. */
  readonly offset: number;
  /** Ring elements, at most `chunkBytes` of them in bytes. */
  readonly data: Int32Array;
}

export function encodeChunk({ round, seq: number, offset, data }: Chunk): Uint8Array {
  return encodeTensors({ chunk: { shape: [data.length], data } }, { round, seq: String(number), offset: String(offset) });
}

/** A round's name may be escaped; the rest is short. A longer header costs more to read than it can be worth. */
const maxChunkHeaderBytes = 1_024;

const chunkMetadataSchema = z.strictObject({
  round: roundId,
  seq: z.string().regex(/^[1-9][0-9]{0,14}$/).transform(Number),
  offset: z.string().regex(/^(0|[1-9][0-9]{0,9})$/).transform(Number),
});

/**
 * The data may be a view of the frame: whoever keeps it copies it.
 * @throws CestaError `protocol.malformed`
 */
export function decodeChunk(frame: Uint8Array): Chunk {
  const { tensors, metadata } = decodeTensors(frame, { share: true, maxHeaderBytes: maxChunkHeaderBytes });
  const parsed = chunkMetadataSchema.safeParse(metadata);
  if (!parsed.success) throw new CestaError('protocol.malformed', `chunk: ${describeIssues(parsed.error)}`, { cause: parsed.error });
  const data = tensors['chunk']?.data;
  if (!(data instanceof Int32Array) || data.byteLength > chunkBytes || Object.keys(tensors).length !== 1) {
    throw new CestaError('protocol.malformed', `chunk: expected one I32 tensor of at most ${chunkBytes} bytes`);
  }
  return { ...parsed.data, data };
}

/** The bytes that both keys sign at connect: who speaks, to whom, about which fresh nonce. */
export function connectStatement(side: 'shop' | 'coordinator', nonce: string, shop: string, coordinatorKey: string): Uint8Array {
  return new TextEncoder().encode([connectDomain, side, nonce, shop, coordinatorKey].join('\n'));
}
