import { describe, expect, it } from 'vitest';
import type { CoordinatorMessage, ParticipantMessage } from '../../shared/secagg/messages.ts';
import { parseCoordinatorMessage, parseParticipantMessage } from '../../shared/secagg/messages.ts';
import { rosterFrameBytes, rosterMessage } from '../../shared/secagg/roster.ts';
import { parseTerms, termsHash } from '../../shared/secagg/terms.ts';
import { decodeFrame, encodeMessage } from '../../shared/secagg/wire.ts';
import { cheatTerms, openQuiet } from './attacks.ts';
import { run, termsOf } from './session.ts';

/** A frame of this header and these bytes behind it. */
function frameOf(header: unknown, body: readonly number[] = []): Uint8Array {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32LE(text.length);
  return Uint8Array.from(Buffer.concat([prefix, text, Uint8Array.from(body)]));
}

describe('the roster of a round', () => {
  it('is in a frame of the length that was reckoned with', () => {
    for (const count of [4, 300]) {
      const entries = Array.from({ length: count }, (_, i) => ({ id: `Büro ${i}`, cipherKey: new Uint8Array(32), maskKey: new Uint8Array(32), nonceHash: new Uint8Array(32), signature: new Uint8Array(64) }));
      const message = rosterMessage({ entries, root: new Uint8Array(32), sessionId: new Uint8Array(32), signature: new Uint8Array(64) });
      const reckoned = rosterFrameBytes(message.ids);
      expect(encodeMessage(message).length).toBeLessThanOrEqual(reckoned);
      expect(encodeMessage(message).length).toBeGreaterThan(reckoned - 512);
    }
  });
});

describe('a message on the wire', () => {
  it('comes back as it was, for every message of a round', async () => {
    const fromParticipants: ParticipantMessage[] = [{ kind: 'abort', code: 'secagg.aborted', message: 'caf\u00e9 \u{1f6d2}' }, { kind: 'nonce', from: 3, nonce: new Uint8Array(32).fill(9) }];
    const fromCoordinator: CoordinatorMessage[] = [{ kind: 'openings', opened: Uint8Array.of(255), nonces: new Uint8Array(256).fill(3) }];
    const world = openQuiet({
      participants: 4, terms: cheatTerms(),
      toParticipant: (message) => {
        fromCoordinator.push(message);
        return message;
      },
    });
    await run(world);
    fromParticipants.push(...world.view.map(({ message }) => message));
    expect(new Set([...fromParticipants, ...fromCoordinator].map(({ kind }) => kind)).size).toBe(12);
    for (const message of fromParticipants) expect(parseParticipantMessage(decodeFrame(encodeMessage(message)))).toEqual(message);
    for (const message of fromCoordinator) expect(parseCoordinatorMessage(decodeFrame(encodeMessage(message)))).toEqual(message);
  });

  it('is read from the middle of a larger buffer, and keeps no hold of it', () => {
    const frame = encodeMessage({ kind: 'nonce', from: 1, nonce: new Uint8Array(32).fill(5) });
    const buffer = new Uint8Array(frame.length + 7);
    buffer.set(frame, 3);
    const message = parseParticipantMessage(decodeFrame(buffer.subarray(3, 3 + frame.length)));
    buffer.fill(0);
    expect(message).toEqual({ kind: 'nonce', from: 1, nonce: new Uint8Array(32).fill(5) });
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['half a length', Uint8Array.of(1, 0, 0)],
    ['a header longer than the frame', Uint8Array.of(9, 0, 0, 0, 123)],
    ['a header of 4 GB', Uint8Array.of(255, 255, 255, 255)],
    ['no JSON', frameOf('{fields')],
    ['no UTF-8', Uint8Array.of(2, 0, 0, 0, 0xc3, 0x28)],
    ['null', frameOf('null')],
    ['a list', frameOf([])],
    ['no lengths', frameOf({ fields: {} })],
    ['more than a header has', frameOf({ fields: {}, lengths: [], more: 1 })],
    ['nested fields', frameOf({ fields: { a: { b: 1 } }, lengths: [] })],
    ['a nest of 100,000 lists', frameOf(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)],
    ['a length below zero', frameOf({ fields: {}, lengths: [['a', -1]] })],
    ['half a byte', frameOf({ fields: {}, lengths: [['a', 0.5]] }, [1])],
    ['a length beyond the frame', frameOf({ fields: {}, lengths: [['a', 3]] }, [1, 2])],
    ['an enormous length', frameOf({ fields: {}, lengths: [['a', 2 ** 52]] }, [1, 2])],
    ['bytes that no field owns', frameOf({ fields: {}, lengths: [['a', 1]] }, [1, 2])],
    ['a field that is both plain and binary', frameOf({ fields: { a: 'x' }, lengths: [['a', 1]] }, [1])],
    ['one binary field twice', frameOf({ fields: {}, lengths: [['a', 1], ['a', 1]] }, [1, 2])],
    ['17 plain fields', frameOf({ fields: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`f${i}`, 0])), lengths: [] })],
    ['17 binary fields', frameOf({ fields: {}, lengths: Array.from({ length: 17 }, (_, i) => [`f${i}`, 0]) })],
  ])('is malformed with %s', (_, frame) => {
    expect(() => decodeFrame(frame)).toThrow(expect.objectContaining({ code: 'protocol.malformed' }) as Error);
  });

  it('cut anywhere is malformed, never another message', () => {
    const frame = encodeMessage({ kind: 'confirmations', signers: Uint8Array.of(7), signatures: new Uint8Array(192).fill(1) });
    for (let length = 0; length < frame.length; length += 1) expect(() => decodeFrame(frame.subarray(0, length))).toThrow(expect.objectContaining({ code: 'protocol.malformed' }) as Error);
  });

  it('cannot reach the prototype of anything', () => {
    const decoded = decodeFrame(frameOf('{"fields":{"__proto__":"x","kind":"nonce","from":1},"lengths":[["constructor",1]]}', [1]));
    expect(() => parseParticipantMessage(decoded)).toThrow(expect.objectContaining({ code: 'secagg.invalid' }) as Error);
    expect(Object.prototype).not.toHaveProperty('x');
    expect(({} as Record<string, unknown>)['kind']).toBeUndefined();
  });
});

