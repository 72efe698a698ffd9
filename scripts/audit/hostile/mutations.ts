/**
 * What is done to a frame that was good: to its bytes, to the JSON or the tensors in it, and to the framing around it.
 * Everything follows from a seeded stream, so that a finding can be had again.
 */
import { isUtf8 } from 'node:buffer';
import type { SeededRandom } from '../../../shared/numerics/random.ts';
import { maxFrameBytes } from '../../../shared/protocol/messages.ts';
import { framingMutations } from './framing-mutations.ts';
import { frameOf, opcodes } from './web-socket-frames.ts';

/** A frame before its framing. */
export interface Seed {
  readonly opcode: typeof opcodes.text | typeof opcodes.binary;
  readonly payload: Buffer;
}

export interface MutationContext {
  /** Another good frame of the same moment. */
  readonly other: Seed;
  readonly random: SeededRandom;
}

/** @returns bytes for the network, framing included */
export type Mutation = (seed: Seed, context: MutationContext) => Uint8Array;

/** Text stays text: bytes that are no UTF-8 end the connection below the protocol, and have a mutation of their own. */
function framed({ opcode, payload }: Seed): Buffer {
  return frameOf(opcode === opcodes.text && !isUtf8(payload) ? payload.map((byte) => byte & 0x7f) : payload, { opcode });
}

const ofBytes = (change: (payload: Buffer, context: MutationContext) => Buffer): Mutation => (seed, context) => framed({ opcode: seed.opcode, payload: change(Buffer.from(seed.payload), context) });

/** JSON texts that a field may be put to. Some are no JSON: what is sent need not be. */
const hostileValues: readonly string[] = [
  'NaN', 'Infinity', '-Infinity', '1e30', '-1e30', '1e999', '9007199254740993', '18446744073709551616', '-1', '0', '0.5', '1e-9', '-0', 'null', 'true', '[]', '{}', '""', '"\\u0000"',
  '"\\ud800"', '"\\udc00\\ud800"', '"__proto__"', '{"__proto__":{"type":"ready"}}', '[[[[[[[[]]]]]]]]', '{"a":{"b":{"c":{"d":1}}}}', 'undefined', '01', "'single'", '"\u202e"', '1e', '{"toString":1}',
];

function textMutation(change: (entries: [string, string][], context: MutationContext) => string | [string, string][]): Mutation {
  return (seed, context) => {
    const entries = entriesOf(seed);
    if (entries === null) return mutations['bit flips'](seed, context);
    const changed = change(entries, context);
    return framed({ opcode: opcodes.text, payload: Buffer.from(typeof changed === 'string' ? changed : written(changed)) });
  };
}

function entriesOf({ opcode, payload }: Seed): [string, string][] | null {
  if (opcode !== opcodes.text) return null;
  return Object.entries(JSON.parse(payload.toString('utf8')) as Record<string, unknown>).map(([key, value]) => [key, JSON.stringify(value)]);
}

function written(entries: readonly [string, string][]): string {
  return `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`;
}

function replaced(entries: [string, string][], key: string, value: string): [string, string][] {
  return entries.map(([name, old]) => [name, name === key ? value : old]);
}

export function pick<T>(random: SeededRandom, from: readonly T[]): T {
  return from[random.nextBelow(from.length)];
}

export function randomBytes(random: SeededRandom, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.nextBelow(256)));
}

/** A tensor frame again with another header, or null for a frame that has none. */
function tensorMutation(change: (header: Record<string, unknown>, body: Buffer, context: MutationContext) => { header: string; body: Buffer }): Mutation {
  return (seed, context) => {
    if (seed.opcode !== opcodes.binary || seed.payload.length < 8) return mutations['wrong value'](seed, context);
    const length = Number(seed.payload.readBigUInt64LE(0));
    const { header, body } = change(JSON.parse(seed.payload.subarray(8, 8 + length).toString('utf8')) as Record<string, unknown>, seed.payload.subarray(8 + length), context);
    const text = Buffer.from(header);
    const start = Buffer.alloc(8);
    start.writeBigUInt64LE(BigInt(text.length));
    return framed({ opcode: opcodes.binary, payload: Buffer.concat([start, text, body]) });
  };
}

