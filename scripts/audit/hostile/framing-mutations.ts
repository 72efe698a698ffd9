/** Against the framing of WebSockets itself (RFC 6455, section 5). */
import type { Mutation } from './mutations.ts';
import { frameOf, opcodes } from './web-socket-frames.ts';

const byte = Buffer.of(0x20);

export const framingMutations: Readonly<Record<string, Mutation>> = {
  'reserved bits': ({ opcode, payload }, { random }) => frameOf(payload, { opcode, reserved: 1 + random.nextBelow(7) }),
  unmasked: ({ opcode, payload }) => frameOf(payload, { opcode, masked: false }),
  'unknown opcode': ({ payload }, { random }) => frameOf(payload, { opcode: [3, 4, 5, 6, 7, 11, 12, 13, 14, 15][random.nextBelow(10)] }),
  'continuation without start': ({ payload }) => frameOf(payload, { opcode: opcodes.continuation }),
  'start within a message': ({ opcode, payload }) => Buffer.concat([frameOf(payload, { opcode, final: false }), frameOf(payload, { opcode })]),
  'long control frame': (_seed, { random }) => frameOf(Buffer.alloc(126 + random.nextBelow(100)), { opcode: [opcodes.ping, opcodes.pong, opcodes.close][random.nextBelow(3)] }),
  'control frame in pieces': (_seed, { random }) => frameOf(byte, { opcode: [opcodes.ping, opcodes.pong, opcodes.close][random.nextBelow(3)], final: false }),
  'wrong close': (_seed, { random }) => frameOf([Buffer.of(3), Buffer.of(0, 0), Buffer.of(3, 237), Buffer.of(0xff, 0xff), Buffer.of(3, 232, 0xff, 0xfe)][random.nextBelow(5)], { opcode: opcodes.close }),
  'length of 2^62': ({ opcode, payload }) => frameOf(payload, { opcode, claimedLength: 2 ** 62 }),
  'length that never comes': ({ opcode, payload }, { random }) => frameOf(payload, { opcode, claimedLength: payload.length + 1 + random.nextBelow(1 << 16) }),
  'many fragments': ({ opcode }, { random }) => Buffer.concat([frameOf(byte, { opcode, final: false }), ...Array.from({ length: 100 + random.nextBelow(400) }, () => frameOf(byte, { opcode: opcodes.continuation, final: false }))]),
  'empty fragments': ({ opcode }, { random }) => Buffer.concat([frameOf(Buffer.alloc(0), { opcode, final: false }), ...Array.from({ length: 100 + random.nextBelow(400) }, () => frameOf(Buffer.alloc(0), { opcode: opcodes.continuation, final: false }))]),
  'pings by the hundred': (_seed, { random }) => Buffer.concat(Array.from({ length: 100 + random.nextBelow(400) }, () => frameOf(Buffer.alloc(125), { opcode: opcodes.ping }))),
  'bytes without frames': (_seed, { random }) => Buffer.from(Array.from({ length: 2 + random.nextBelow(300) }, () => random.nextBelow(256))),
};
