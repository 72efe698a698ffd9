/**
 * Messages as bytes: a header length (4 bytes, little-endian), a JSON header of at most 8 MB with the plain fields
 * and the lengths of the binary ones, and these one after the other. Spaces behind the header make the whole a
 * multiple of 4 bytes, so that it can travel as words. Decoding checks the frame; what is inside is
 * parsed by the schemas of messages.ts.
 */
import * as z from 'zod';
import { CestaError } from '../protocol/errors.ts';
import { concatenated } from './bytes.ts';
import type { CoordinatorMessage, ParticipantMessage } from './messages.ts';

/** Of either kind; no message has as many. */
const mostFields = 16;

const headerSchema = z.strictObject({
  fields: z.record(z.string(), z.union([z.string(), z.number(), z.array(z.string())])),
  lengths: z.array(z.tuple([z.string(), z.number().int().min(0)])).max(mostFields),
});

const largestHeader = 1 << 23;

export function encodeMessage(message: ParticipantMessage | CoordinatorMessage): Uint8Array {
  const entries = Object.entries(message) as [string, string | number | string[] | Uint8Array][];
  const binary = entries.filter((entry): entry is [string, Uint8Array] => entry[1] instanceof Uint8Array);
  const text = new TextEncoder().encode(JSON.stringify({
    fields: Object.fromEntries(entries.filter(([, value]) => !(value instanceof Uint8Array))),
    lengths: binary.map(([name, value]) => [name, value.length]),
  }));
  const unpadded = text.length + binary.reduce((length, [, value]) => length + value.length, 0);
  const header = concatenated([text, new Uint8Array((4 - (unpadded % 4)) % 4).fill(0x20)]);
  const prefix = new Uint8Array(4);
  new DataView(prefix.buffer).setUint32(0, header.length, true);
  return concatenated([prefix, header, ...binary.map(([, value]) => value)]);
}

/** The object in a frame, for `parseParticipantMessage` or `parseCoordinatorMessage`. @throws CestaError `protocol.malformed` */
export function decodeFrame(frame: Uint8Array): unknown {
  if (frame.length < 4) throw malformed('at least 4 bytes', frame.length);
  const headerLength = new DataView(frame.buffer, frame.byteOffset).getUint32(0, true);
  if (headerLength > largestHeader || 4 + headerLength > frame.length) throw malformed('a header inside the frame', headerLength);
  const { fields, lengths } = readHeader(frame.subarray(4, 4 + headerLength));
  const message = new Map<string, unknown>(Object.entries(fields));
  let offset = 4 + headerLength;
  for (const [name, length] of lengths) {
    if (message.has(name)) throw malformed('distinct fields', name);
    if (offset + length > frame.length) throw malformed(`${length} bytes of ${name}`, frame.length - offset);
    // Copied, so that no field keeps a pooled socket buffer alive or changes with it.
    message.set(name, Uint8Array.from(frame.subarray(offset, offset + length)));
    offset += length;
  }
  if (offset !== frame.length) throw malformed(`${offset} bytes`, frame.length);
  return Object.fromEntries(message);
}

function readHeader(bytes: Uint8Array): z.infer<typeof headerSchema> {
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    // Counted before each is checked: thousands of wrong fields would cost a second.
    if (countFields(header) > mostFields) throw malformed(`at most ${mostFields} fields`, countFields(header));
    return headerSchema.parse(header);
  } catch (cause) {
    if (cause instanceof CestaError) throw cause;
    throw new CestaError('protocol.malformed', 'frame: expected a JSON header of fields and lengths, got something else', { cause });
  }
}

function countFields(header: unknown): number {
  const fields: unknown = typeof header === 'object' && header !== null && 'fields' in header ? header.fields : null;
  return typeof fields === 'object' && fields !== null ? Object.keys(fields).length : 0;
}

function malformed(expected: string, got: unknown): CestaError {
  return new CestaError('protocol.malformed', `frame: expected ${expected}, got ${String(got)}`);
}