const entryOf = (header: Record<string, unknown>): object => header['chunk'] as object;
const metadataOf = (header: Record<string, unknown>): object => header['__metadata__'] as object;

const headerLengths = [2n ** 63n, 2n ** 64n - 1n, 2n ** 53n, 2n ** 32n, 0n, 1n, 7n];
const entryChanges: readonly object[] = [
  { dtype: 'F32' }, { dtype: 'F64' }, { dtype: 'U8' }, { dtype: 'I64' }, { dtype: null }, { shape: [] }, { shape: [2 ** 31, 2 ** 31] }, { shape: [1e30] }, { shape: [-1] }, { shape: [0] }, { shape: [1, 1, 1, 1, 1] },
  { data_offsets: [0, 2 ** 40] }, { data_offsets: [8, 0] }, { data_offsets: [-8, 0] }, { data_offsets: [1, 5] }, { data_offsets: null }, { extra: 1 },
];
const metadataChanges: readonly object[] = [
  { round: '' }, { round: 'x'.repeat(97) }, { round: 'another-1' }, { round: 7 }, { seq: '0' }, { seq: '1' }, { seq: '-1' }, { seq: '1e3' }, { seq: 'NaN' }, { seq: 9 }, { offset: '-1' }, { offset: '9999999999' }, { offset: '00' }, { offset: '1' }, { more: 'x' },
];
const words: readonly number[] = [0x7fc00000, 0x7f800000, 0xff800000, 0x80000000, 0x7fffffff, 0x7149f2ca, 1];