describe('the schema of messages', () => {
  it.each([
    ['a participant', parseParticipantMessage, { kind: 'survivors', members: new Uint8Array(1), signature: new Uint8Array(64) }],
    ['the coordinator', parseCoordinatorMessage, { kind: 'nonce', from: 0, nonce: new Uint8Array(32) }],
    ['a participant', parseParticipantMessage, { kind: 'nonce', from: 1 << 20, nonce: new Uint8Array(32) }],
    ['a participant', parseParticipantMessage, { kind: 'nonce', from: -1, nonce: new Uint8Array(32) }],
    ['a participant', parseParticipantMessage, { kind: 'nonce', from: '0', nonce: new Uint8Array(32) }],
    ['a participant', parseParticipantMessage, { kind: 'nonce', from: 0, nonce: Array.from({ length: 32 }, () => 0) }],
    ['a participant', parseParticipantMessage, { kind: 'nonce', from: 0, nonce: new Uint16Array(32) }],
    ['a participant', parseParticipantMessage, { kind: 'abort', code: 'x', message: 'x'.repeat(2001) }],
    ['the coordinator', parseCoordinatorMessage, { kind: 'roster', ids: [''], records: new Uint8Array(160), signature: new Uint8Array(64) }],
    ['the coordinator', parseCoordinatorMessage, { kind: 'roster', ids: ['x'.repeat(129)], records: new Uint8Array(160), signature: new Uint8Array(64) }],
  ])('refuses from %s what is not its message: case %#', (_, parse, message) => {
    expect(() => parse(message)).toThrow(expect.objectContaining({ code: 'secagg.invalid' }) as Error);
  });
});

describe('terms', () => {
  it('have another hash for every change of every field', () => {
    const noise = { tolerated: 3 };
    const changes = [{}, { round: 'demo-2' }, { planHash: 'c'.repeat(64) }, { modelHash: 'c'.repeat(64) }, { coordinatorKey: 'c'.repeat(64) }, { length: 25 }, { modulusBits: 31 }, { minParticipants: 5 }, { noise }, { noise: { tolerated: 4 } }, { noise: { tolerated: 4, dropoutStep: 2 } },
      { graph: { kind: 'harary', corruptFraction: 0.1, dropoutFraction: 0.1, securityBits: 40 } }, { graph: { kind: 'harary', corruptFraction: 0.1, dropoutFraction: 0.2, securityBits: 40 } }] as const;
    expect(new Set(changes.map((change) => Buffer.from(termsHash(termsOf(change))).toString('hex'))).size).toBe(changes.length);
    expect(termsHash(termsOf())).toEqual(termsHash(termsOf()));
  });

  it.each([{ minParticipants: 3 }, { modulusBits: 15 }, { modulusBits: 33 }, { length: 0 }, { planHash: 'A'.repeat(64) }, { protocol: 'cesta/silo-secagg/v0' }, { extra: 1 }, { noise: { tolerated: -1 } }, { noise: { tolerated: 4, dropoutStep: 0 } }, { noise: { tolerated: 1001 } }, { noise: { tolerated: 20_000, dropoutStep: 19 } }, { minParticipants: 65_536 }, { graph: { kind: 'harary', corruptFraction: 0.1, dropoutFraction: 0.1, securityBits: 10 } }])('are refused with %j', (change) => {
    expect(() => parseTerms({ ...termsOf(), ...change })).toThrow(expect.objectContaining({ code: 'secagg.invalid' }) as Error);
  });
});