export const mutations: Readonly<Record<string, Mutation>> = {
  'bit flips': ofBytes((payload, { random }) => {
    for (let flips = 1 + random.nextBelow(8); flips > 0 && payload.length > 0; flips -= 1) payload[random.nextBelow(payload.length)] ^= 1 << random.nextBelow(8);
    return payload;
  }),
  truncation: ofBytes((payload, { random }) => payload.subarray(0, random.nextBelow(payload.length + 1))),
  'length extension': ofBytes((payload, { random }) => Buffer.concat([payload, randomBytes(random, 1 + random.nextBelow(64))])),
  insertion: ofBytes((payload, { random }) => {
    const at = random.nextBelow(payload.length + 1);
    return Buffer.concat([payload.subarray(0, at), randomBytes(random, 1 + random.nextBelow(8)), payload.subarray(at)]);
  }),
  splice: ofBytes((payload, { other, random }) => Buffer.concat([payload.subarray(0, random.nextBelow(payload.length + 1)), other.payload.subarray(random.nextBelow(other.payload.length + 1))])),
  empty: ofBytes(() => Buffer.alloc(0)),
  garbage: ofBytes((_payload, { random }) => randomBytes(random, 1 + random.nextBelow(200))),
  'other kind': ({ opcode, payload }) => framed({ opcode: opcode === opcodes.text ? opcodes.binary : opcodes.text, payload }),
  unchanged: framed,
  'wrong value': textMutation((entries, { random }) => replaced(entries, pick(random, entries)[0], pick(random, hostileValues))),
  'wrong types': textMutation((entries, { random }) => entries.map(([key, value]) => [key, random.nextBelow(2) === 0 ? value : pick(random, hostileValues)])),
  'missing field': textMutation((entries, { random }) => entries.filter(([key]) => key !== pick(random, entries)[0])),
  'more fields': textMutation((entries, { random }) => [...entries, [`extra${random.nextBelow(10)}`, pick(random, hostileValues)], ['__proto__', '{"seq":1}'], ['constructor', '1']]),
  'duplicate keys': textMutation((entries, { random }) => [...entries, [pick(random, entries)[0], pick(random, hostileValues)]]),
  'another type': textMutation((entries, { random }) => replaced(entries, 'type', JSON.stringify(pick(random, ['hello', 'proof', 'products', 'join', 'decline', 'report', 'leave', 'masked', 'welcome', 'error', 'ready', 'train'])))),
  'long text': textMutation((entries, { random }) => replaced(entries, pick(random, entries)[0], JSON.stringify('x'.repeat(1 << (6 + random.nextBelow(12)))))),
  'deep nesting': textMutation((entries, { random }) => {
    const depth = 1 << (3 + random.nextBelow(13));
    const [open, close] = pick(random, [['[', ']'], ['{"a":', '}'], ['[', '']]);
    return written(replaced(entries, pick(random, entries)[0], `${open.repeat(depth)}1${close.repeat(depth)}`));
  }),
  'many keys': textMutation((entries, { random }) => [...entries, ...Array.from({ length: 1 << (4 + random.nextBelow(8)) }, (_, index): [string, string] => [`k${index}`, '1'])]),
  'replayed number': textMutation((entries, { random }) => replaced(entries, 'seq', pick(random, ['0', '1', '2', '-1', '1.5']))),
  'number overflow': textMutation((entries, { random }) => replaced(entries, 'seq', pick(random, ['9007199254740992', '1e300', '1e999', '4294967296.5']))),
  'header length': ofBytes((payload, { random }) => {
    if (payload.length >= 8) payload.writeBigUInt64LE(pick(random, [...headerLengths, BigInt(payload.length), BigInt(payload.length - 8), BigInt(payload.length - 7)]), 0);
    return payload;
  }),
  'tensor entry': tensorMutation((header, body, { random }) => ({ header: JSON.stringify({ ...header, chunk: { ...entryOf(header), ...pick(random, entryChanges) } }), body })),
  'tensor metadata': tensorMutation((header, body, { random }) => ({ header: JSON.stringify({ ...header, __metadata__: { ...metadataOf(header), ...pick(random, metadataChanges) } }), body })),
  'extra tensors': tensorMutation((header, body, { random }) => ({ header: JSON.stringify({ ...header, ...Object.fromEntries(Array.from({ length: 1 + random.nextBelow(30) }, (_, index) => [`t${index}`, entryOf(header)])) }), body })),
  'tensor prototype': tensorMutation((header, body) => ({ header: `{"__proto__":${JSON.stringify(entryOf(header))},${JSON.stringify(header).slice(1)}`, body })),
  'tensor words': tensorMutation((header, body, { random }) => {
    const changed = Buffer.from(body);
    if (changed.length >= 4) changed.writeUInt32LE(pick(random, words), 4 * random.nextBelow(Math.floor(changed.length / 4)));
    return { header: JSON.stringify(header), body: changed };
  }),
  'masked frame': textMutation((entries, { random }) => {
    const frame = entries.find(([key]) => key === 'frame');
    if (frame === undefined) return replaced(entries, pick(random, entries)[0], pick(random, hostileValues));
    const bytes = Buffer.from(JSON.parse(frame[1]) as string, 'base64');
    for (let flips = 1 + random.nextBelow(4); flips > 0 && bytes.length > 0; flips -= 1) bytes[random.nextBelow(bytes.length)] ^= 1 << random.nextBelow(8);
    const cut = random.nextBelow(4) === 0 ? bytes.subarray(0, random.nextBelow(bytes.length + 1)) : bytes;
    return replaced(entries, 'frame', JSON.stringify(cut.toString('base64')));
  }),
};

/** These end a connection at once, so one at most closes a visit; each is as good as a frame. */
export const lastMutations: Readonly<Record<string, Mutation>> = {
  ...framingMutations,
  'last number': textMutation((entries) => replaced(entries, 'seq', String(Number.MAX_SAFE_INTEGER))),
  'invalid UTF-8': ({ payload }, { random }) => frameOf(Buffer.concat([payload.subarray(0, random.nextBelow(payload.length + 1)), Buffer.from(pick(random, [[0xed, 0xa0, 0x80], [0xc0, 0x80], [0xff], [0xf8, 0x88, 0x80, 0x80, 0x80], [0xe2, 0x82]]))]), { opcode: opcodes.text }),
  oversized: ({ opcode }) => frameOf(Buffer.alloc(maxFrameBytes + 1, 0x20), { opcode }),
  'largest frame': (_seed, { random }) => frameOf(Buffer.alloc(maxFrameBytes, pick(random, ['[', '{"a":', '1,', '"\\u0000', ' '])), { opcode: opcodes.text }),
};
